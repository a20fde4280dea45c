"""Whose a claim is that was linked to nobody when it was made, and is found when it is approved.

A link puts the claim into the list of its membership (`credit_claim_lists`), by a trigger as the
other lists are kept.
"""

from typing import Any

from tortoise.migrations import Migration as TortoiseMigration
from tortoise.migrations.operations import RunPython

from brands.tables.migrations._both import append_only, sql

LINKS = """
CREATE TABLE IF NOT EXISTS credit_claim_links (
    book            {small} NOT NULL,
    claim_id        {uuid} NOT NULL,
    membership_id   {uuid} NOT NULL,
    created_at      {integer} NOT NULL,
    PRIMARY KEY (book, claim_id)
) {strict}
"""

# Whether the claim's step is written before the link or after it, the status comes out the same.
_LISTED = (
    "INSERT INTO credit_claim_lists (claim_id, owner_id, status, brand_id, created_at)"
    " SELECT l.claim_id, NEW.membership_id, l.status, l.brand_id, l.created_at"
    " FROM credit_claim_lists l WHERE l.claim_id = NEW.claim_id AND l.owner_id = l.brand_id;"
)


async def _keep(_: Any, editor: Any) -> None:
    trigger = "credit_claim_links_listed"
    if editor.DIALECT == "postgres":
        await editor.client.execute_script(
            f"CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN {_LISTED} RETURN NULL; END $$"
        )
        await editor.client.execute_script(
            f"CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT ON credit_claim_links"
            f" FOR EACH ROW EXECUTE FUNCTION {trigger}()"
        )
    else:
        await editor.client.execute_script(
            f"CREATE TRIGGER IF NOT EXISTS {trigger} AFTER INSERT ON credit_claim_links"
            f" BEGIN {_LISTED} END"
        )


class Migration(TortoiseMigration):
    """Whose a claim turns out to be."""

    dependencies = [("brands", "m0015_program_terms")]
    operations = [sql([LINKS]), append_only("credit_claim_links"), RunPython(_keep)]
