"""The demo coalition: who takes part in it, and what it lays down."""
