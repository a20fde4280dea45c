"""The process: bytes in, bytes out. Composition, transport, credentials, and the command line."""
