"""A request over HTTP: from bytes to an operation, and back."""
