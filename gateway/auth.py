"""From the `Authorization` header to a caller, or to a refusal."""

import asyncio
import re

from brands.callers import Caller
from brands.clock import now
from brands.coalition import Coalition
from brands.credentials import authenticate, key_id_of, note_use
from gateway import masking
from gateway.logs import logger, traces
from gateway.requests import Refused
from gateway.settings import Settings

_BEARER = re.compile(rb"[Bb]earer +([A-Za-z0-9._~+/=-]{1,512})")
NOTED_EVERY_SECONDS = 60.0
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


def unauthenticated() -> Refused:
    """The one answer to every credential that is missing or no good."""
    return Refused(
        401,
        "A valid credential is required: Authorization: Bearer …",
        masking.UNAUTHENTICATED,
        _CHALLENGE,
    )


class Gate:
    """Lets callers in. `coalition` is set while the application is up."""

    def __init__(self, settings: Settings) -> None:
        self.coalition: Coalition | None = None
        self.keys = KeysInUse()
        self._settings = settings

    async def admit(self, authorization: bytes | None, request_id: str) -> Caller | None:
        """Whoever holds the token of an `Authorization` header; None for somebody without one,
        where a deployment shows its schema to everybody.

        Raises `Refused` with 401: no token, unknown, revoked, expired, all in the same words.
        """
        assert self.coalition is not None
        token = bearer_token(authorization)
        if token is None:
            if self._settings.public_introspection:
                return None
            raise unauthenticated()
        caller = await authenticate(
            self.coalition, token, self._settings.pepper, request_id=request_id
        )
        if caller is None:
            raise unauthenticated()
        self.keys.note(token)
        return caller


class KeysInUse:
    """Which keys were used of late, written down now and then: not at every request, which would
    make a write of every read."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def note(self, token: str) -> None:
        """Notes that a key was used. The token is known to be good."""
        self._used.add(key_id_of(token) or "")

    async def write_down(self, coalition: Coalition) -> None:
        """Writes down what was used since the last time."""
        used, self._used = self._used, set()
        if used:
            await note_use(coalition, used, now())

    async def keep_writing(self, coalition: Coalition) -> None:
        """Does so every minute, until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(NOTED_EVERY_SECONDS)
                await self._try_to_write_down(coalition)
        finally:
            await self._try_to_write_down(coalition)

    async def _try_to_write_down(self, coalition: Coalition) -> None:
        try:
            await self.write_down(coalition)
        except Exception as error:
            logger().warning("last use of keys not written down", error=traces(error))
