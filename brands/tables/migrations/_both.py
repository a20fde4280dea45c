"""One text of SQL for both databases: the few words in which they differ are filled in here."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tortoise.migrations.operations import RunPython

POSTGRES: Final[Mapping[str, str]] = {
    "uuid": "uuid",
    "bytes": "bytea",
    "integer": "bigint",
    "small": "smallint",
    "text": "text",
    "strict": "",
    "roomy": "WITH (fillfactor = 70)",
    "bytewise": 'COLLATE "C"',
    "as_json": "::jsonb",
    "computed": "STORED",
}
"""`bytewise` compares text without asking a language. `roomy` leaves space in each page, so that an
update of an unindexed column stays in it (HOT)."""

SQLITE: Final[Mapping[str, str]] = {
    "uuid": "text",
    "bytes": "blob",
    "integer": "integer",
    "small": "integer",
    "text": "text",
    "strict": "STRICT",
    "roomy": "STRICT",
    "bytewise": "",
    "as_json": "",
    "computed": "VIRTUAL",
}


def sql(statements: Sequence[str]) -> RunPython:
    """Runs each statement, its `{words}` filled in for the database at hand."""

    async def run(_: Any, editor: Any) -> None:
        words = POSTGRES if editor.DIALECT == "postgres" else SQLITE
        for statement in statements:
            await editor.client.execute_script(statement.format_map(words))

    return RunPython(run)


def add_column(table: str, column: str, definition: str) -> RunPython:
    """Adds a column, its `{words}` filled in, unless the table has it: SQLite has no words for
    that, and a migration that was interrupted is run again."""

    async def run(_: Any, editor: Any) -> None:
        is_postgres = editor.DIALECT == "postgres"
        _, found = await editor.client.execute_query(
            "SELECT 1 FROM pg_attribute"
            f" WHERE attrelid = '{table}'::regclass AND attname = '{column}' AND NOT attisdropped"
            if is_postgres
            else f"SELECT 1 FROM pragma_table_xinfo('{table}') WHERE name = '{column}'"
        )
        if not found:
            words = POSTGRES if is_postgres else SQLITE
            statement = f"ALTER TABLE {table} ADD COLUMN {column} {definition}"
            await editor.client.execute_script(statement.format_map(words))

    return RunPython(run)


async def remade(editor: Any, table: str, definition: str, columns: str) -> None:
    """Makes a table of SQLite anew by another definition, in one transaction, with the indexes and
    triggers that it had: there are no words there for changing a constraint."""
    _, kept = await editor.client.execute_query(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger')"
        " AND sql IS NOT NULL",
        [table],
    )
    statements = (
        "BEGIN IMMEDIATE",
        f"CREATE TABLE {table}_new ({definition}) {{strict}}".format_map(SQLITE),
        f"INSERT INTO {table}_new ({columns}) SELECT {columns} FROM {table}",
        f"DROP TABLE {table}",
        f"ALTER TABLE {table}_new RENAME TO {table}",
        *(row["sql"] for row in kept),
        "COMMIT",
    )
    await editor.client.execute_script(";\n".join(statements))


def postgres_only(statement: str) -> RunPython:
    """Runs a statement on PostgreSQL, and nothing on SQLite."""

    async def run(_: Any, editor: Any) -> None:
        if editor.DIALECT == "postgres":
            await editor.client.execute_script(statement)

    return RunPython(run)


def append_only(*tables: str) -> RunPython:
    """Triggers that refuse every UPDATE and DELETE (on PostgreSQL TRUNCATE too) of these tables."""

    async def run(_: Any, editor: Any) -> None:
        statements = _refusals_postgres if editor.DIALECT == "postgres" else _refusals_sqlite
        for table in tables:
            for statement in statements(table):
                await editor.client.execute_script(statement)

    return RunPython(run)


def _refusals_postgres(table: str) -> Sequence[str]:
    return (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation'; END $$",
        f"CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    )


def _refusals_sqlite(table: str) -> Sequence[str]:
    return tuple(
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    )
