"""Running one command: its event loop, and one clear line for whatever goes wrong."""

import gc
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import typer
import uvloop
from tortoise.exceptions import BaseORMException

from brands.coalition import Coalition, FoundedOtherwise, NotFounded, open_coalition
from brands.database import is_migrated, open_database, target_of
from brands.errors import DomainError
from brands.ledger.writer import Lane
from gateway import console
from gateway.files.purchase_file import FileRefused
from gateway.settings import BadSetting, Settings

Result = TypeVar("Result")

INTERRUPTED = 130
"""The exit status of what was interrupted from the keyboard, as shells have it."""

_GARBAGE_THRESHOLDS = (50_000, 20, 100)


class Failure(Exception):
    """The command cannot do what it was asked; the text says why, in one line."""


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs a command's work to its end and returns its result.

    Whatever it raises becomes one line on standard error and an exit status of 1.
    """
    quicken()
    try:
        return uvloop.run(work)
    except KeyboardInterrupt:
        console.fail("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        console.fail(told(error))
        raise typer.Exit(1) from None


def quicken() -> None:
    """Spares the garbage collector what lives as long as the process (the code, above all), and
    lets it look less often at the rest: books are made of many small objects without cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def told(error: BaseException) -> str:
    """What went wrong, in one line."""
    match error:
        case DomainError():
            return error.message
        case Failure() | FileRefused() | BadSetting() | FoundedOtherwise():
            return _one_line(error)
        case NotFounded():
            return "there is no coalition in this database; `coalition migrate` founds one"
        case OSError(filename=str() | Path() as name, strerror=str() as why):
            return f"{name}: {why}"
        case sqlite3.Error() | asyncpg.PostgresError() | BaseORMException():
            return f"the database: {_one_line(error)}"
        case OSError(strerror=str() as why):
            return why
        case asyncpg.InterfaceError() | OSError():
            return _one_line(error)
    return f"unexpected {type(error).__name__}: {_one_line(error)}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@asynccontextmanager
async def opened(
    settings: Settings, *, watched: Callable[[Lane], Lane] = lambda lane: lane
) -> AsyncIterator[Coalition]:
    """The coalition that the settings name, open. Raises `Failure` where it was never prepared."""
    await check_prepared(settings.database)
    coalition = await open_coalition(settings.database, lanes=settings.lanes, watched=watched)
    try:
        yield coalition
    finally:
        await coalition.close()


async def check_prepared(url: str) -> None:
    """Raises `Failure` unless the database is there, with the newest schema and a coalition."""
    path = target_of(url).sqlite_path
    if path is not None and not _exists(path):
        raise Failure(f"there is no database {path}; `coalition migrate` makes one")
    check_file(url)
    database = await open_database(url, pool_size=1)
    try:
        await database.fetch("SELECT 1")  # the next question takes any failure for a no
        if not await is_migrated(database):
            raise Failure("the database has not the newest schema; run `coalition migrate`")
        if not await database.fetch("SELECT id FROM coalition"):
            raise NotFounded
    finally:
        await database.close()


def check_file(url: str) -> None:
    """Raises `Failure` if there is a file in the place of the embedded database that is none, or
    that cannot be opened. Nothing is made if there is no file yet."""
    path = target_of(url).sqlite_path
    if path is None or not _exists(path):
        return
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise Failure(f"{path}: {error}") from error


def _exists(path: str) -> bool:
    return Path(path).exists()
