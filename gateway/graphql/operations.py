"""One operation, whatever brought it: understood, admitted, executed, told.

HTTP, event streams and WebSockets hand a request and its caller over to `Operations`, and get back
what to answer. Nothing here knows how it travels.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute,
)

from brands.callers import Caller
from brands.coalition import Coalition
from gateway.graphql import masking
from gateway.graphql.costs import OPERATION, Cost
from gateway.graphql.documents import Document, Documents
from gateway.graphql.execution import ShortExecutor, leaves_of
from gateway.graphql.happenings import Happening, Toll, happenings, source_of
from gateway.graphql.requests import GraphQLRequest, Refused, unauthenticated
from gateway.graphql.throttle import ClientBucket, Throttle, figures, pay
from gateway.graphql.trusted import NotTrusted, Trusted
from gateway.settings import Settings
from schema.context import context_for
from schema.cursors import Cursors

CHARACTERS_TO_A_POINT = 100
"""What it costs to read a document that is not remembered: one, and one for so many characters.
The longest that may be takes forty milliseconds."""

Body = dict[str, Any]
"""An answer, as the GraphQL specification has it: `data`, `errors`, `extensions`."""


class NotRun(Exception):
    """The operation was not executed: `body` says why."""

    def __init__(self, *errors: dict[str, Any], **more: Any) -> None:
        super().__init__("not run")
        self.body: Body = {"errors": list(errors), **more}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document that may be executed, by this caller."""

    document: Document
    node: OperationDefinitionNode
    request: GraphQLRequest
    caller: Caller | None
    request_id: str
    cost: Cost
    requested: int
    """What was paid for it."""
    bucket: ClientBucket | None

    @property
    def type(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.node.operation

    def settle(self, result: ExecutionResult) -> Body:
        """Gives back what was paid too much for this answer, and what to tell of it.

        With an error in it nothing is given back: one field's can make null of all that was found
        for the others, so that the answer does not tell what was done for it."""
        if self.bucket is None:
            return {}
        actual = self.requested
        if not result.errors or never_ran(result):
            actual = min(actual, self.cost.actual(result.data, self.request.variables))
        self.bucket.refund(self.requested - actual)
        told = {
            "requested": self.requested,
            "actual": actual,
            "throttle": figures(self.bucket),
        }
        return {"extensions": {"cost": told}}


class Operations:
    """The operations of one schema. `coalition` is set while the application is up."""

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self.coalition: Coalition | None = None
        self._schema = schema
        self._settings = settings
        self.documents = Documents(schema)
        self._trusted = Trusted(settings, self.documents)
        self._throttle = Throttle(settings)
        self._cursors = Cursors(settings.pepper)
        self._leaves = leaves_of(schema)

    async def prepare(
        self,
        request: GraphQLRequest,
        caller: Caller | None,
        request_id: str,
        *,
        allowed: Callable[[OperationType], None] | None = None,
    ) -> Operation:
        """The operation that is asked for, and paid for. Raises `NotRun`, and `Refused`: with 401
        where a caller without a credential asks for more than the schema's own description, with
        429 where the caller's bucket does not hold what it costs, and what `allowed` raises if
        the transport is none for an operation of this type.

        A document that is not remembered is paid for before it is read, and then the operation
        before it is executed. What is not executed costs something as well."""
        bucket = self._bucket(caller)
        unread = self._trusted.unread(request)
        if bucket is not None and unread is not None:
            points = min(_reading(unread), bucket.rate.maximum)
            await pay(bucket, points)
            if self._trusted.unread(request) is None:  # others have read it in the meantime
                bucket.refund(points)
        try:
            operation = self._found(request, caller, request_id, bucket)
            if allowed is not None:
                allowed(operation.type)
        except (NotRun, Refused):
            if unread is None:
                await self.charge(caller)
            raise
        if bucket is not None:
            await pay(bucket, operation.requested)
        return operation

    async def charge(self, caller: Caller | None) -> None:
        """Takes what a request costs that makes no sense. Raises `Refused` with 429."""
        bucket = self._bucket(caller)
        if bucket is not None:
            await pay(bucket, OPERATION)

    def _found(
        self,
        request: GraphQLRequest,
        caller: Caller | None,
        request_id: str,
        bucket: ClientBucket | None,
    ) -> Operation:
        document = self._document(request, caller)
        if document.errors:
            raise NotRun(*(_fault(error, document.code) for error in document.errors))
        node = document.operation(request.operation_name)
        if node is None:
            message = "`operationName` does not name one of the document's operations."
            raise NotRun(masking.failure(message, masking.BAD_USER_INPUT))
        cost = document.costs[node.name.value if node.name else None]
        requested = cost.requested(request.variables)
        most = self._settings.max_cost if bucket is None else self._most(bucket)
        if requested > most:
            raise NotRun(_too_dear(requested, most))
        return Operation(document, node, request, caller, request_id, cost, requested, bucket)

    async def execute(self, operation: Operation) -> Body:
        """The answer to a query or a mutation. Raises `NotRun` if its variables do not fit. Who
        calls this bounds its time."""
        result = await self._result(operation)
        body: Body = {}
        if result.errors:
            body["errors"] = masking.presented(result.errors, operation.request_id)
        told = operation.settle(result)
        if never_ran(result):
            raise NotRun(*body["errors"], **told)
        body["data"] = result.data
        return body | told

    def _document(self, request: GraphQLRequest, caller: Caller | None) -> Document:
        try:
            document = self._trusted.find(request)
        except NotTrusted as reason:
            if caller is None:
                raise unauthenticated() from None
            raise NotRun(reason.error) from None
        if caller is None and (document.errors or not document.asks_about_schema_only()):
            raise unauthenticated()
        return document

    def _bucket(self, caller: Caller | None) -> ClientBucket | None:
        if caller is None:
            return None
        assert self.coalition is not None
        return self._throttle.bucket(caller, self.coalition.database)

    def _most(self, bucket: ClientBucket) -> int:
        """What no bucket of this size ever holds is refused for good."""
        return min(self._settings.max_cost, bucket.rate.maximum)

    async def subscribe(
        self, operation: Operation, seen: str | None = None
    ) -> AsyncGenerator[Happening, None]:
        """What a subscription answers, event by event, to be closed in the end; `seen` is the
        cursor of the last event that the client has seen, if its transport says so. Raises
        `NotRun` if there is nothing to be followed, or nothing that the caller may see."""
        assert operation.document.ast is not None
        assert self.coalition is not None
        assert operation.caller is not None
        executor = ShortExecutor.build(
            self._schema,
            operation.document.ast,
            context_value=context_for(self.coalition, operation.caller, self._cursors, seen),
            raw_variable_values=operation.request.variables,
            operation_name=operation.node.name.value if operation.node.name else None,
            leaves=self._leaves,
            collected=operation.document.collected,
        )
        source = executor if isinstance(executor, list) else await source_of(executor)
        if isinstance(executor, list) or isinstance(source, list):
            assert isinstance(source, list)
            raise NotRun(*masking.presented(source, operation.request_id))
        toll = Toll(operation.bucket, operation.requested, operation.settle)
        return happenings(executor, source, toll, self._settings.timeout, operation.request_id)

    async def _result(self, operation: Operation) -> ExecutionResult:
        assert operation.document.ast is not None
        assert self.coalition is not None
        caller = operation.caller
        context = None if caller is None else context_for(self.coalition, caller, self._cursors)
        result = execute(
            self._schema,
            operation.document.ast,
            context_value=context,
            variable_values=operation.request.variables,
            operation_name=operation.node.name.value if operation.node.name else None,
            executor_class=ShortExecutor,
            leaves=self._leaves,
            collected=operation.document.collected,
        )
        if isawaitable(result):
            try:
                result = await result
            except asyncio.CancelledError:
                if context is not None:
                    context.loaders.stop()
                raise
        return result


def never_ran(result: ExecutionResult) -> bool:
    """Whether it is why nothing was run: the variables do not fit."""
    errors = result.errors or []
    return bool(errors) and result.data is None and all(error.path is None for error in errors)


def _reading(text: str) -> int:
    return OPERATION + len(text) // CHARACTERS_TO_A_POINT


def _fault(error: GraphQLError, code: str) -> dict[str, Any]:
    fault = masking.failure(error.message, **{**(error.extensions or {}), "code": code})
    if error.locations:
        fault["locations"] = [place.formatted for place in error.locations]
    return fault


def _too_dear(requested: int, most: int) -> dict[str, Any]:
    message = f"The operation may cost {requested}, and at most {most} is allowed."
    cost = {"requested": requested, "maximum": most}
    return masking.failure(message, masking.COST_LIMIT_EXCEEDED, cost=cost)
