"""Errors a client can act on, as data: one GraphQL type for every failure of the domain.

The types are made from the table in `schema.failures`.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLError

from brands.errors import DomainError
from brands.rejections import Rejection
from schema.error_types import ErrorType
from schema.failures import ERRORS


def _code(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


def _codes() -> Any:
    values = {
        _code(failure.__name__): strawberry.enum_value(
            _code(failure.__name__), description=entry.description
        )
        for failure, entry in ERRORS.items()
    }
    made: Any = Enum("UserErrorCode", values)  # type: ignore[misc]  # the table's, not literals
    return strawberry.enum(
        made,
        description="What went wrong, one value for each type of `UserError`. New values may be "
        "added.",
    )


UserErrorCode = _codes()


@strawberry.interface(
    description="Why a request was refused: something the caller can understand and act on. Each "
    "implementation carries the figures of its case. Nothing has changed when there is one."
)
class UserError:
    """The interface of every error that is data."""

    code: UserErrorCode = strawberry.field(  # type: ignore[valid-type]
        description="What went wrong, for programs."
    )
    message: str = strawberry.field(
        description="What went wrong, in English, figures included. For developers; it may change."
    )
    path: list[str] | None = strawberry.field(
        description='The way to the field concerned, from the input downward, like ["valuation", '
        '"redemptionRate"]; null if no one field is.'
    )


def _graphql_type(failure: type[DomainError], entry: ErrorType) -> type[UserError]:
    shown = {figure.name or name: figure for name, figure in entry.figures.items()}
    body = {
        "__doc__": entry.description,
        "__annotations__": {name: figure.type for name, figure in shown.items()},
        **{name: strawberry.field(description=each.description) for name, each in shown.items()},
    }
    made = type(failure.__name__, (UserError,), body)
    return strawberry.type(made, description=entry.description)


USER_ERRORS = {failure: _graphql_type(failure, entry) for failure, entry in ERRORS.items()}
"""The GraphQL type of each failure."""


def told(error: DomainError, *, inside: str | None = None) -> list[UserError]:
    """A failure as data; raises it if it is not for clients.

    `inside` names the input field that the failure's own path begins in.
    """
    failure = type(error)
    if failure not in ERRORS:
        raise error
    way = ".".join(part for part in (inside, error.path) if part)
    figures = {
        figure.name or name: figure.convert(getattr(error, name))
        for name, figure in ERRORS[failure].figures.items()
    }
    return [
        USER_ERRORS[failure](
            code=UserErrorCode[_code(failure.__name__)],
            message=error.message,
            path=way.split(".") if way else None,
            **figures,
        )
    ]


def was_replayed(error: DomainError) -> bool:
    """Whether this refusal was given before, to the same idempotency key."""
    return isinstance(error, Rejection) and error.replayed


class BadInput(GraphQLError):
    """An argument of a query that makes no sense."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "BAD_USER_INPUT"})


def failure_classes() -> Iterator[type[DomainError]]:
    """Every failure that the domain can raise: the leaves of its tree of classes."""
    waiting: list[type[DomainError]] = [DomainError]
    while waiting:
        failure = waiting.pop()
        waiting.extend(failure.__subclasses__())
        if not failure.__subclasses__():
            yield failure
