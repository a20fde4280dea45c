"""The one writer of the books: commits commands in groups, each caller getting its own answer.

Whatever is waiting when a lane falls idle becomes one batch and one database transaction: nobody
waits for company, and under load a commit is shared by many. A refused command never fails its
neighbours. A batch that fails as a whole (lost connection, deadlock, a reply to COMMIT that never
came) is committed again; the idempotency keys in it make that safe.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import islice
from typing import Protocol

import asyncpg

from brands.database import target_of
from brands.errors import DomainError, InvalidIdempotencyKey, LedgerUnavailable
from brands.ids import book_of
from brands.ledger.batch import Answer, Posted, books_of, claim_of
from brands.ledger.commands import Command, Outcome, Post
from brands.ledger.memory import Memory
from brands.ledger.postgres import PostgresLane
from brands.ledger.sqlite import SqliteLane

DEFAULT_LANES = 2
"""Connections per process on PostgreSQL: while one waits for the database, another is judged."""

MAX_BATCH = 512
"""Commands in one database transaction, at most."""

MAX_WAITING = 20_000
"""Commands waiting in one lane, at most; more are turned away at once."""

PATIENCE_SECONDS = 30.0
"""How long a batch is tried again before its callers are told that the books are out of reach."""

_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0

_PASSING = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectInUseError,
    asyncpg.LockNotAvailableError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    sqlite3.OperationalError,
    LedgerUnavailable,
)
"""Failures of the machinery, most of which pass."""


class Lane(Protocol):
    """One connection to the books. See `PostgresLane` and `SqliteLane`."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def commit(self, commands: Sequence[Command]) -> list[Answer]: ...


class _Waiting:
    """A command on its way, and who waits for it.

    `lanes` are those whose books it concerns, if there is any but its own.
    """

    __slots__ = ("answer", "command", "lanes")

    def __init__(
        self, command: Command, answer: "asyncio.Future[Outcome]", lanes: set[int] | None
    ) -> None:
        self.command = command
        self.answer = answer
        self.lanes = lanes


