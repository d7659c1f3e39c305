"""What the portal is compared with: bare pages in plain Django, and Django's admin."""
