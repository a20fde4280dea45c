"""Members' tokens: JSON Web Tokens (RFC 7519) that a trusted issuer has signed.

The rules are those of RFC 8725: the issuer decides which algorithms and which keys are good, and
nothing that a token says of itself does. A token that was found good is remembered, so that its
signature is checked once; its times, its key and its member are looked at with every request.
"""

import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from brands.authentication import Vouched
from brands.members import MemberBy
from gateway.callers.issuer_keys import KeySource, SigningKey
from gateway.graphql.latest import Latest
from gateway.issuers import MAX_TEXT, Issuer, MemberName
from schema.nodes import Tag, read_global_id

SKEW_SECONDS = 60
"""By how much the clock of an issuer may be off."""

LIFETIME_SECONDS = 86_400
MAX_REMEMBERED = 10_000

_ENDLESS = 10**12

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_TYPES = {"jwt", "at+jwt", "application/jwt", "application/at+jwt"}


class NotVouched(Exception):
    """A token is no good. The text says why, for our log: clients are not told."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """An issuer, and where its keys come from."""

    issuer: Issuer
    keys: KeySource


@dataclass(frozen=True, slots=True)
class _Good:
    """A token that was found good: for whom, until when, by which key of whose."""

    vouched: Vouched
    begins: float
    ends: float
    key: SigningKey
    keys: KeySource


class MemberTokens:
    """Reads members' tokens of the issuers that are trusted."""

    def __init__(self, trusted: Iterable[Trusted], clock: Callable[[], float] = time.time) -> None:
        self._trusted = {each.issuer.issuer: each for each in trusted}
        self._clock = clock
        self._good: Latest[bytes, _Good] = Latest(MAX_REMEMBERED)

    async def read(self, token: str) -> Vouched:
        """The member for whom an issuer vouches by this token. Raises `NotVouched`."""
        digest = sha256(token.encode()).digest()
        good = self._good.get(digest)
        if good is None or not good.keys.holds(good.key):
            self._good.drop(digest)
            good = self._good.put(digest, await self._verify(token))
        if not good.begins <= self._clock() < good.ends:
            raise NotVouched("it has expired, or is not good yet")
        return good.vouched

    async def close(self) -> None:
        """Ends what the sources of keys are at."""
        for each in self._trusted.values():
            await each.keys.close()

    async def _verify(self, token: str) -> _Good:
        parts = _COMPACT.fullmatch(token)
        if parts is None:
            raise NotVouched("it is no signed JWT")
        header, claims = _object(parts[1]), _object(parts[2])
        trusted = self._trusted.get(_text(claims, "iss"))
        if trusted is None:
            raise NotVouched("its issuer is not trusted")
        issuer = trusted.issuer
        algorithm, key_id = _checked_header(header, issuer)
        begins, ends = self._times(claims)
        audience = claims.get("aud")
        if issuer.audience not in (audience if isinstance(audience, list) else [audience]):
            raise NotVouched("it is for another audience")
        vouched = Vouched(issuer.issuer, _member(claims, issuer), issuer.brand)
        key = await trusted.keys.find(key_id)
        if key is None:
            raise NotVouched("its key is not known")
        if not key.verifies(algorithm, token[: parts.end(2)].encode(), _bytes(parts[3])):
            raise NotVouched("its signature does not match")
        return _Good(vouched, begins, ends, key, trusted.keys)

    def _times(self, claims: Mapping[str, Any]) -> tuple[float, float]:
        """From when to when a token is good, by our clock."""
        now = self._clock()
        expires = _instant(claims, "exp")
        issued = _instant(claims, "iat") if "iat" in claims else now
        begins = max(_instant(claims, "nbf") if "nbf" in claims else issued, issued)
        if expires - issued > LIFETIME_SECONDS:
            raise NotVouched("it lives too long")
        begins, ends = begins - SKEW_SECONDS, expires + SKEW_SECONDS
        if not begins <= now < ends:
            raise NotVouched("it has expired, or is not good yet")
        return begins, ends


def _checked_header(header: Mapping[str, Any], issuer: Issuer) -> tuple[str, str]:
    """The algorithm and the id of the key. Where a key is to be had is not for the token to say."""
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
        raise NotVouched("its algorithm is not allowed")
    if "crit" in header or "cty" in header:
        raise NotVouched("it is of a kind that is not understood")
    if str(header.get("typ", "jwt")).lower() not in _TYPES:
        raise NotVouched("it is a token for something else")
    return algorithm, _text(header, "kid")


def _member(claims: Mapping[str, Any], issuer: Issuer) -> MemberBy:
    name = _text(claims, issuer.member_claim)
    match issuer.member:
        case MemberName.COALITION_NUMBER:
            return MemberBy(coalition_number=name)
        case MemberName.EXTERNAL_ID:
            return MemberBy(external_id=name)
        case MemberName.ID:
            identifier = read_global_id(name)
            if identifier is None or identifier.tag is not Tag.MEMBER:
                raise NotVouched("it names no member")
            return MemberBy(id=identifier.id)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
        raise NotVouched(f"it has no {name}")
    return value


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _ENDLESS:
        raise NotVouched(f"it has no {name}")
    return value


def _object(text: str) -> dict[str, Any]:
    """A JSON object in base64. None of its names may come twice: readers differ in which counts."""
    try:
        found = json.loads(_bytes(text), object_pairs_hook=_named_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NotVouched("it is no signed JWT") from None
    if not isinstance(found, dict):
        raise NotVouched("it is no signed JWT")
    return found


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(_: str) -> Any:
    raise ValueError("this is no JSON")


def _bytes(text: str) -> bytes:
    """What a text of base64url says, if it is written as it should be. Raises `NotVouched`."""
    try:
        found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise NotVouched("it is no signed JWT") from None
    if urlsafe_b64encode(found).decode("ascii").rstrip("=") != text:
        raise NotVouched("it is no signed JWT")
    return found
