"""What is refused of bookings and of claims for missing credit: one class per refusal, with its
figures. See `brands.rejections`."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from brands.rejections import Rejection


@dataclass(kw_only=True)
class SegmentAlreadyCredited(Rejection):
    template = "The segment is credited already. Its supplier or the program's brand can void it."


@dataclass(kw_only=True)
class SegmentClosed(Rejection):
    template = "The segment is {status}: nothing more happens to it this way."
    status: str

    @property
    def message(self) -> str:
        """In words."""
        claimable = " Credit that is missing can be claimed: missingCreditClaim."
        return super().message + (claimable if self.status == "NOT_CREDITED" else "")


@dataclass(kw_only=True)
class NothingPending(Rejection):
    template = "No segment of the booking is pending: there is nothing to detach."


@dataclass(kw_only=True)
class SegmentNotTravelled(Rejection):
    template = (
        "The journey counts from {begins_on} on: it cannot have been made yet. Confirm it when it "
        "was, with a new idempotency key."
    )
    begins_on: str


@dataclass(kw_only=True)
class SegmentTooOld(Rejection):
    template = "The journey was made on {travelled_on}: by now only the operator can confirm it."
    travelled_on: str


@dataclass(kw_only=True)
class PointsSpent(Rejection):
    """Points that were credited cannot be taken back. `available` and `required` are told to
    nobody but the program's brand: the member's balance is no business of another supplier's."""

    template = (
        "The points are spent, and this program takes back none that are. Ask again, with a new "
        "idempotency key, once the member has points or the program's brand has another clawback."
    )
    available: int | None = None
    required: int | None = None


@dataclass(kw_only=True)
class FlightAlreadyCredited(Rejection):
    """By another segment, or to another of the member's programs."""

    template = (
        "The member is credited with this flight or stay already. If that is a mistake, have it "
        "voided, and ask again with a new idempotency key."
    )


@dataclass(kw_only=True)
class OperatingFlightUnknown(Rejection):
    template = (
        "{carrier} operates this flight under a number of its own, which is not known: give it as "
        "operatingFlightNumber, with a new idempotency key."
    )
    carrier: str


@dataclass(kw_only=True)
class OperatedByAnotherBrand(Rejection):
    template = "{carrier} is another brand's: book or claim anew with operatingCarrier {carrier}."
    carrier: str


@dataclass(kw_only=True)
class AccrualNotCharted(Rejection):
    template = "The chart says nothing of it: the program's brand or the operator says its points."


@dataclass(kw_only=True)
class BookingChanged(Rejection):
    """Two requests met; the other was first. Nothing has changed by this one."""

    template = (
        "The booking was changed by another request at the same moment. Look at it, and ask again "
        "with a new idempotency key."
    )


@dataclass(kw_only=True)
class ClaimTooEarly(Rejection):
    template = "The journey counts from {travelled_on} on; nothing can be missing before."
    travelled_on: str


@dataclass(kw_only=True)
class ClaimWindowClosed(Rejection):
    template = "Credit for this journey could be claimed until {closed_at}."
    closed_at: datetime


@dataclass(kw_only=True)
class DuplicateClaim(Rejection):
    template = (
        "This flight or stay is claimed already. If that claim was rejected, appeal against it."
    )
    claim_id: UUID


@dataclass(kw_only=True)
class AlreadyCredited(Rejection):
    """Told to the member herself, and to an agency of a booking of its own."""

    template = "This flight or stay is credited already."


@dataclass(kw_only=True)
class ClaimDecided(Rejection):
    template = "The claim is {status} already."
    status: str


@dataclass(kw_only=True)
class ClaimNotLinked(Rejection):
    template = "No open membership has this number and this name: it cannot be credited."


@dataclass(kw_only=True)
class ClaimEarnsNothing(Rejection):
    """Reject the claim with this reason, or say how many points it earns all the same."""

    template = "By the program's chart this earns nothing: {reason}"
    reason: str


@dataclass(kw_only=True)
class AppealNotPossible(Rejection):
    """It is not rejected, or rejected for the second time."""

    template = "The claim is {status}: one that is rejected can be appealed against, and that once."
    status: str


@dataclass(kw_only=True)
class WithdrawalNotPossible(Rejection):
    template = "The claim is {status}: only one that nobody has decided on can be withdrawn."
    status: str


@dataclass(kw_only=True)
class ClaimNotCredited(Rejection):
    template = "The claim is {status}: there is nothing to take back."
    status: str


@dataclass(kw_only=True)
class ClaimChanged(Rejection):
    """Two requests met; the other was first. Nothing has changed by this one."""

    template = (
        "The claim was changed by another request at the same moment. Look at it, and ask again "
        "with a new idempotency key."
    )
