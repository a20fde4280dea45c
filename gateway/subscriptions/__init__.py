"""What is told as it happens, over WebSockets and event streams."""
