"""The connection itself: how long it waits for its client, and what every answer on it carries."""
