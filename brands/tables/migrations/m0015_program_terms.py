"""Terms of travel that were to begin can be withdrawn, and published anew for the same instant."""

from typing import Any

from tortoise.migrations import Migration as TortoiseMigration
from tortoise.migrations.operations import RunPython

from brands.tables.migrations._both import remade

COLUMNS = "id, brand_id, terms, effective_from, published_at, epoch, client"

TERMS = """
    id              {uuid} PRIMARY KEY,
    brand_id        {uuid} NOT NULL REFERENCES brands (id),
    terms           {text} NOT NULL,
    effective_from  {integer} NOT NULL,
    published_at    {integer} NOT NULL,
    epoch           {integer} NOT NULL,
    client          {text} NOT NULL
"""


async def _let_instants_meet(_: Any, editor: Any) -> None:
    if editor.DIALECT == "postgres":
        await editor.client.execute_script(
            "ALTER TABLE program_terms"
            " DROP CONSTRAINT IF EXISTS program_terms_brand_id_effective_from_key"
        )
    else:
        await remade(editor, "program_terms", TERMS, COLUMNS)


class Migration(TortoiseMigration):
    """What a brand has laid down, and has laid down otherwise since."""

    dependencies = [("brands", "m0014_travel_indexes")]
    operations = [RunPython(_let_instants_meet)]
