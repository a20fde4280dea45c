"""Transfer rules, and what a brand does when what it gave is taken back and spent already."""

from tortoise.migrations import Migration as TortoiseMigration

from brands.tables.migrations._both import add_column, append_only, sql

TRANSFER_RULES = """
CREATE TABLE IF NOT EXISTS transfer_rules (
    id                  {uuid} PRIMARY KEY,
    source_brand        {uuid} NOT NULL REFERENCES brands (id),
    destination_brand   {uuid} NOT NULL REFERENCES brands (id),
    household           {small} NOT NULL CHECK (household IN (0, 1)),
    terms               {text} NOT NULL,
    effective_from      {integer} NOT NULL,
    effective_to        {integer} CHECK (effective_to > effective_from),
    published_at        {integer} NOT NULL,
    epoch               {integer} NOT NULL,
    client              {text} NOT NULL
) {strict}
"""


class Migration(TortoiseMigration):
    """What brands lay down for transfers and reversals."""

    dependencies = [("brands", "m0002_books")]
    operations = [
        sql(
            [
                TRANSFER_RULES,
                "CREATE INDEX IF NOT EXISTS transfer_rules_epoch ON transfer_rules (epoch)",
            ]
        ),
        add_column(
            "brands",
            "clawback",
            "{text} NOT NULL DEFAULT 'REJECT'"
            " CHECK (clawback IN ('REJECT', 'ALLOW_NEGATIVE', 'UP_TO_BALANCE'))",
        ),
        append_only("transfer_rules"),
    ]
