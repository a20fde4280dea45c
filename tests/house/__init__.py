"""The laws of the house itself, as far as import-linter cannot state them."""
