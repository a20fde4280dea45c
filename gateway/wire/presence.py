"""How long a request is worked on: so many seconds, and no longer than its client is there.

Most requests are answered before anybody would look: only of those that take longer the connection
is watched.
"""

import asyncio
from types import TracebackType

from starlette.types import Receive

from gateway.graphql import masking
from gateway.graphql.requests import Refused

WATCHED_AFTER_SECONDS = 0.5

RETRY_SECONDS = 5
"""After how long what took too long may be tried again."""


class Gone(Exception):
    """The client has closed the connection."""


class Bounded:
    """Ends what is done within the block: when time is up, with `Refused` (503), and when the
    client goes, with `Gone`. What the books were given they carry out.

    With `receive` the connection is watched: whatever the client sent has been read by then.
    """

    def __init__(self, seconds: float, receive: Receive | None = None) -> None:
        self._seconds = seconds
        self._receive = receive
        self._time = asyncio.timeout(seconds)
        self._later: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self._is_gone = False

    async def __aenter__(self) -> None:
        await self._time.__aenter__()
        if self._receive is not None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(WATCHED_AFTER_SECONDS, self._watch, self._receive)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._later is not None:
            self._later.cancel()
        if self._watching is not None:
            self._watching.cancel()
        try:
            await self._time.__aexit__(kind, raised, trace)
        except TimeoutError:
            raise (Gone() if self._is_gone else _late(self._seconds)) from None

    def _watch(self, receive: Receive) -> None:
        self._watching = asyncio.create_task(self._until_gone(receive))

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True
        self._time.reschedule(asyncio.get_running_loop().time())


def _late(seconds: float) -> Refused:
    return Refused(
        503,
        f"This took longer than {seconds:g} s and was given up. What a mutation did is not known: "
        "send the same again, with the same idempotency key.",
        masking.TIMEOUT,
        {"retry-after": str(RETRY_SECONDS)},
    )
