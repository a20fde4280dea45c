"""What clients are told of failures that have to do with travel agencies: a part of the table."""

import strawberry

from brands import errors as failures
from brands.errors import DomainError
from brands.travel import rejections
from schema.error_types import ErrorType, Figure, count, instant, text
from schema.nodes import Tag, global_id
from schema.scalars import Points

_BRAND = text("The code of the brand.")
_NAME = {"name": text("What was looked for.")}
_CLAIM_STATUS = {"status": text("How far the claim has come.")}


def _told_to_its_brand(description: str) -> Figure:
    return Figure(Points | None, f"{description}; null to all but the program's brand.")


TRAVEL_ERRORS: dict[type[DomainError], ErrorType] = {
    failures.ProgramTermsInPast: ErrorType(
        "What a brand lays down for travel cannot begin in the past.",
        {
            "effective_from": instant("When it was to begin."),
            "now": instant("The present, by the database's clock."),
        },
    ),
    failures.LookupsThrottled: ErrorType(
        "Too many lookups by number and name did not match. Nothing of the request is answered.",
        {
            "retry_at": instant("When to try again, by the database's clock."),
            "retry_after_seconds": count("In how many seconds that is, rounded up."),
        },
    ),
    failures.BookingNotFound: ErrorType(
        "There is no such booking, or none that this caller may see.", _NAME
    ),
    failures.SegmentNotFound: ErrorType(
        "There is no such segment of a booking, or none that this caller may see.", _NAME
    ),
    failures.ClaimNotFound: ErrorType(
        "There is no such claim, or none that this caller may see.", _NAME
    ),
    failures.TooManyClaims: ErrorType(
        "Too many claims that the same has made for one number wait for an answer, or were "
        "withdrawn within 30 days.",
        {"limit": count("The largest number of such claims.")},
    ),
    failures.CarrierTaken: ErrorType(
        "The trade names another brand so, or is to.",
        {"carrier": text("The designator."), "brand": _BRAND},
    ),
    rejections.SegmentAlreadyCredited: ErrorType("The segment's points are credited already."),
    rejections.SegmentClosed: ErrorType(
        "What became of the segment is settled: this cannot be done to it any more. What was "
        "travelled and is not credited can be claimed with `missingCreditClaim`.",
        {"status": text("The status of the segment.")},
    ),
    rejections.NothingPending: ErrorType(
        "No segment of the booking is pending, so that there is nothing to detach."
    ),
    rejections.SegmentNotTravelled: ErrorType(
        "Nothing is credited before it can have been travelled.",
        {"begins_on": text("The day of departure, or of check-out, like 2026-01-31.")},
    ),
    rejections.SegmentTooOld: ErrorType(
        "What was travelled more than 24 months ago is confirmed by the operator only.",
        {"travelled_on": text("The day of departure, or of check-out, like 2026-01-31.")},
    ),
    rejections.PointsSpent: ErrorType(
        "The points are spent, and the program's `clawback` takes none back that are. The segment "
        "or claim stays credited. Ask again with a new key, once the member has points again or "
        "the policy is another.",
        {
            "available": _told_to_its_brand("How many there are"),
            "required": _told_to_its_brand("How many are to be taken back"),
        },
    ),
    rejections.FlightAlreadyCredited: ErrorType(
        "The member is credited with this flight or stay already, by another segment or a claim. "
        "This segment stays pending: once the other is voided, it can be confirmed, with a new key."
    ),
    rejections.OperatingFlightUnknown: ErrorType(
        "Another carrier operates the flight than the one that has sold it, and its number there "
        "is not known, or a claim and a booking say different ones: without it, the same flight "
        "could be credited twice. Give it as `operatingFlightNumber`, with a new key.",
        {"carrier": text("The carrier that operates it.")},
    ),
    rejections.OperatedByAnotherBrand: ErrorType(
        "The carrier that is said to have operated the flight is another brand's, which therefore "
        "supplies the flight and pays for its points. The agency is to void the segment and attach "
        "the flight again with `operatingCarrier`; who has claimed withdraws the claim and makes "
        "it anew.",
        {"carrier": text("The carrier that operates it.")},
    ),
    rejections.AccrualNotCharted: ErrorType(
        "The program's earn chart says nothing of this segment. The program's brand or the "
        "operator can say how many points it earns."
    ),
    rejections.BookingChanged: ErrorType(
        "Another request has changed the booking at the same moment. Look at it, and ask again "
        "with a new key."
    ),
    rejections.ClaimTooEarly: ErrorType(
        "Nothing can be missing before the journey was made.",
        {"travelled_on": text("The day of departure, or of check-out, like 2026-01-31.")},
    ),
    rejections.ClaimWindowClosed: ErrorType(
        "Credit for this journey can be claimed no more.",
        {"closed_at": instant("When the program's window for it closed.")},
    ),
    rejections.DuplicateClaim: ErrorType(
        "This flight or stay is claimed already. What was rejected is not claimed again, but can "
        "be appealed against once; an agency can claim it once more under another name.",
        {
            "claim_id": Figure(
                strawberry.ID,
                "The id of the claim that there is.",
                lambda identifier: global_id(Tag.CLAIM, identifier),
                name="claim",
            )
        },
    ),
    rejections.AlreadyCredited: ErrorType("This flight or stay is credited already."),
    rejections.ClaimDecided: ErrorType(
        "The claim is decided already, withdrawn, or taken back.", _CLAIM_STATUS
    ),
    rejections.ClaimNotLinked: ErrorType(
        "The claim is linked to nobody, and no open membership has this number and this name, as "
        "far as who approves may know. Reject it; or, where there is one by now, the program's own "
        "brand may approve it with a new key, or the operator."
    ),
    rejections.ClaimEarnsNothing: ErrorType(
        "By the program's chart this earns nothing. Reject the claim, or say how many points it "
        "earns all the same.",
        {"reason": text("Why, in the words of the chart.")},
    ),
    rejections.AppealNotPossible: ErrorType(
        "The claim is not rejected, or was rejected for the second time.", _CLAIM_STATUS
    ),
    rejections.WithdrawalNotPossible: ErrorType(
        "The claim is decided already, or appealed against: it cannot be withdrawn any more.",
        _CLAIM_STATUS,
    ),
    rejections.ClaimNotCredited: ErrorType(
        "The claim is not approved: there is nothing to take back.", _CLAIM_STATUS
    ),
    rejections.ClaimChanged: ErrorType(
        "The claim was changed by another request at the same moment. Nothing was done: look at "
        "it, and ask again with a new key."
    ),
}
"""What clients are told of bookings, claims and lookups."""