class Ledger:
    """The writer. Make one per process with `Ledger.open`; it may be shared by all tasks."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        turns = [asyncio.Lock() for _ in lanes]
        self._lanes = [_Queue(lane, number, turns) for number, lane in enumerate(lanes)]
        self._in_flight: dict[tuple[str, str], _Waiting] = {}

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        books: int,
        lanes: int | None = None,
        posted: Posted = lambda _: None,
        watched: Callable[[Lane], Lane] = lambda lane: lane,
    ) -> "Ledger":
        """A writer on the database at `url`, which has so many books.

        More lanes than one let batches overlap, on PostgreSQL only; a book belongs to one lane.
        `posted` is told of books whenever something was posted in them; it returns at once.
        `watched` puts something around each lane that sees its batches pass.
        """
        target = target_of(url)
        memory = Memory()
        made: list[Lane] = (
            [SqliteLane(target.sqlite_path, books, posted)]
            if target.sqlite_path is not None
            else [
                PostgresLane(url, books, memory, posted)
                for _ in range(min(lanes or DEFAULT_LANES, books))
            ]
        )
        try:
            for lane in made:
                await lane.open()
        except BaseException:
            for lane in made:
                await lane.close()
            raise
        ledger = cls([watched(lane) for lane in made])
        for queue in ledger._lanes:
            queue.start()
        return ledger

    @property
    def waiting(self) -> int:
        """How many commands no lane has taken up yet."""
        return sum(len(queue) for queue in self._lanes)

    async def close(self) -> None:
        """Answers what is waiting, then lets go of the connections."""
        for queue in self._lanes:
            await queue.stop()

    async def submit(self, command: Command) -> Outcome:
        """Has the command judged and stored, and returns the books' answer.

        Raises `IdempotencyKeyReused` (the key came with another intent), `InvalidIdempotencyKey`,
        `LedgerUnavailable` (unknown whether it was posted: send it again with the same key). A
        caller that is cancelled leaves the command on its way.
        """
        claim = claim_of(command)
        if claim is None:
            return await asyncio.shield(self._enqueue(command).answer)
        if not 1 <= len(claim.key) <= 255 or "\0" in claim.key:
            raise InvalidIdempotencyKey(path="idempotencyKey", length=len(claim.key))
        name = (claim.client, claim.key)
        while (first := self._in_flight.get(name)) is not None:
            before = claim_of(first.command)
            if before is not None and before.fingerprint == claim.fingerprint:
                return replace(await asyncio.shield(first.answer), replayed=True)
            # Another intent under the same key: the books know which of the two came first.
            await asyncio.wait([first.answer])
        waiting = self._enqueue(command)
        self._in_flight[name] = waiting
        waiting.answer.add_done_callback(lambda _: self._in_flight.pop(name, None))
        return await asyncio.shield(waiting.answer)

    async def submit_many(self, commands: Sequence[Command]) -> list[Outcome | DomainError]:
        """Submits commands side by side; errors come back in their places."""
        answers = await asyncio.gather(
            *(self.submit(command) for command in commands), return_exceptions=True
        )
        results: list[Outcome | DomainError] = []
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, DomainError):
                raise answer
            results.append(answer)
        return results

    def _enqueue(self, command: Command) -> _Waiting:
        count, lanes = len(self._lanes), None
        own = book_of(command.id) % count
        if count > 1 and isinstance(command, Post) and (command.arrival or command.caps):
            lanes = {own, *(book % count for book in books_of(command))}
        waiting = _Waiting(command, asyncio.get_running_loop().create_future(), lanes)
        self._lanes[own].put(waiting)
        return waiting


class _Queue:
    """The commands waiting for one lane, and the task that takes them there.

    A batch takes the turns of all lanes whose books it concerns, in their order: no two lanes work
    on the accounts of a book at once, though most batches need no turn but their own.
    """

    def __init__(self, lane: Lane, number: int, turns: Sequence[asyncio.Lock]) -> None:
        self._lane = lane
        self._number = number
        self._turns = turns
        self._waiting: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._lane.close()

    def put(self, waiting: _Waiting) -> None:
        if self._stopping or len(self._waiting) >= MAX_WAITING:
            raise LedgerUnavailable
        self._waiting.append(waiting)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            lanes = {self._number}
            for waiting in islice(self._waiting, MAX_BATCH):
                if waiting.lanes is not None:
                    lanes |= waiting.lanes
            async with AsyncExitStack() as turns:
                for number in sorted(lanes):
                    await turns.enter_async_context(self._turns[number])
                await self._commit(self._next_batch(lanes))

    def _next_batch(self, lanes: set[int]) -> list[_Waiting]:
        """What is waiting by now, as far as it concerns these lanes only."""
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < MAX_BATCH:
            concerned = self._waiting[0].lanes
            if concerned is not None and not concerned <= lanes:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Answers every caller of the batch, whatever happens."""
        try:
            answers = await self._until_committed([waiting.command for waiting in batch])
        except Exception as error:
            await self._lane.close()
            if _passes(error):
                answers = [LedgerUnavailable() for _ in batch]
            elif len(batch) == 1:
                answers = [error]
            else:
                # One command that the database cannot digest must not fail its neighbours.
                middle = len(batch) // 2
                await self._commit(batch[:middle])
                await self._commit(batch[middle:])
                return
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(answer, Outcome):
                waiting.answer.set_result(answer)
            else:
                waiting.answer.set_exception(answer)
                waiting.answer.exception()  # a cancelled caller never asks; that is no error

    async def _until_committed(self, commands: Sequence[Command]) -> list[Answer]:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + PATIENCE_SECONDS
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._lane.commit(commands)
            except Exception as error:
                await self._lane.close()
                if not _passes(error) or loop.time() + pause > give_up_at:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _passes(error: Exception) -> bool:
    """Whether the same batch may succeed on a new connection, a little later."""
    if isinstance(error, ValueError):  # a value that the driver cannot encode
        return False
    if isinstance(error, asyncpg.UniqueViolationError):
        # Two lanes spent one token at once, in different books; whoever comes again finds it spent.
        return bool(error.table_name == "idempotency_keys")
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:  # a wrong statement
        return False
    return isinstance(error, _PASSING)
