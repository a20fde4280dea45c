"""Loyalty numbers and people's names, as they are written and compared."""
