"""Travel agencies, and which of them a credential is of.

A credential of an agency that was made before says none, and goes on without one.
"""

from tortoise.migrations import Migration as TortoiseMigration

from brands.tables.migrations._both import add_column, sql

AGENCIES = """
CREATE TABLE IF NOT EXISTS agencies (
    id              {uuid} PRIMARY KEY,
    code            {text} NOT NULL UNIQUE CHECK (length(code) BETWEEN 2 AND 16),
    name            {text} NOT NULL,
    status          {text} NOT NULL CHECK (status IN ('ACTIVE', 'SUSPENDED')),
    iata_number     {text} CHECK (length(iata_number) BETWEEN 7 AND 8),
    created_at      {integer} NOT NULL
) {strict}
"""


class Migration(TortoiseMigration):
    """Who books."""

    dependencies = [("brands", "m0006_feed")]
    operations = [
        sql([AGENCIES]),
        add_column(
            "credentials",
            "agency_id",
            "{uuid} REFERENCES agencies (id) CHECK (agency_id IS NULL OR kind = 'AGENCY')",
        ),
    ]
