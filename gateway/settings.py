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
| `COALITION_MAX_COST` | the most that one operation may cost; 5000 |
| `COALITION_RATE_OPERATOR`, `…_BRAND`, | what each client of a kind may spend: at most so much at |
| `…_AGENCY`, `…_MEMBER`, `…_ANONYMOUS` | once / so much more each second; 200000/50000, |
| | 100000/25000, 50000/2500, 10000/500, and for an address without a credential 1000/10 |
| `COALITION_TIMEOUT` | how long one operation may take, in seconds; 15 |
| `COALITION_DOCUMENTS` | a manifest of stored operations, to be sent by their ids; none |
| `COALITION_TRUSTED_ONLY` | whether nothing but those operations is run; no |
| `COALITION_ISSUERS` | a file that lists the issuers of members' tokens; none |
| `COALITION_MAX_STREAMS` | connections and subscriptions a client may have open in a process; |
| | 100 |
| `COALITION_DRAIN_SECONDS` | how long the gateway, told to stop, goes on answering while it says |
| | that it is not ready; 0 |
| `COALITION_PUBLIC_METRICS` | whether `/metrics` is shown to everybody; no: to operators |
| `COALITION_PROXIES` | addresses and networks whose `X-Forwarded-For` is believed, separated by |
| | commas; 127.0.0.1 |
| `COALITION_WORKER_PORT` | where `coalition worker` serves its metrics; nowhere |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from secrets import token_urlsafe

from brands.buckets import Rate
from brands.database import target_of
from gateway.issuers import BadIssuers, Issuer, read_issuers

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
    "MAX_COST",
    "RATE_OPERATOR",
    "RATE_BRAND",
    "RATE_AGENCY",
    "RATE_MEMBER",
    "RATE_ANONYMOUS",
    "TIMEOUT",
    "DOCUMENTS",
    "TRUSTED_ONLY",
    "ISSUERS",
    "MAX_STREAMS",
    "DRAIN_SECONDS",
    "PUBLIC_METRICS",
    "PROXIES",
    "WORKER_PORT",
}
TESTS = "COALITION_TEST_"
DEFAULT_DATABASE = "sqlite:///var/coalition.db"
PEPPER_LENGTH = 16

_RATES = {
    "OPERATOR": Rate(200_000, 50_000),
    "BRAND": Rate(100_000, 25_000),
    "AGENCY": Rate(50_000, 2_500),
    "MEMBER": Rate(10_000, 500),
    "ANONYMOUS": Rate(1_000, 10),
}
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
    max_cost: int = 5_000
    rate_operator: Rate = _RATES["OPERATOR"]
    rate_brand: Rate = _RATES["BRAND"]
    rate_agency: Rate = _RATES["AGENCY"]
    rate_member: Rate = _RATES["MEMBER"]
    rate_anonymous: Rate = _RATES["ANONYMOUS"]
    timeout: int = 15
    documents: str | None = None
    trusted_only: bool = False
    issuers: tuple[Issuer, ...] = ()
    max_streams: int = 100
    drain_seconds: int = 0
    public_metrics: bool = False
    proxies: str = "127.0.0.1"
    worker_port: int | None = None


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
    worker_port = env.get("COALITION_WORKER_PORT")
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
        max_cost=_number("COALITION_MAX_COST", env.get("COALITION_MAX_COST", "5000"), 100, 10**6),
        rate_operator=_rate(env, "OPERATOR"),
        rate_brand=_rate(env, "BRAND"),
        rate_agency=_rate(env, "AGENCY"),
        rate_member=_rate(env, "MEMBER"),
        rate_anonymous=_rate(env, "ANONYMOUS"),
        timeout=_number("COALITION_TIMEOUT", env.get("COALITION_TIMEOUT", "15"), 1, 600),
        documents=env.get("COALITION_DOCUMENTS") or None,
        trusted_only=_flag(env, "COALITION_TRUSTED_ONLY", default=False),
        issuers=_issuers(env.get("COALITION_ISSUERS")),
        max_streams=_number(
            "COALITION_MAX_STREAMS", env.get("COALITION_MAX_STREAMS", "100"), 1, 100_000
        ),
        drain_seconds=_number(
            "COALITION_DRAIN_SECONDS", env.get("COALITION_DRAIN_SECONDS", "0"), 0, 300
        ),
        public_metrics=_flag(env, "COALITION_PUBLIC_METRICS", default=False),
        proxies=_proxies(env.get("COALITION_PROXIES", "127.0.0.1")),
        worker_port=None
        if worker_port is None
        else _number("COALITION_WORKER_PORT", worker_port, 1, 65_535),
    )


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and not name.startswith(TESTS)


def _number(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise BadSetting(f"{name} is a whole number between {least} and {most}.")
    return int(text)


def _rate(env: Mapping[str, str], kind: str) -> Rate:
    name, default = f"{PREFIX}RATE_{kind}", _RATES[kind]
    maximum, slash, restore = env.get(name, f"{default.maximum}/{default.restore}").partition("/")
    if not slash:
        raise BadSetting(f"{name} is a maximum and what is restored each second: 10000/500.")
    return Rate(_number(name, maximum, 1, 10**9), _number(name, restore, 1, 10**9))


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name, "").lower()
    if text and text not in _YES | _NO:
        raise BadSetting(f"{name} is yes or no.")
    return text in _YES if text else default


def _issuers(path: str | None) -> tuple[Issuer, ...]:
    if not path:
        return ()
    try:
        return read_issuers(Path(path).read_bytes())
    except OSError as error:
        raise BadSetting(f"COALITION_ISSUERS: {path}: {error.strerror}") from None
    except BadIssuers as error:
        raise BadSetting(f"COALITION_ISSUERS: {path}: {error}") from None


def _proxies(text: str) -> str:
    for part in () if text == "*" else text.split(","):
        try:
            ip_network(part.strip())
        except ValueError:
            message = "COALITION_PROXIES lists addresses and networks, or is * for all."
            raise BadSetting(message) from None
    return text


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
