"""The command line: `coalition`, or `python -m gateway`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from brands.ledger.audit import LAWS, audit
from gateway import console, serving
from gateway.commands.agency import agency
from gateway.commands.imports import imports
from gateway.commands.keys import keys
from gateway.commands.rules import rules
from gateway.demo import coalition as demo
from gateway.demo.keys import keys_file
from gateway.founding import Founding, prepare_database
from gateway.running import opened, run
from gateway.settings import read_settings
from gateway.web.error_page import error_page
from gateway.working import work
from schema.root import SCHEMA

app = typer.Typer(
    name="coalition",
    help="A GraphQL gateway for multi-brand coalition loyalty programs. Settings come from the "
    "environment: COALITION_DATABASE, COALITION_PEPPER, COALITION_HOST, COALITION_PORT and more.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
schema = typer.Typer(help="The GraphQL schema.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(agency, name="agency")
app.add_typer(imports, name="import")
app.add_typer(keys, name="keys")
app.add_typer(rules, name="rules")
app.add_typer(schema, name="schema")


@app.command()
def serve(
    with_demo: Annotated[
        bool, typer.Option("--demo", help="Prepare the demo coalition first.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Where to listen.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Which port; 0 for any free one.")
    ] = None,
) -> None:
    """Serve the gateway until told to stop; requests under way are finished."""
    run(serving.serve(with_demo=with_demo, host=host, port=port))


@app.command()
def migrate(
    name: Annotated[str | None, typer.Option(help="What the coalition is called.")] = None,
    currency: Annotated[
        str | None, typer.Option(help="Its settlement currency (ISO 4217), for ever; else USD.")
    ] = None,
    minor_digits: Annotated[
        int | None, typer.Option(min=0, max=4, help="The currency's decimals, for ever.")
    ] = None,
    books: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_024, help="How many books, for ever; else 1 on SQLite, 16 on PostgreSQL."
        ),
    ] = None,
) -> None:
    """Bring the database to the newest schema, and found the coalition if there is none.

    Safe to run twice, and by several processes at once.
    """
    run(_migrate(Founding(name, currency, minor_digits, books)))


async def _migrate(asked: Founding) -> None:
    founded = await prepare_database(
        read_settings().database, asked, lambda step: console.note(f"applied {step}")
    )
    console.say(founded)


@app.command(name="demo")
def prepare_demo() -> None:
    """Prepare the demo coalition: five brands, members, and real purchases at one of the brands."""
    run(_demo())


async def _demo() -> None:
    settings = read_settings()
    await demo.prepare(settings)
    console.say(f"The demo is ready; its credentials are in {keys_file(settings.database)}.")


@app.command(name="audit")
def audit_books() -> None:
    """Check every law of the books; name what breaks one, with an exit status of 1."""
    if run(_audit()):
        raise typer.Exit(1)


async def _audit() -> int:
    """Prints what is broken; how much that is."""
    async with opened(read_settings()) as coalition:
        with console.progress("Checking the laws of the books", len(LAWS), unit="laws") as advance:
            seen = 0

            def report(_: str, done: int, __: int) -> None:
                nonlocal seen
                advance(done - seen)
                seen = done

            findings = await audit(coalition.database, report)
    for finding in findings:
        console.say(f"broken: {finding.law}: {finding.where}")
    laws = len({finding.law for finding in findings})
    console.say(
        f"{laws} of {len(LAWS)} laws are broken." if findings else f"All {len(LAWS)} laws hold."
    )
    return len(findings)


@app.command()
def worker() -> None:
    """Do what falls due by itself (revaluations, expiries), again and again, until told to stop."""
    run(work())


@schema.command()
def export(
    output: Annotated[Path | None, typer.Option(help="A file, rather than the screen.")] = None,
    subgraph: Annotated[
        bool, typer.Option("--subgraph", help="As a router needs it, with federation's directives.")
    ] = False,
) -> None:
    """Print the schema in GraphQL's schema definition language."""
    run(_print(SCHEMA.subgraph_sdl if subgraph else SCHEMA.as_str(), output))


@schema.command()
def errors(
    output: Annotated[Path | None, typer.Option(help="A file, rather than the screen.")] = None,
) -> None:
    """Print the page of every error code, in Markdown."""
    run(_print(error_page(SCHEMA._schema), output))


async def _print(text: str, output: Path | None) -> None:
    if output is None:
        console.say(text)
    else:
        await asyncio.to_thread(output.write_text, text + "\n")
