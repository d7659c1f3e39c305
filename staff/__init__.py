"""The tenant's people (knows the ground floor only)."""
