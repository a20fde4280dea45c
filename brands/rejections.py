"""What the books, or a rule, refuse: one class per refusal, with its figures.

A rejection is the answer to a well-formed command. It sticks to the command's idempotency key, so
a late duplicate of a refused request is refused in the same words for ever.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from brands.errors import DomainError


@dataclass(kw_only=True)
class Rejection(DomainError):
    """Refused by the state of the books or by a rule; nothing was posted.

    `replayed` says that the same refusal was given before, to the same idempotency key.
    """

    replayed: bool = False

    def figures(self) -> dict[str, Any]:
        return {name: value for name, value in super().figures().items() if name != "replayed"}


@dataclass(kw_only=True)
class InsufficientPoints(Rejection):
    template = "{required} points are needed; {available} are available."
    available: int
    required: int


@dataclass(kw_only=True)
class MembershipClosed(Rejection):
    template = "The membership is closed."
    membership_id: UUID


@dataclass(kw_only=True)
class BrandSuspended(Rejection):
    template = "{brand} is suspended: nothing begins there for now."
    brand: str


@dataclass(kw_only=True)
class AmountTooLarge(Rejection):
    template = "The amount is larger than the books can hold."


@dataclass(kw_only=True)
class TransferTooSmall(Rejection):
    template = "{points_out} points are worth less than one point at the other brand."
    points_out: int
    minimum: int


@dataclass(kw_only=True)
class PointsInBelowMinimum(Rejection):
    template = "{points_in} points would arrive, fewer than the {minimum} asked for."
    points_in: int
    minimum: int


@dataclass(kw_only=True)
class TransferPairClosed(Rejection):
    template = "Points of {source} are not transferred to {destination}."
    source: str
    destination: str


@dataclass(kw_only=True)
class TransferBelowMinimum(Rejection):
    template = "At least {minimum} points must leave."
    minimum: int


@dataclass(kw_only=True)
class TransferAboveMaximum(Rejection):
    template = "At most {maximum} points may leave at once."
    maximum: int


@dataclass(kw_only=True)
class TransferNotInIncrement(Rejection):
    """`nearest_below` and `nearest_above` are the nearest numbers that the rule allows, if any."""

    template = "Points leave in multiples of {increment}."
    increment: int
    nearest_below: int | None
    nearest_above: int | None


@dataclass(kw_only=True)
class TransferLimitReached(Rejection):
    """`unit` is POINTS or COUNT; `limit`, `used` and `remaining` are counted in it."""

    template = "At most {limit} {unit} {direction} a {period}; {remaining} left until {resets_at}."
    period: str
    direction: str
    unit: str
    limit: int
    used: int
    remaining: int
    resets_at: datetime

    @property
    def message(self) -> str:
        """In words."""
        unit = "points" if self.unit == "POINTS" else "transfers"
        words = {"unit": unit, "direction": self.direction.lower(), "period": self.period.lower()}
        return self.template.format(**self.figures() | words)


@dataclass(kw_only=True)
class MembershipTooNew(Rejection):
    template = "The membership is too new for this transfer until {eligible_at}."
    eligible_at: datetime


@dataclass(kw_only=True)
class RecipientNotFound(Rejection):
    """No open membership has this number and belongs to somebody of this surname; which of these
    is wrong is not said."""

    template = "There is no recipient of this number and surname."


@dataclass(kw_only=True)
class RecipientCannotReceive(Rejection):
    """Why is not said: it is the recipient's affair."""

    template = "The recipient cannot receive this transfer."


@dataclass(kw_only=True)
class TransferNotCancellable(Rejection):
    template = "The transfer is {status}, to arrive at {arrives_at}: it cannot be cancelled."
    status: str
    arrives_at: datetime


@dataclass(kw_only=True)
class TransferNotCompleted(Rejection):
    template = "The transfer is {status}: there is nothing that could be reversed."
    status: str


@dataclass(kw_only=True)
class QuoteExpired(Rejection):
    template = "The quote expired at {expired_at}."
    expired_at: datetime


@dataclass(kw_only=True)
class QuoteUsed(Rejection):
    template = "The quote was used already."


@dataclass(kw_only=True)
class TokenSpent(Rejection):
    """A single-use token that the command needed is spent. Services say it in their own words."""

    template = "The token {token} is spent already."
    token: str


@dataclass(kw_only=True)
class AlreadyReversed(Rejection):
    template = "The transaction was reversed already."


@dataclass(kw_only=True)
class ReversalExceedsOriginal(Rejection):
    template = "{points} points cannot be reversed; {remaining} of the original are left."
    points: int
    remaining: int


@dataclass(kw_only=True)
class NotReversible(Rejection):
    template = "A transaction of kind {kind} cannot be reversed by itself."
    kind: str


@dataclass(kw_only=True)
class HoldNotPending(Rejection):
    template = "The hold is {status}, no longer pending."
    status: str


@dataclass(kw_only=True)
class CaptureExceedsHold(Rejection):
    template = "{points} points cannot be captured; {held} are held."
    points: int
    held: int


def rejection_classes() -> dict[str, type[Rejection]]:
    """Every rejection by its class name, as stored with idempotency keys."""
    found: dict[str, type[Rejection]] = {}
    waiting: list[type[Rejection]] = [Rejection]
    while waiting:
        cls = waiting.pop()
        found[cls.__name__] = cls
        waiting.extend(cls.__subclasses__())
    return found


def rejection_to_fields(rejection: Rejection) -> dict[str, Any]:
    """A rejection as plain JSON values: its class name and figures."""
    figures = {
        name: {"datetime": value.isoformat()}
        if isinstance(value, datetime)
        else {"uuid": str(value)}
        if isinstance(value, UUID)
        else value
        for name, value in rejection.figures().items()
    }
    return {"rejection": type(rejection).__name__, "figures": figures}


def rejection_from_fields(fields: dict[str, Any]) -> Rejection:
    """The rejection that `rejection_to_fields` wrote."""
    figures: dict[str, Any] = {
        name: datetime.fromisoformat(value["datetime"])
        if isinstance(value, dict) and "datetime" in value
        else UUID(value["uuid"])
        if isinstance(value, dict)
        else value
        for name, value in fields["figures"].items()
    }
    return rejection_classes()[fields["rejection"]](**figures)
