"""Messages of the travel trade, and the loyalty numbers in them."""
