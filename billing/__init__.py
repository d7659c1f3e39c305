"""Prices, slots and charges (knows the ground floor; never learns what a number is)."""
