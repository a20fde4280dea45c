"""From a credential to a caller: API keys, access tokens made of them, and members vouched for.

An API key is `ck_<kind>_<id>.<secret>`; only a keyed hash of it is stored. An access token is
`ct_<kind>_<id>.<expires>.<scopes>.<seal>`, made of a key for a quarter of an hour and stored
nowhere: its seal is keyed with the deployment's *pepper* and covers the key's hash, so that it ends
with its key. A member is vouched for by an issuer whose token the gateway has checked.

Each takes one statement, which also tells whether the registry has changed; it is read again if so.
While a brand or an agency is suspended, its credentials are nobody's.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from brands.agencies import AgencyStatus
from brands.bounds import MAX_EXTERNAL_ID, is_storable
from brands.callers import Caller, CallerKind
from brands.clock import now_micros
from brands.coalition import Coalition
from brands.credentials import KEY_TOKEN, LETTERS, hash_of, is_live
from brands.database import Row, as_uuid
from brands.errors import BrandNotFound, InvalidInput, NotPermitted
from brands.ids import book_of
from brands.members import OPERATOR_NAMESPACE, MemberBy
from brands.naming.numbers import MAX_NUMBER
from brands.registry import Brand, BrandStatus

ACCESS_SECONDS = 900
"""How long an access token is good for, at most; it ends with its key."""

_ACCESS_TOKEN = re.compile(
    r"(?P<said>ct_(?P<letter>[oba])_(?P<id>[0-9a-f]{16})\.(?P<expires>[0-9]{10})"
    r"\.(?P<scopes>[a-z+]*))\.(?P<seal>[A-Za-z0-9_-]{43})"
)
_ANY_TOKEN = re.compile(r"c[kt]_[obam]_(?P<id>[0-9a-f]{16})\..{1,200}")
_SEALS = b"coalition: access tokens, 1"
"""What the pepper is used for here, and nowhere else."""

_NO_HASH = bytes(32)

_KEY_ROW = (
    "SELECT c.epoch, k.id, k.kind, k.client, k.brand_id, k.member_id, k.agency_id, k.secret_hash,"
    " k.scopes, k.expires_at, k.revoked_at, a.status AS agency_status FROM coalition c"
    " LEFT JOIN credentials k ON k.id = $1 LEFT JOIN agencies a ON a.id = k.agency_id"
    " WHERE c.id = 1"
)
_MEMBER_ROW = "SELECT c.epoch, m.id FROM coalition c LEFT JOIN members m ON {} WHERE c.id = 1"
_AT_BRAND = (
    " AND EXISTS (SELECT 1 FROM memberships s WHERE s.book = m.book AND s.member_id = m.id"
    " AND s.brand_id = ${} AND s.status = 'ACTIVE')"
)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A new access token, and what it allows."""

    token: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Vouched:
    """A member, as an issuer names her. `brand` is the code of the brand whose issuer it is, and
    whose external ids it speaks of; None for the coalition's own."""

    issuer: str
    member: MemberBy
    brand: str | None = None


async def authenticate(
    coalition: Coalition, token: str, pepper: bytes, *, request_id: str = ""
) -> Caller | None:
    """Who holds this API key or access token; None if nobody does any more. Never says why not."""
    key = KEY_TOKEN.fullmatch(token)
    if key is not None:
        return await _holder_of_key(coalition, key, pepper, request_id)
    said = _ACCESS_TOKEN.fullmatch(token)
    if said is None:
        return None
    row = (await coalition.database.fetch(_KEY_ROW, said["id"]))[0]
    seal = _seal(pepper, said["said"], _stored_hash(row))
    if not hmac.compare_digest(seal, said["seal"]):
        return None
    if now_micros() >= int(said["expires"]) * 1_000_000:
        return None
    scopes = frozenset(said["scopes"].split("+")) if said["scopes"] else frozenset[str]()
    return await _caller(coalition, row, said["letter"], scopes, request_id)


def exchange(caller: Caller, key: str, pepper: bytes, scopes: frozenset[str] | None) -> AccessToken:
    """An access token for a caller who has just come with this API key. Without `scopes` it allows
    what the key does.

    Raises `NotPermitted` for a member, `InvalidInput` for a scope that the key has not.
    """
    parts = KEY_TOKEN.fullmatch(key)
    assert parts is not None
    if caller.kind is CallerKind.MEMBER:
        raise NotPermitted
    wanted = caller.scopes if scopes is None else scopes
    if not wanted <= caller.scopes:
        raise InvalidInput(path="scope", reason="This client does not have that scope.")
    expires = now_micros() // 1_000_000 + ACCESS_SECONDS
    said = f"ct_{parts['letter']}_{parts['id']}.{expires}.{'+'.join(sorted(wanted))}"
    seal = _seal(pepper, said, hash_of(pepper, parts["id"], parts["secret"]))
    return AccessToken(f"{said}.{seal}", wanted)


