"""What a subscription answers: one body for each event of its source, as the caller may see it at
that moment."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, cast

from graphql import ExecutionResult, GraphQLError
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event

from brands.buckets import SECOND
from gateway.graphql import masking
from gateway.graphql.throttle import ClientBucket, Throttled
from schema.activity import Event

LAST_SECONDS = 1.0
"""How long an answer that is under way may take when nobody wants it any more."""

Source = AsyncGenerator[Event[Any], None]
Settle = Callable[[ExecutionResult], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, answered. Whoever has seen it resumes after it with its cursor."""

    body: dict[str, Any]
    cursor: str | None = None
    is_broken: bool = False
    """Whether it is the last because we cannot go on: whoever follows should come again."""


class Toll:
    """What is paid for each event: what the operation costs. When the bucket is empty, the events
    wait until it is not: who follows too much is told of it late, and misses nothing."""

    def __init__(self, bucket: ClientBucket | None, points: int, settle: Settle) -> None:
        self._bucket = bucket
        self._points = points
        self.settle = settle

    async def pay(self) -> None:
        """Returns once it is paid."""
        paid = self._bucket is None
        while self._bucket is not None and not paid:
            try:
                await self._bucket.spend(self._points)
                paid = True
            except Throttled as throttled:
                await asyncio.sleep(throttled.wait / SECOND)


async def source_of(executor: Executor[None]) -> Source | list[GraphQLError]:
    """The events of a subscription; or, before any of them, why there are none."""
    made: Any = create_source_event_stream(executor)
    source: AsyncIterable[Event[Any]] | ExecutionResult = await made if isawaitable(made) else made
    if isinstance(source, ExecutionResult):
        return source.errors or []
    return cast("Source", source)


async def happenings(
    executor: Executor[None], source: Source, toll: Toll, seconds: float, request_id: str
) -> AsyncGenerator[Happening, None]:
    """Every event of a source, answered within so many seconds. If the source fails, or an answer
    takes longer, that is the last thing told."""
    async with aclosing(source):
        while True:
            try:
                event = await anext(source)
                await toll.pay()
                async with asyncio.timeout(seconds):
                    result = await _result(executor, event)
            except StopAsyncIteration:
                return
            except Exception as error:
                errors = masking.presented([_end(error)], request_id)
                code = errors[0]["extensions"]["code"]
                yield Happening({"errors": errors}, is_broken=masking.is_our_fault(code))
                return
            body = {"errors": masking.presented(result.errors, request_id)} if result.errors else {}
            yield Happening(body | {"data": result.data} | toll.settle(result), event.cursor)


def _end(error: Exception) -> GraphQLError:
    """The last that is told of events, in the words of whatever has ended them."""
    if isinstance(error, TimeoutError):
        message, extensions = "It took too long to answer an event.", {"code": masking.TIMEOUT}
        return GraphQLError(message, extensions=extensions)
    return GraphQLError("The events have ended.", original_error=error)


async def _result(executor: Executor[None], event: Event[Any]) -> ExecutionResult:
    result: Any = execute_subscription_event(executor.build_per_event_executor(event))
    if not isawaitable(result):
        return cast("ExecutionResult", result)
    # To stop in the midst of it would leave coroutines behind that were never begun. It takes
    # milliseconds, so that when nobody wants it any more it is let end; within bounds.
    answering = asyncio.ensure_future(result)
    try:
        return cast("ExecutionResult", await asyncio.shield(answering))
    finally:
        if not answering.done():
            await asyncio.wait([answering], timeout=LAST_SECONDS)
            answering.cancel()
            executor.context_value.loaders.stop()
