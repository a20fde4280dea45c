"""One operation, whatever brought it: understood, admitted, executed, told.

HTTP, event streams and WebSockets hand a request and its caller over to `Operations`, and get back
what to answer. Nothing here knows how it travels.
"""

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
from gateway import masking
from gateway.auth import unauthenticated
from gateway.documents import Document, Documents
from gateway.execution import ShortExecutor, leaves_of
from gateway.requests import GraphQLRequest
from gateway.settings import Settings
from schema.context import context_for

Body = dict[str, Any]
"""An answer, as the GraphQL specification has it: `data`, `errors`, `extensions`."""


class NotRun(Exception):
    """The operation was not executed: `body` says why."""

    def __init__(self, *errors: dict[str, Any]) -> None:
        super().__init__("not run")
        self.body: Body = {"errors": list(errors)}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document that may be executed, by this caller."""

    document: Document
    node: OperationDefinitionNode
    request: GraphQLRequest
    caller: Caller | None
    request_id: str

    @property
    def type(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.node.operation


class Operations:
    """The operations of one schema. `coalition` is set while the application is up."""

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self.coalition: Coalition | None = None
        self._schema = schema
        self._settings = settings
        self._documents = Documents(schema)
        self._leaves = leaves_of(schema)

    def prepare(self, request: GraphQLRequest, caller: Caller | None, request_id: str) -> Operation:
        """The operation that is asked for. Raises `NotRun`, and `Refused` with 401 where a
        caller without a credential asks for more than the schema's own description."""
        document = self._documents.read(request.query)
        if caller is None and (document.errors or not document.asks_about_schema_only()):
            raise unauthenticated()
        if document.errors:
            raise NotRun(*(_fault(error, document.code) for error in document.errors))
        node = document.operation(request.operation_name)
        if node is None:
            message = "`operationName` does not name one of the document's operations."
            raise NotRun(masking.failure(message, masking.BAD_USER_INPUT))
        return Operation(document, node, request, caller, request_id)

    async def execute(self, operation: Operation) -> Body:
        """The answer to a query or a mutation. Raises `NotRun` if its variables do not fit."""
        result = await self._result(operation)
        body: Body = {}
        if result.errors:
            body["errors"] = masking.presented(result.errors, operation.request_id)
            if result.data is None and all(error.path is None for error in result.errors):
                raise NotRun(*body["errors"])
        body["data"] = result.data
        return body

    async def _result(self, operation: Operation) -> ExecutionResult:
        assert operation.document.ast is not None
        assert self.coalition is not None
        caller = operation.caller
        result = execute(
            self._schema,
            operation.document.ast,
            context_value=None if caller is None else context_for(self.coalition, caller),
            variable_values=operation.request.variables,
            operation_name=operation.node.name.value if operation.node.name else None,
            executor_class=ShortExecutor,
            leaves=self._leaves,
            collected=operation.document.collected,
        )
        if isawaitable(result):
            result = await result
        return result


def _fault(error: GraphQLError, code: str) -> dict[str, Any]:
    return masking.failure(error.message, code) | {
        "locations": [place.formatted for place in error.locations or ()]
    }
