"""From the `Authorization` header to a caller, or to a refusal."""

import asyncio
import re

from brands.authentication import authenticate, authenticate_member, key_id_of
from brands.callers import Caller
from brands.clock import now
from brands.coalition import Coalition
from brands.credentials import note_use
from brands.database import OUT_OF_REACH
from gateway.callers.member_tokens import MemberTokens, NotVouched
from gateway.graphql import masking
from gateway.graphql.requests import Refused, unauthenticated
from gateway.logs import logger, traces
from gateway.settings import Settings

_BEARER = re.compile(rb"[Bb]earer +([A-Za-z0-9._~+/=-]{1,8192})")
_OURS = ("ck_", "ct_")
"""How our own tokens begin; any other could only be an issuer's."""

UNAVAILABLE = 503
RETRY_SECONDS = 5

NOTED_EVERY_SECONDS = 60.0


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


def _not_known() -> Refused:
    return Refused(
        UNAVAILABLE,
        "Whether the credential is good cannot be found out at the moment.",
        masking.UNAVAILABLE,
        {"retry-after": str(RETRY_SECONDS)},
    )


class Gate:
    """Lets callers in. `coalition` is set while the application is up."""

    def __init__(self, settings: Settings, members: MemberTokens) -> None:
        self.coalition: Coalition | None = None
        self.keys = KeysInUse()
        self._settings = settings
        self._members = members

    async def admit(self, authorization: bytes | None, request_id: str) -> Caller | None:
        """Whoever holds the token of an `Authorization` header; None for somebody without one,
        where a deployment shows its schema to everybody.

        Raises `Refused` with 401: no token, unknown, revoked, expired, all in the same words; and
        with 503 where the database does not say in time which.
        """
        token = bearer_token(authorization)
        if token is None:
            if self._settings.public_introspection:
                return None
            raise unauthenticated()
        assert self.coalition is not None
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await self._holder(self.coalition, token, request_id)
        except OUT_OF_REACH as error:
            logger().error("caller not known", request_id=request_id, error=traces(error))
            raise _not_known() from None

    async def _holder(self, coalition: Coalition, token: str, request_id: str) -> Caller:
        if not token.startswith(_OURS):
            return await self._member(coalition, token, request_id)
        caller = await authenticate(coalition, token, self._settings.pepper, request_id=request_id)
        if caller is None:
            raise unauthenticated()
        self.keys.note(token)
        return caller

    async def _member(self, coalition: Coalition, token: str, request_id: str) -> Caller:
        try:
            vouched = await self._members.read(token)
            caller = await authenticate_member(coalition, vouched, request_id=request_id)
            if caller is None:
                raise NotVouched("its issuer speaks for no such member")
        except NotVouched as reason:
            logger().info("member token refused", request_id=request_id, reason=str(reason))
            raise unauthenticated() from None
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
        if not used:
            return
        try:
            await note_use(coalition, used, now())
        except Exception:
            self._used |= used  # and once more the next time
            raise

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
