"""API keys. A token is `ck_<kind>_<id>.<secret>`; only a keyed hash of it is stored.

The key of the hash, the *pepper*, is the deployment's and not in the database: whoever reads the
table can neither use a key nor try one. Two keys of a client can live at a time, so that it can
change from one to the next without a pause.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex, token_urlsafe
from uuid import UUID

from brands import bounds
from brands.actions import Action, record
from brands.agencies import agency_of_code
from brands.callers import Caller, CallerKind
from brands.clock import Micros, from_micros, now_micros, to_micros
from brands.coalition import Coalition
from brands.database import Row, Transaction, as_uuid
from brands.errors import (
    CredentialNotFound,
    InvalidInput,
    MemberNotFound,
    NotPermitted,
    TooManyKeys,
)
from brands.ids import book_of

LIVE_KEYS = 2
"""Keys of one client that are neither revoked nor expired, at most."""

SCOPES = {CallerKind.OPERATOR: frozenset({"pii"})}
"""The scopes that a key of each kind can have. `pii`: personal data may be read."""

LETTERS = {kind: kind.value[0].lower() for kind in CallerKind}
KEY_TOKEN = re.compile(r"ck_(?P<letter>[obam])_(?P<id>[0-9a-f]{16})\.(?P<secret>[A-Za-z0-9_-]{43})")
_ID_BYTES = 8
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made. A BRAND key names its brand by code, an AGENCY key its agency, a MEMBER
    key its member.

    `name` says what will use it (`pos`, `webshop`): keys of one name and one owner are one
    client, with one namespace of idempotency keys.
    """

    kind: CallerKind
    name: str
    brand_code: str | None = None
    member_id: UUID | None = None
    scopes: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    agency_code: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; not its secret. An AGENCY key made long ago has no agency."""

    id: str
    kind: CallerKind
    name: str
    client: str
    brand_id: UUID | None
    member_id: UUID | None
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    agency_id: UUID | None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key, and the one sight of its token."""

    key: Key
    token: str


async def create_key(
    coalition: Coalition, caller: Caller, new: NewKey, pepper: bytes
) -> CreatedKey:
    """Makes a key. For the operator; a scope can be given by who has it.

    Raises `NotPermitted`, `InvalidInput`, `BrandNotFound`, `MemberNotFound`, `AgencyNotFound`,
    `TooManyKeys`.
    """
    caller.require_operator()
    name = _checked_name(new)
    if not new.scopes <= caller.scopes:
        raise NotPermitted(path="scopes")
    id, secret = token_hex(_ID_BYTES), token_urlsafe(_SECRET_BYTES)
    brand_id = None
    if new.brand_code is not None:
        brand_id = coalition.registry.snapshot.brand(new.brand_code, path="brand").id
    lock = "" if coalition.database.is_sqlite else " FOR NO KEY UPDATE"
    async with coalition.database.transaction() as tx:
        # One at a time: two that count the live keys at once would each find room for its own.
        await tx.fetch(f"SELECT id FROM coalition WHERE id = 1{lock}")
        now = await tx.now()
        agency_id = None
        if new.agency_code is not None:
            agency_id = (await agency_of_code(tx, new.agency_code, path="agency")).id
        client = _client(new, name, brand_id or new.member_id or agency_id)
        await _check_room(tx, new, client, now)
        rows = await tx.fetch(
            "INSERT INTO credentials (id, kind, name, client, brand_id, member_id, agency_id,"
            " secret_hash, scopes, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *",
            *(id, new.kind.value, name, client, brand_id, new.member_id, agency_id),
            *(hash_of(pepper, id, secret), " ".join(sorted(new.scopes)), now),
            None if new.expires_at is None else to_micros(new.expires_at),
        )
        details = {"kind": new.kind, "client": client, "scopes": sorted(new.scopes)}
        await record(tx, caller, now, [Action("key.create", id, details)])
    return CreatedKey(_key(rows[0]), f"ck_{LETTERS[new.kind]}_{id}.{secret}")


async def list_keys(coalition: Coalition, caller: Caller) -> list[Key]:
    """Every key there ever was, the oldest first. For the operator. Raises `NotPermitted`."""
    caller.require_operator()
    rows = await coalition.database.fetch("SELECT * FROM credentials ORDER BY created_at, id")
    return [_key(row) for row in rows]


