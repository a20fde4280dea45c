"""From the `Authorization` header to a caller, or to a refusal."""

import re
from dataclasses import replace

from brands.callers import Caller
from brands.coalition import Coalition
from brands.credentials import authenticate
from gateway import masking
from gateway.requests import Refused

_BEARER = re.compile(rb"[Bb]earer +([A-Za-z0-9._~+/=-]{1,512})")
_CHALLENGE = {"www-authenticate": 'Bearer realm="coalition"'}


def bearer_token(header: bytes | None) -> str | None:
    """The token of an `Authorization` header; None without such a header.

    Raises `Refused` with 401 for a header of any other form.
    """
    if header is None:
        return None
    match = _BEARER.fullmatch(header.strip())
    if match is None:
        raise unauthenticated()
    return match[1].decode("ascii")


async def caller_of(
    coalition: Coalition, token: str | None, pepper: bytes, request_id: str
) -> Caller:
    """Whoever holds this token. Raises `Refused` with 401: no token, unknown, revoked, expired,
    all in the same words."""
    caller = None if token is None else await authenticate(coalition, token, pepper)
    if caller is None:
        raise unauthenticated()
    return replace(caller, request_id=request_id)


def unauthenticated() -> Refused:
    """The one answer to every credential that is missing or no good."""
    return Refused(
        401,
        "A valid credential is required: Authorization: Bearer …",
        masking.UNAUTHENTICATED,
        _CHALLENGE,
    )
