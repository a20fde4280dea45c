"""Errors a client can act on, as data: one GraphQL type for every failure of the domain.

The types are made from one table. A failure that is not in it never reaches a client in words: it
is reported as an internal error.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLError

from brands import errors as failures
from brands.errors import DomainError, Rejection
from schema.nodes import Tag, global_id
from schema.scalars import Points


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that an error carries: its GraphQL type, what it says, and how it is put."""

    type: Any
    description: str
    convert: Callable[[Any], Any] = lambda value: value
    name: str | None = None
    """What the contract calls it (in snake case), where that is not what the domain does."""


@dataclass(frozen=True, slots=True)
class ErrorType:
    """What the contract says about one failure of the domain."""

    description: str
    figures: dict[str, Figure] = field(default_factory=dict)


def _points(description: str) -> Figure:
    return Figure(Points, description)


def _count(description: str) -> Figure:
    return Figure(int, description)


def _text(description: str) -> Figure:
    return Figure(str, description)


def _instant(description: str) -> Figure:
    return Figure(datetime, description)


_RATE = _text("The rate as it was understood.")
_BRAND = _text("The code of the brand.")
_NAME = {"name": _text("What was looked for.")}
_MEMBERSHIP = Figure(
    strawberry.ID,
    "The id of the membership.",
    lambda identifier: global_id(Tag.MEMBERSHIP, identifier),
    name="membership",
)

ERRORS: dict[type[DomainError], ErrorType] = {
    failures.InvalidInput: ErrorType(
        "A field of the input does not have the form it must have.",
        {"reason": _text("What is wrong with it.")},
    ),
    failures.PointsNotPositive: ErrorType(
        "The number of points must be at least 1.", {"points": _points("The number given.")}
    ),
    failures.PointsOutOfRange: ErrorType(
        "The number of points is too large.", {"maximum": _points("The largest number allowed.")}
    ),
    failures.InvalidIdempotencyKey: ErrorType(
        "An idempotency key has 1 to 255 characters.",
        {"length": _count("The number of characters given.")},
    ),
    failures.InvalidRate: ErrorType("This is not a rate between 0 and 1000.", {"rate": _RATE}),
    failures.RateNotPositive: ErrorType("A rate must be above zero.", {"rate": _RATE}),
    failures.RateTooPrecise: ErrorType(
        "A rate has too many decimals.",
        {"rate": _RATE, "decimals": _count("The largest number of decimals allowed.")},
    ),
    failures.RatesOutOfOrder: ErrorType(
        "A valuation must have transferInRate >= redemptionRate >= transferOutRate, and issuePrice "
        ">= redemptionRate; otherwise a round trip of conversions could gain.",
        {
            "higher": _text("The rate that must not be below the other."),
            "lower": _text("The rate that must not be above the other."),
            "higher_rate": _text("What was given for `higher`."),
            "lower_rate": _text("What was given for `lower`."),
        },
    ),
    failures.ValuationInPast: ErrorType(
        "A valuation cannot begin in the past.",
        {
            "effective_from": _instant("When it was to begin."),
            "now": _instant("The present, by the database's clock."),
        },
    ),
    failures.ValuationOutOfSequence: ErrorType(
        "A valuation must begin after every one that is published already.",
        {"latest": _instant("When the last one published begins.")},
    ),
    failures.EventInFuture: ErrorType(
        "Something that has happened cannot lie in the future.",
        {"event_at": _instant("The instant given.")},
    ),
    failures.SameMembership: ErrorType("Points move between two different memberships."),
    failures.SameBrand: ErrorType(
        "A conversion is between two different brands.", {"brand": _BRAND}
    ),
    failures.DifferentMembers: ErrorType("Both memberships must be one member's."),
    failures.IdempotencyKeyReused: ErrorType(
        "The idempotency key came before with another intent. Nothing was posted."
    ),
    failures.BrandNotFound: ErrorType("There is no such brand.", _NAME),
    failures.MemberNotFound: ErrorType(
        "There is no such member, or none that this caller may see.", _NAME
    ),
    failures.MembershipNotFound: ErrorType(
        "There is no such membership, or none that this caller may see.", _NAME
    ),
    failures.QuoteNotFound: ErrorType("There is no such quote, or it is another caller's.", _NAME),
    failures.TransferNotFound: ErrorType(
        "There is no such transfer, or none that this caller may see.", _NAME
    ),
    failures.TransactionNotFound: ErrorType(
        "There is no such transaction, or none that this caller may see.", _NAME
    ),
    failures.NotPermitted: ErrorType(
        "The caller is known, but this is not its to do. Nothing has changed."
    ),
    failures.BrandCodeTaken: ErrorType(
        "There is a brand with this code already.",
        {"code": Figure(str, "The code of the brand that has it.", name="brand")},
    ),
    failures.NumberTaken: ErrorType(
        "The loyalty number is another membership's.",
        {"brand": _BRAND, "number": _text("The number.")},
    ),
    failures.ExternalIdTaken: ErrorType(
        "This client has enrolled a member with this external id already.",
        {"external_id": _text("The external id.")},
    ),
    failures.AlreadyMember: ErrorType(
        "The member has a membership at this brand already.", {"brand": _BRAND}
    ),
    failures.NumberMalformed: ErrorType(
        "This is not a loyalty number of the brand.",
        {"brand": _BRAND, "number": _text("The number given.")},
    ),
    failures.InsufficientPoints: ErrorType(
        "There are fewer points than are needed.",
        {
            "available": _points("The points that can be spent now."),
            "required": _points("The points that are needed."),
        },
    ),
    failures.MembershipClosed: ErrorType(
        "The membership is closed.", {"membership_id": _MEMBERSHIP}
    ),
    failures.AmountTooLarge: ErrorType("The amount is larger than the books can hold."),
    failures.TransferTooSmall: ErrorType(
        "The points are worth less than one point at the other brand.",
        {
            "points_out": _points("The points that would leave."),
            "minimum": _points("The least that must leave for one point to arrive."),
        },
    ),
    failures.PointsInBelowMinimum: ErrorType(
        "Fewer points would arrive than the caller insists on.",
        {
            "points_in": _points("The points that would arrive."),
            "minimum": _points("The least the caller insists on."),
        },
    ),
    failures.QuoteExpired: ErrorType(
        "The quote has expired.", {"expired_at": _instant("When it expired.")}
    ),
    failures.QuoteUsed: ErrorType("The quote was used already."),
    failures.AlreadyReversed: ErrorType("The transaction was reversed already."),
    failures.ReversalExceedsOriginal: ErrorType(
        "More points would be reversed than are left of the original.",
        {
            "points": _points("The points to be reversed."),
            "remaining": _points("The points of the original that are not reversed yet."),
        },
    ),
    failures.NotReversible: ErrorType(
        "Transactions of this kind cannot be reversed.", {"kind": _text("The kind.")}
    ),
}
"""What clients are told."""

NOT_FOR_CLIENTS: frozenset[type[DomainError]] = frozenset(
    {
        # After this nobody knows whether the command was posted: that is no answer to give as data.
        failures.LedgerUnavailable,
        # Services say it in words of their own.
        failures.TokenSpent,
        # What the contract has no operations for, yet.
        failures.HoldNotFound,
        failures.HoldNotPending,
        failures.CaptureExceedsHold,
        failures.CredentialNotFound,
        failures.TooManyKeys,
    }
)
"""Failures that are never data."""


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
