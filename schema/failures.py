"""What clients are told of each failure of the domain: one table, of which the types are made.

A failure that is not in it never reaches a client in words: it is reported as an internal error.
"""

import strawberry

from brands import errors as failures
from brands import rejections
from brands.errors import DomainError
from schema.error_types import ErrorType, Figure, count, instant, nearest, points, text
from schema.limits import LimitDirection, LimitPeriod
from schema.nodes import Tag, global_id
from schema.travel_failures import TRAVEL_ERRORS

_RATE = text("The rate as it was understood.")
_BRAND = text("The code of the brand.")
_NAME = {"name": text("What was looked for.")}
_MEMBERSHIP = Figure(
    strawberry.ID,
    "The id of the membership.",
    lambda identifier: global_id(Tag.MEMBERSHIP, identifier),
    name="membership",
)

ERRORS: dict[type[DomainError], ErrorType] = {
    failures.InvalidInput: ErrorType(
        "A field of the input does not have the form it must have.",
        {"reason": text("What is wrong with it.")},
    ),
    failures.PointsNotPositive: ErrorType(
        "The number of points must be at least 1.", {"points": points("The number given.")}
    ),
    failures.PointsOutOfRange: ErrorType(
        "The number of points is too large.", {"maximum": points("The largest number allowed.")}
    ),
    failures.InvalidIdempotencyKey: ErrorType(
        "An idempotency key has 1 to 255 characters.",
        {"length": count("The number of characters given.")},
    ),
    failures.InvalidRate: ErrorType("This is not a rate between 0 and 1000.", {"rate": _RATE}),
    failures.RateNotPositive: ErrorType("A rate must be above zero.", {"rate": _RATE}),
    failures.RateTooPrecise: ErrorType(
        "A rate has too many decimals.",
        {"rate": _RATE, "decimals": count("The largest number of decimals allowed.")},
    ),
    failures.RatesOutOfOrder: ErrorType(
        "A valuation must have transferInRate >= redemptionRate >= transferOutRate, and issuePrice "
        ">= redemptionRate; otherwise a round trip of conversions could gain.",
        {
            "higher": text("The rate that must not be below the other."),
            "lower": text("The rate that must not be above the other."),
            "higher_rate": text("What was given for `higher`."),
            "lower_rate": text("What was given for `lower`."),
        },
    ),
    failures.ValuationInPast: ErrorType(
        "A valuation cannot begin in the past.",
        {
            "effective_from": instant("When it was to begin."),
            "now": instant("The present, by the database's clock."),
        },
    ),
    failures.ValuationOutOfSequence: ErrorType(
        "A valuation must begin after every one that is published already.",
        {"latest": instant("When the last one published begins.")},
    ),
    failures.EventInFuture: ErrorType(
        "Something that has happened cannot lie in the future.",
        {"event_at": instant("The instant given.")},
    ),
    failures.SameMembership: ErrorType("Points move between two different memberships."),
    failures.SameBrand: ErrorType(
        "A conversion is between two different brands.", {"brand": _BRAND}
    ),
    failures.SameMember: ErrorType("The recipient must be another member."),
    failures.DifferentMembers: ErrorType("Both memberships must be one member's."),
    failures.RuleInPast: ErrorType(
        "A rule cannot begin in the past.",
        {
            "effective_from": instant("When it was to begin."),
            "now": instant("The present, by the database's clock."),
        },
    ),
    failures.TransferCycleGains: ErrorType(
        "With this, some cycle of transfers would return more points than it began with.",
        {
            "cycle": Figure(
                list[str], "The codes of the brands on the way round, the first again at the end."
            ),
            "gain": text("What one point of the first brand becomes at best, as a decimal."),
        },
    ),
    failures.IdempotencyKeyReused: ErrorType(
        "The idempotency key came before with another intent. Nothing was posted."
    ),
    failures.BrandNotFound: ErrorType("There is no such brand.", _NAME),
    failures.AgencyNotFound: ErrorType(
        "There is no such agency, or none that this caller may see.", _NAME
    ),
    failures.MemberNotFound: ErrorType(
        "There is no such member, or none that this caller may see.", _NAME
    ),
    failures.MembershipNotFound: ErrorType(
        "There is no such membership, or none that this caller may see.", _NAME
    ),
    rejections.RecipientNotFound: ErrorType(
        "There is no recipient of this number and surname at this brand. Which of them is wrong is "
        "not said."
    ),
    failures.HouseholdNotFound: ErrorType(
        "There is no such household, or none that the caller was ever in.", _NAME
    ),
    failures.InvitationNotFound: ErrorType(
        "There is no such invitation, or none that the caller can still answer.", _NAME
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
    failures.AgencyCodeTaken: ErrorType(
        "There is another agency with this code already.",
        {"code": Figure(str, "The code of the agency that has it.", name="agency")},
    ),
    failures.NumberTaken: ErrorType(
        "The loyalty number is another membership's.",
        {"brand": _BRAND, "number": text("The number.")},
    ),
    failures.ExternalIdTaken: ErrorType(
        "This client has enrolled a member with this external id already.",
        {"external_id": text("The external id.")},
    ),
    failures.AlreadyMember: ErrorType(
        "The member has a membership at this brand already.", {"brand": _BRAND}
    ),
    failures.AlreadyInHousehold: ErrorType("The member is in a household already."),
    failures.HouseholdFull: ErrorType(
        "The household has as many members as one can have.",
        {"limit": count("The largest number of members.")},
    ),
    failures.TooManyInvitations: ErrorType(
        "The household has as many open invitations as one can have.",
        {"limit": count("The largest number of open invitations.")},
    ),
    failures.NumberMalformed: ErrorType(
        "This is not a loyalty number of the brand.",
        {"brand": _BRAND, "number": text("The number given.")},
    ),
    rejections.InsufficientPoints: ErrorType(
        "There are fewer points than are needed.",
        {
            "available": points("The points that can be spent now."),
            "required": points("The points that are needed."),
        },
    ),
    rejections.MembershipClosed: ErrorType(
        "The membership is closed.", {"membership_id": _MEMBERSHIP}
    ),
    rejections.BrandSuspended: ErrorType(
        "The brand is suspended: nothing begins there until the operator takes it back. What has "
        "begun goes on.",
        {"brand": _BRAND},
    ),
    rejections.AmountTooLarge: ErrorType("The amount is larger than the books can hold."),
    rejections.TransferTooSmall: ErrorType(
        "The points are worth less than one point at the other brand.",
        {
            "points_out": points("The points that would leave."),
            "minimum": points("The least that must leave for one point to arrive."),
        },
    ),
    rejections.PointsInBelowMinimum: ErrorType(
        "Fewer points would arrive than the caller insists on.",
        {
            "points_in": points("The points that would arrive."),
            "minimum": points("The least the caller insists on."),
        },
    ),
    rejections.TransferPairClosed: ErrorType(
        "There are no transfers between these brands.",
        {
            "source": text("The code of the brand that the points would leave."),
            "destination": text("The code of the brand that they would arrive at."),
        },
    ),
    rejections.TransferBelowMinimum: ErrorType(
        "Fewer points would leave than the rule allows.",
        {"minimum": points("The fewest that may leave.")},
    ),
    rejections.TransferAboveMaximum: ErrorType(
        "More points would leave than the rule allows in one transfer.",
        {"maximum": points("The most that may leave.")},
    ),
    rejections.TransferNotInIncrement: ErrorType(
        "Points leave in multiples of an increment.",
        {
            "increment": points("The increment."),
            "nearest_below": nearest("The nearest smaller number that the rule allows"),
            "nearest_above": nearest("The nearest larger number that the rule allows"),
        },
    ),
    rejections.TransferLimitReached: ErrorType(
        "More would be transferred in this month or year than the rule allows.",
        {
            "period": Figure(LimitPeriod, "What the limit counts over."),
            "direction": Figure(LimitDirection, "Which side of a transfer it counts."),
            "unit": text("What it counts: POINTS or COUNT, which is transfers."),
            "limit": points("The most in a period, in that unit."),
            "used": points("What was used of it in this period."),
            "remaining": points("What is left of it."),
            "resets_at": instant("When the period ends, in the brand's time zone."),
        },
    ),
    rejections.MembershipTooNew: ErrorType(
        "The membership has not existed for as long as the rule asks.",
        {"eligible_at": instant("When it will have.")},
    ),
    rejections.RecipientCannotReceive: ErrorType(
        "The recipient cannot receive this transfer; why is her affair."
    ),
    rejections.TransferNotCancellable: ErrorType(
        "The transfer cannot be cancelled (any more).",
        {
            "status": text("The status of the transfer."),
            "arrives_at": instant("When its points were, or are, to arrive."),
        },
    ),
    rejections.TransferNotCompleted: ErrorType(
        "The points of the transfer have not arrived, or were taken back already.",
        {"status": text("The status of the transfer.")},
    ),
    rejections.QuoteExpired: ErrorType(
        "The quote has expired.", {"expired_at": instant("When it expired.")}
    ),
    rejections.QuoteUsed: ErrorType("The quote was used already."),
    rejections.AlreadyReversed: ErrorType("The transaction was reversed already."),
    rejections.ReversalExceedsOriginal: ErrorType(
        "More points would be reversed than are left of the original.",
        {
            "points": points("The points to be reversed."),
            "remaining": points("The points of the original that are not reversed yet."),
        },
    ),
    rejections.NotReversible: ErrorType(
        "Transactions of this kind cannot be reversed.", {"kind": text("The kind.")}
    ),
    **TRAVEL_ERRORS,
}
"""What clients are told."""

NOT_FOR_CLIENTS: frozenset[type[DomainError]] = frozenset(
    {
        # After this nobody knows whether the command was posted: that is no answer to give as data.
        failures.LedgerUnavailable,
        # Services say it in words of their own.
        rejections.TokenSpent,
        # What the contract has no operations for, yet.
        failures.HoldNotFound,
        rejections.HoldNotPending,
        rejections.CaptureExceedsHold,
        failures.CredentialNotFound,
        failures.TooManyKeys,
    }
)
"""Failures that are never data."""
