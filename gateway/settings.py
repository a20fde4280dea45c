"""Settings: read once from the environment, frozen, and loud about what makes no sense.

| variable | meaning, and default |
| --- | --- |
| `COALITION_DATABASE` | URL of the database; `sqlite:///var/coalition.db` |
| `COALITION_PEPPER` | the key under which API keys are hashed, 16 characters at least; beside an |
| | SQLite database one is made and kept, with PostgreSQL it is required |
| `COALITION_HOST`, `COALITION_PORT` | where to listen; 127.0.0.1, 8000 |
| `COALITION_LANES` | how many writers work on the books at once; the database's own default |
| `COALITION_GRAPHIQL` | whether GraphiQL is served at `/`; yes |
| `COALITION_PUBLIC_INTROSPECTION` | whether the schema is shown without a credential; no |
| `COALITION_WORKER` | whether the gateway does the worker's work as well; yes |
| `COALITION_MAX_BODY` | the longest request body, in bytes; 1048576 |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe

from brands.database import target_of

PREFIX = "COALITION_"
KNOWN = {
    "DATABASE",
    "PEPPER",
    "HOST",
    "PORT",
    "LANES",
    "GRAPHIQL",
    "PUBLIC_INTROSPECTION",
    "WORKER",
    "MAX_BODY",
}
TESTS = "COALITION_TEST_"
DEFAULT_DATABASE = "sqlite:///var/coalition.db"
PEPPER_LENGTH = 16

_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


class BadSetting(ValueError):
    """A setting that makes no sense. The message names the variable, never a secret's value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one process runs."""

    database: str
    pepper: bytes = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    lanes: int | None = None
    graphiql: bool = True
    public_introspection: bool = False
    worker: bool = True
    max_body: int = 1_048_576


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment gives. Raises `BadSetting`.

    A variable of ours that nobody knows is refused too: it is a misspelt one.
    """
    env = os.environ if environment is None else environment
    ours = {name.removeprefix(PREFIX) for name in env if _is_ours(name)}
    if unknown := sorted(ours - KNOWN):
        raise BadSetting(f"There is no setting {PREFIX}{unknown[0]}.")
    database = env.get("COALITION_DATABASE", DEFAULT_DATABASE)
    try:
        target_of(database)
    except ValueError as error:
        raise BadSetting(f"COALITION_DATABASE: {error}") from None
    lanes = env.get("COALITION_LANES")
    return Settings(
        database=database,
        pepper=_pepper(env.get("COALITION_PEPPER"), database),
        host=env.get("COALITION_HOST", "127.0.0.1"),
        port=_number("COALITION_PORT", env.get("COALITION_PORT", "8000"), 1, 65_535),
        lanes=None if lanes is None else _number("COALITION_LANES", lanes, 1, 1_024),
        graphiql=_flag(env, "COALITION_GRAPHIQL", default=True),
        public_introspection=_flag(env, "COALITION_PUBLIC_INTROSPECTION", default=False),
        worker=_flag(env, "COALITION_WORKER", default=True),
        max_body=_number(
            "COALITION_MAX_BODY", env.get("COALITION_MAX_BODY", "1048576"), 1_024, 2**30
        ),
    )


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and not name.startswith(TESTS)


def _number(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise BadSetting(f"{name} is a whole number between {least} and {most}.")
    return int(text)


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name, "").lower()
    if text and text not in _YES | _NO:
        raise BadSetting(f"{name} is yes or no.")
    return text in _YES if text else default


def _pepper(given: str | None, database: str) -> bytes:
    if given is not None:
        if len(given) < PEPPER_LENGTH:
            raise BadSetting(f"COALITION_PEPPER has at least {PEPPER_LENGTH} characters.")
        return given.encode()
    path = target_of(database).sqlite_path
    if path is None:
        raise BadSetting("COALITION_PEPPER is required with PostgreSQL.")
    return _pepper_beside(Path(path))


def _pepper_beside(database: Path) -> bytes:
    """The pepper kept beside an embedded database, made when there is none yet."""
    path = database.with_name(database.name + ".pepper")
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        made.touch(mode=0o600)
        made.write_text(token_urlsafe(32))
        try:
            # A link, unlike a write, is there whole or not at all, and never replaces another's.
            path.hardlink_to(made)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text().encode()
