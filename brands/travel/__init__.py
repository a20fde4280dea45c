"""What travel agencies book, what brands confirm, and what is claimed."""
