"""What an operation is, whatever brought it: its document, what it costs, how it is executed."""
