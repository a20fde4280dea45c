"""What can go wrong in the domain: one class per failure, with the figures a client can act on.

`DomainError.path` names the input field concerned, if one is. What the books and the rules refuse
is in `brands.rejections`.
"""

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID


@dataclass(kw_only=True)
class DomainError(Exception):
    """A failure that the caller can understand and act on."""

    template: ClassVar[str] = "Something is not right with this request."
    path: str | None = field(default=None)

    @property
    def message(self) -> str:
        """The failure in words, figures included."""
        return self.template.format(**self.figures())

    def figures(self) -> dict[str, Any]:
        """The fields of this failure, by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def __str__(self) -> str:
        return self.message


# Input that no state of the books could make right.


@dataclass(kw_only=True)
class InvalidInput(DomainError):
    """A field does not have the form it must have; `reason` says which."""

    template = "{reason}"
    reason: str


@dataclass(kw_only=True)
class PointsNotPositive(DomainError):
    template = "Points must be at least 1, not {points}."
    points: int


@dataclass(kw_only=True)
class PointsOutOfRange(DomainError):
    template = "Points must be at most {maximum}."
    maximum: int


@dataclass(kw_only=True)
class InvalidIdempotencyKey(DomainError):
    template = "An idempotency key has 1 to 255 characters, not {length}."
    length: int


@dataclass(kw_only=True)
class InvalidRate(DomainError):
    template = "{rate} is not a rate between 0 and 1000."
    rate: str


@dataclass(kw_only=True)
class RateNotPositive(DomainError):
    template = "A rate must be above zero, not {rate}."
    rate: str


@dataclass(kw_only=True)
class RateTooPrecise(DomainError):
    template = "A rate has at most {decimals} decimals; {rate} has more."
    rate: str
    decimals: int


@dataclass(kw_only=True)
class RatesOutOfOrder(DomainError):
    """A valuation must have transferInRate >= redemptionRate >= transferOutRate, and
    issuePrice >= redemptionRate; otherwise a round trip could gain."""

    template = "{higher} must not be below {lower}, but {higher_rate} is below {lower_rate}."
    higher: str
    lower: str
    higher_rate: str
    lower_rate: str


@dataclass(kw_only=True)
class ValuationInPast(DomainError):
    template = "A valuation cannot begin in the past: {effective_from} is before {now}."
    effective_from: datetime
    now: datetime


@dataclass(kw_only=True)
class ValuationOutOfSequence(DomainError):
    """Valuations are append-only; a new one must begin after every published one."""

    template = "A valuation that begins at {latest} is published already; begin after it."
    latest: datetime


@dataclass(kw_only=True)
class EventInFuture(DomainError):
    template = "{event_at} is in the future."
    event_at: datetime


@dataclass(kw_only=True)
class SameMembership(DomainError):
    template = "Points must move between two different memberships."


@dataclass(kw_only=True)
class SameBrand(DomainError):
    template = "A conversion is between two different brands; both sides are {brand}."
    brand: str


@dataclass(kw_only=True)
class DifferentMembers(DomainError):
    template = "A conversion is between two memberships of one member."


@dataclass(kw_only=True)
class SameMember(DomainError):
    template = "The recipient must be another member."


@dataclass(kw_only=True)
class RuleInPast(DomainError):
    template = "A rule cannot begin in the past: {effective_from} is before {now}."
    effective_from: datetime
    now: datetime


@dataclass(kw_only=True)
class TransferCycleGains(DomainError):
    """`cycle` is brand codes, the first one again at the end; `gain` is what one point of it
    becomes at best, in so many decimals as text."""

    template = "Points could be multiplied: {cycle} turns 1 point into {gain}."
    cycle: list[str]
    gain: str

    @property
    def message(self) -> str:
        """Names the way round."""
        return self.template.format(cycle=" -> ".join(self.cycle), gain=self.gain)


@dataclass(kw_only=True)
class ProgramTermsInPast(DomainError):
    template = "Terms cannot begin in the past: {effective_from} is before {now}."
    effective_from: datetime
    now: datetime


@dataclass(kw_only=True)
class IdempotencyKeyReused(DomainError):
    """The key came before with another intent. Nothing was posted."""

    template = "This idempotency key was used for another request."


# Things that are not there, or not for this caller to know of.


@dataclass(kw_only=True)
class NotFound(DomainError):
    """Nothing of that name, or nothing that this caller may see."""

    template = "There is no {what} {name}."
    what: ClassVar[str] = "thing"
    name: str = ""

    @property
    def message(self) -> str:
        """Names it in the client's words; an id of ours would mean nothing to the client."""
        if not self.name or _is_id(self.name):
            return f"There is no such {self.what}."
        return super().message

    def figures(self) -> dict[str, Any]:
        return {**super().figures(), "what": self.what}


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


