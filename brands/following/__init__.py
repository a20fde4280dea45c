"""What happens in the books, as it happens."""
