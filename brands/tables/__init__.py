"""The rows: Tortoise models, one file per concept, and the migrations. Seen by `brands` only."""