@dataclass(kw_only=True)
class BrandNotFound(NotFound):
    what = "brand"


@dataclass(kw_only=True)
class MemberNotFound(NotFound):
    what = "member"


@dataclass(kw_only=True)
class MembershipNotFound(NotFound):
    what = "membership"


@dataclass(kw_only=True)
class HouseholdNotFound(NotFound):
    what = "household"


@dataclass(kw_only=True)
class InvitationNotFound(NotFound):
    what = "invitation"


@dataclass(kw_only=True)
class QuoteNotFound(NotFound):
    what = "quote"


@dataclass(kw_only=True)
class TransferNotFound(NotFound):
    what = "transfer"


@dataclass(kw_only=True)
class TransactionNotFound(NotFound):
    what = "transaction"


@dataclass(kw_only=True)
class HoldNotFound(NotFound):
    what = "hold"


@dataclass(kw_only=True)
class CredentialNotFound(NotFound):
    what = "credential"


@dataclass(kw_only=True)
class AgencyNotFound(NotFound):
    what = "agency"


@dataclass(kw_only=True)
class BookingNotFound(NotFound):
    what = "booking"


@dataclass(kw_only=True)
class SegmentNotFound(NotFound):
    what = "segment of a booking"


@dataclass(kw_only=True)
class ClaimNotFound(NotFound):
    what = "claim"


@dataclass(kw_only=True)
class NotPermitted(DomainError):
    """The caller is known, but this is not hers to do. Nothing has changed."""

    template = "This credential may not do that."


# Names that are taken.


@dataclass(kw_only=True)
class BrandCodeTaken(DomainError):
    template = "There is a brand {code} already."
    code: str


@dataclass(kw_only=True)
class AgencyCodeTaken(DomainError):
    template = "There is another agency {code} already."
    code: str


@dataclass(kw_only=True)
class CarrierTaken(DomainError):
    template = "{carrier} is how the trade names {brand}."
    carrier: str
    brand: str


@dataclass(kw_only=True)
class NumberTaken(DomainError):
    template = "Number {number} at {brand} is taken."
    brand: str
    number: str


@dataclass(kw_only=True)
class ExternalIdTaken(DomainError):
    template = "There is a member with the external id {external_id} already."
    external_id: str


@dataclass(kw_only=True)
class AlreadyMember(DomainError):
    template = "The member has a membership at {brand} already."
    brand: str


@dataclass(kw_only=True)
class AlreadyInHousehold(DomainError):
    """Told to herself, or to a member of the same household; of another's nobody learns."""

    template = "The member is in a household already."


@dataclass(kw_only=True)
class HouseholdFull(DomainError):
    template = "A household has at most {limit} members."
    limit: int


@dataclass(kw_only=True)
class TooManyInvitations(DomainError):
    template = "A household has at most {limit} open invitations."
    limit: int


@dataclass(kw_only=True)
class TooManyClaims(DomainError):
    template = "{limit} claims for this number wait, or were withdrawn within a month."
    limit: int


@dataclass(kw_only=True)
class NumberMalformed(DomainError):
    template = "{number} is not a loyalty number of {brand}."
    brand: str
    number: str


@dataclass(kw_only=True)
class TooManyKeys(DomainError):
    template = "This client has {limit} live keys already; revoke one first."
    limit: int


# Too much of a good thing.


@dataclass(kw_only=True)
class LookupsThrottled(DomainError):
    """Too many lookups by number and name did not match. Nothing of this request is answered."""

    template = "Too many lookups did not match. Try again in {retry_after_seconds} s."
    retry_at: datetime
    retry_after_seconds: int


# The machinery, not the request.


@dataclass(kw_only=True)
class LedgerUnavailable(DomainError):
    """The books could not answer in time. Whether the command was posted is unknown: send it
    again with the same idempotency key."""

    template = "The books cannot be reached; try again with the same idempotency key."
