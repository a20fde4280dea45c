"""The process and the stories through it, over real ASGI."""
