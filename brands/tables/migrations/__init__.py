"""Migrations, run in order by Tortoise's migration engine. Each is SQL that one can read."""
