"""Benchmarks: `make bench` compares the portal with a floor page and with Django's admin over the same rows.

Method: one cluster of its own with 1,000,000 numbers of 1,000 tenants (one of 50,000, ten of 10,000, the rest of 859),
rows of a tenant scattered in blocks of 100 as growth scatters them; gunicorn with two workers per target; all targets
measured in turn, round by round, in one run; medians and ratios. Machines are noisy: only ratios of one run count.
The floor page is a bare signed-in page that selects and renders 50 realistic rows (`bench/floor`).
"""
