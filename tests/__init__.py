"""The proof: one package per floor of the house, journeys through all of them, and the laws."""
