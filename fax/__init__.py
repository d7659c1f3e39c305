"""Fax access over a number (the top floor: knows numbers and everything below)."""