def is_key(text: str) -> bool:
    """Whether a text could be an API key."""
    return KEY_TOKEN.fullmatch(text) is not None


async def authenticate_member(
    coalition: Coalition, vouched: Vouched, *, request_id: str = ""
) -> Caller | None:
    """The member whom an issuer vouches for; None if there is none that it may speak for.

    A brand's issuer speaks for those who have an open membership at the brand.
    """
    brand = None
    if vouched.brand is not None:
        brand = await _brand(coalition, vouched.brand)
        if brand is None:
            return None
    named = _named(vouched.member, OPERATOR_NAMESPACE if brand is None else str(brand.id))
    if named is None:
        return None
    condition, values = named
    if brand is not None:
        values = (*values, brand.id)
        condition += _AT_BRAND.format(len(values))
    row = (await coalition.database.fetch(_MEMBER_ROW.format(condition), *values))[0]
    if row["id"] is None:
        return None
    snapshot = await coalition.registry.refresh(row["epoch"])
    if brand and snapshot.brand_by_id(brand.id).status is not BrandStatus.ACTIVE:
        return None
    member_id = as_uuid(row["id"])
    return Caller(
        kind=CallerKind.MEMBER,
        client=f"jwt/{member_id}/{vouched.issuer}",
        member_id=member_id,
        request_id=request_id,
    )


def key_id_of(token: str) -> str | None:
    """The id of the API key that a token is, or is made of: fit for a log. None for neither."""
    parts = _ANY_TOKEN.fullmatch(token)
    return None if parts is None else parts["id"]


async def _holder_of_key(
    coalition: Coalition, key: re.Match[str], pepper: bytes, request_id: str
) -> Caller | None:
    row = (await coalition.database.fetch(_KEY_ROW, key["id"]))[0]
    # An unknown id costs the same work as a known one.
    if not hmac.compare_digest(hash_of(pepper, key["id"], key["secret"]), _stored_hash(row)):
        return None
    scopes = frozenset(row["scopes"].split())
    return await _caller(coalition, row, key["letter"], scopes, request_id)


async def _caller(
    coalition: Coalition, row: Row, letter: str, scopes: frozenset[str], request_id: str
) -> Caller | None:
    """The caller of a key whose holder has proved to be that; None if the key is over."""
    kind = CallerKind(row["kind"])
    if letter != LETTERS[kind] or not is_live(row, now_micros()):
        return None
    if row["agency_status"] == AgencyStatus.SUSPENDED:
        return None
    snapshot = await coalition.registry.refresh(row["epoch"])
    brand_id = _optional_uuid(row["brand_id"])
    if brand_id and snapshot.brand_by_id(brand_id).status is not BrandStatus.ACTIVE:
        return None
    return Caller(
        kind=kind,
        client=row["client"],
        scopes=scopes,
        brand_id=brand_id,
        member_id=_optional_uuid(row["member_id"]),
        request_id=request_id,
        agency_id=_optional_uuid(row["agency_id"]),
    )


async def _brand(coalition: Coalition, code: str) -> Brand | None:
    """The brand of this code, be it ever so new."""
    try:
        return coalition.registry.snapshot.brand(code)
    except BrandNotFound:
        pass
    try:
        return (await coalition.registry.refresh()).brand(code)
    except BrandNotFound:
        return None


def _named(by: MemberBy, namespace: str) -> tuple[str, tuple[object, ...]] | None:
    """A condition on `members m` and its values; None where nobody could be so named."""
    if by.id is not None:
        return "m.book = $1 AND m.id = $2", (book_of(by.id), by.id)
    if by.coalition_number is not None and _could_be(by.coalition_number, MAX_NUMBER):
        return "m.coalition_number = $1", (by.coalition_number,)
    if by.external_id is not None and _could_be(by.external_id, MAX_EXTERNAL_ID):
        return "m.external_owner = $1 AND m.external_id = $2", (namespace, by.external_id)
    return None


def _could_be(text: str, maximum: int) -> bool:
    return len(text) <= maximum and is_storable(text)


def _stored_hash(row: Row) -> bytes:
    return _NO_HASH if row["id"] is None else bytes(row["secret_hash"])


def _seal(pepper: bytes, said: str, secret_hash: bytes) -> str:
    key = hmac.digest(pepper, _SEALS, "sha256")
    seal = hmac.digest(key, said.encode() + secret_hash, "sha256")
    return urlsafe_b64encode(seal).decode("ascii").rstrip("=")


def _optional_uuid(value: UUID | str | None) -> UUID | None:
    return None if value is None else as_uuid(value)