async def revoke_key(coalition: Coalition, caller: Caller, key_id: str) -> Key:
    """Ends a key, from the next request on. Doing so again changes nothing.

    For the operator. Raises `NotPermitted`, `CredentialNotFound`.
    """
    caller.require_operator()
    if not bounds.is_storable(key_id):
        raise CredentialNotFound
    async with coalition.database.transaction() as tx:
        now = await tx.now()
        revoked = await tx.fetch(
            "UPDATE credentials SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"
            " RETURNING id",
            *(key_id, now),
        )
        if revoked:
            await record(tx, caller, now, [Action("key.revoke", key_id, {})])
        rows = await tx.fetch("SELECT * FROM credentials WHERE id = $1", key_id)
    if not rows:
        raise CredentialNotFound(name=key_id[:64])
    return _key(rows[0])


async def note_use(coalition: Coalition, key_ids: Iterable[str], at: datetime) -> None:
    """Writes down when keys were last used. For the gateway to call now and then, with all that
    were used since: not per request, which would turn every read into a write."""
    await coalition.database.fetch(
        "UPDATE credentials SET last_used_at = $2 WHERE id = ANY($1)"
        " AND (last_used_at IS NULL OR last_used_at < $2)",
        *(list(key_ids), to_micros(at)),
    )


def hash_of(pepper: bytes, id: str, secret: str) -> bytes:
    """What is stored of a key."""
    return hmac.digest(pepper, f"{id}.{secret}".encode(), "sha256")


def is_live(row: Row, now: Micros) -> bool:
    """Whether a key is neither revoked nor expired."""
    return row["revoked_at"] is None and (row["expires_at"] is None or now < row["expires_at"])


def _checked_name(new: NewKey) -> str:
    """The name of a key, all of which is in due form."""
    name = bounds.text(new.name, "name", bounds.MAX_NAME)
    if (new.kind is CallerKind.BRAND) != (new.brand_code is not None):
        raise InvalidInput(path="brand", reason="A BRAND key names its brand; no other key does.")
    if (new.kind is CallerKind.MEMBER) != (new.member_id is not None):
        raise InvalidInput(
            path="member", reason="A MEMBER key names its member; no other key does."
        )
    if (new.kind is CallerKind.AGENCY) != (new.agency_code is not None):
        raise InvalidInput(
            path="agency", reason="An AGENCY key names its agency; no other key does."
        )
    if not new.scopes <= SCOPES.get(new.kind, frozenset()):
        raise InvalidInput(path="scopes", reason=f"{new.kind} keys cannot have that scope.")
    if new.expires_at is not None and (
        new.expires_at.tzinfo is None or to_micros(new.expires_at) <= now_micros()
    ):
        raise InvalidInput(path="expiresAt", reason="A key expires in the future.")
    return name


async def _check_room(tx: Transaction, new: NewKey, client: str, now: Micros) -> None:
    if new.member_id is not None and not await tx.fetch(
        "SELECT id FROM members WHERE book = $1 AND id = $2",
        *(book_of(new.member_id), new.member_id),
    ):
        raise MemberNotFound(path="member", name=str(new.member_id))
    live = await tx.fetch(
        "SELECT id FROM credentials WHERE client = $1 AND revoked_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > $2)",
        *(client, now),
    )
    if len(live) >= LIVE_KEYS:
        raise TooManyKeys(path="name", limit=LIVE_KEYS)


def _client(new: NewKey, name: str, owner: UUID | None) -> str:
    """The client that a key belongs to. Its owner is part of it, so that no two owners share one
    namespace of idempotency keys, whatever they call their keys."""
    parts = (new.kind.value.lower(), owner, name)
    return "/".join(str(part) for part in parts if part is not None)


def _optional_uuid(value: UUID | str | None) -> UUID | None:
    return None if value is None else as_uuid(value)


def _optional_instant(value: Micros | None) -> datetime | None:
    return None if value is None else from_micros(value)


def _key(row: Row) -> Key:
    return Key(
        id=row["id"],
        kind=CallerKind(row["kind"]),
        name=row["name"],
        client=row["client"],
        brand_id=_optional_uuid(row["brand_id"]),
        member_id=_optional_uuid(row["member_id"]),
        scopes=frozenset(row["scopes"].split()),
        created_at=from_micros(row["created_at"]),
        expires_at=_optional_instant(row["expires_at"]),
        revoked_at=_optional_instant(row["revoked_at"]),
        last_used_at=_optional_instant(row["last_used_at"]),
        agency_id=_optional_uuid(row["agency_id"]),
    )
