"""The issuers of members' tokens that a deployment trusts, as its file says.

The file is TOML, a table `[[issuer]]` for each:

    [[issuer]]
    issuer = "https://login.coalition.example"    # what `iss` says
    audience = "coalition"                        # what `aud` says, or has among others
    member = "coalitionNumber"                    # what names the member: or externalId, or id
    member_claim = "sub"                          # the claim that says it; "sub" if left out
    algorithms = ["ES256"]                        # RS256, ES256 and EdDSA if left out
    jwks_uri = "https://login.coalition.example/keys"  # else it is looked up at the issuer
    brand = "AERO"                                # for a brand's own issuer: the brand's code
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""Signatures that only the holder of a private key can make: no other can be allowed."""

DEFAULT_ALGORITHMS = ("RS256", "ES256", "EdDSA")
MAX_TEXT = 200

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class BadIssuers(ValueError):
    """The file makes no sense. The message says where."""


class MemberName(StrEnum):
    """What an issuer's tokens name a member by."""

    COALITION_NUMBER = "coalitionNumber"
    EXTERNAL_ID = "externalId"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer. External ids are the brand's, or the operator's where there is no brand."""

    issuer: str
    audience: str
    member: MemberName
    member_claim: str = "sub"
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    jwks_uri: str | None = None
    brand: str | None = None


def read_issuers(content: bytes) -> tuple[Issuer, ...]:
    """The issuers that a file lists. Raises `BadIssuers`."""
    try:
        tables = tomllib.loads(content.decode()).pop("issuer")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadIssuers(f"this is no TOML: {error}") from None
    except KeyError:
        raise BadIssuers("there is no [[issuer]]") from None
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadIssuers("issuers are written as [[issuer]]")
    issuers = []
    for place, table in enumerate(tables, 1):
        try:
            issuers.append(_issuer(table))
        except BadIssuers as error:
            raise BadIssuers(f"issuer {place}: {error}") from None
    names = [issuer.issuer for issuer in issuers]
    if len(set(names)) != len(names):
        raise BadIssuers("an issuer is listed twice")
    return tuple(issuers)


def is_loopback(url: str) -> bool:
    """Whether a place is on this machine itself."""
    return urlsplit(url).hostname in _LOOPBACK


def is_safe_url(url: str) -> bool:
    """Whether keys can be fetched from a place: by https, or from this machine itself."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018, which raises where it is none
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.fragment or not url.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _issuer(table: dict[str, Any]) -> Issuer:
    known = set(Issuer.__dataclass_fields__)
    if unknown := sorted(set(table) - known):
        raise BadIssuers(f"there is no {unknown[0]!r}")
    issuer, jwks_uri = _text(table, "issuer"), _optional_text(table, "jwks_uri")
    for url in (issuer, *([jwks_uri] if jwks_uri else ())):
        if not is_safe_url(url):
            raise BadIssuers(f"{url!r} is no https URL")
    member = _text(table, "member")
    if member not in set(MemberName):
        raise BadIssuers(f"`member` is one of {', '.join(MemberName)}")
    return Issuer(
        issuer=issuer,
        audience=_text(table, "audience"),
        member=MemberName(member),
        member_claim=_optional_text(table, "member_claim") or "sub",
        algorithms=_algorithms(table.get("algorithms", list(DEFAULT_ALGORITHMS))),
        jwks_uri=jwks_uri,
        brand=_optional_text(table, "brand"),
    )


def _algorithms(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given:
        raise BadIssuers("`algorithms` is a list of names")
    for name in given:
        if name not in ALGORITHMS:
            raise BadIssuers(f"{name!r} is none of {', '.join(ALGORITHMS)}")
    return tuple(given)


def _text(table: dict[str, Any], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
        raise BadIssuers(f"`{name}` is a text of 1 to {MAX_TEXT} characters")
    return value


def _optional_text(table: dict[str, Any], name: str) -> str | None:
    return _text(table, name) if name in table else None
