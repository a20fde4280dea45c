"""Looking members up by number and name, without telling too much."""
