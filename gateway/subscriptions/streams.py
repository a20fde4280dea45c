"""What is open for longer than one answer, in this process: event streams, WebSockets and the
subscriptions on them. It is counted, bounded per client, and ended when the process is to end.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from brands.callers import Caller
from gateway.callers.auth import Gate
from gateway.graphql import masking
from gateway.graphql.requests import UNAUTHORIZED, Refused

RECHECK_SECONDS = 30.0
"""How often a credential is looked at again while something is open that was opened with it."""

RETRY_SECONDS = 2.0
UNKNOWN_SECONDS = 120.0
"""While nobody can say whether a credential is good: how often it is tried again, and for how long
what was opened with it stays open."""

EVENT_STREAM, WEBSOCKET, SUBSCRIPTION = "event-stream", "websocket", "websocket-subscription"
"""What can be open: an event stream, a WebSocket, a subscription on one."""

Result = TypeVar("Result")


class Stream:
    """One thing that is open."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.ending = asyncio.Event()
        """Set when it has to end, for the process does."""


class Streams:
    """All that is open in one process: at most `most` for each client, connections and
    subscriptions counted alike."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[Stream] = set()
        self._by_client: Counter[str] = Counter()
        self._draining = False
        self._none_open = asyncio.Event()

    def count(self, kind: str) -> int:
        """How many of a kind are open."""
        return sum(stream.kind == kind for stream in self._open)

    @contextmanager
    def open(self, client: str, kind: str) -> Iterator[Stream]:
        """Something that is open within the block. Raises `Refused`: 429 if the client has too
        many, 503 if the process is about to end."""
        if self._draining:
            raise Refused(503, "The gateway is being restarted.", masking.UNAVAILABLE)
        if self._by_client[client] >= self._most:
            message = f"A client has at most {self._most} connections and subscriptions open."
            raise Refused(429, message, masking.THROTTLED, {"retry-after": "10"})
        stream = Stream(kind)
        self._open.add(stream)
        self._none_open.clear()
        self._by_client[client] += 1
        try:
            yield stream
        finally:
            self._open.discard(stream)
            if not self._open:
                self._none_open.set()
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    async def drain(self) -> None:
        """Has all that is open end, and lets nothing more be opened. Returns when nothing is open
        any more."""
        self._draining = True
        for stream in self._open:
            stream.ending.set()
        if self._open:
            await self._none_open.wait()


async def first_of(*work: Coroutine[Any, Any, Result]) -> Result:
    """What the first of several to end comes to. By then the others were cancelled, and have ended
    as well."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(task for task in tasks if task.done())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return ended.result()


async def until_revoked(gate: Gate, authorization: bytes | None, caller: Caller) -> None:
    """Returns when a credential does not make its holder this caller any more: it was revoked, has
    expired, or stands for less. Raises `Refused` when that could not be found out for too long."""
    clock = asyncio.get_running_loop().time
    known_at, pause = clock(), RECHECK_SECONDS
    while True:
        await asyncio.sleep(pause)
        try:
            if await again(gate, authorization, caller, caller.request_id) is None:
                return
            known_at, pause = clock(), RECHECK_SECONDS
        except Refused:
            if clock() - known_at > RECHECK_SECONDS + UNKNOWN_SECONDS:
                raise
            pause = RETRY_SECONDS


async def again(
    gate: Gate, authorization: bytes | None, caller: Caller, request_id: str
) -> Caller | None:
    """The caller, admitted once more for another request; None if the credential does not make its
    holder this caller any more. Raises `Refused` where that cannot be found out."""
    try:
        admitted = await gate.admit(authorization, request_id)
    except Refused as refused:
        if refused.status != UNAUTHORIZED:
            raise
        return None
    if admitted is None or replace(admitted, request_id=caller.request_id) != caller:
        return None
    return admitted
