"""The route of a transfer: from which membership to which, and by what rule and rates.

Who may move whose points, and to whom, is decided here. A conversion names the member's other
membership; a gift names somebody else by what its giver knows of her.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.clock import from_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import (
    DifferentMembers,
    InvalidInput,
    MembershipNotFound,
    SameBrand,
    SameMembership,
)
from brands.ids import book_of
from brands.money import positive_points
from brands.moving.figures import ConversionRates
from brands.moving.households import share_household
from brands.moving.recipients import Recipient, find_recipient
from brands.parties import Party
from brands.registry import Snapshot
from brands.rejections import (
    AmountTooLarge,
    InsufficientPoints,
    MembershipClosed,
    MembershipTooNew,
    PointsInBelowMinimum,
    RecipientCannotReceive,
    Rejection,
    TransferAboveMaximum,
    TransferBelowMinimum,
    TransferLimitReached,
    TransferNotInIncrement,
    TransferPairClosed,
    TransferTooSmall,
)
from brands.rules import NO_RULE, Direction, Pair, RuleTerms, TransferRule
from brands.suspension import require_active


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What to move from where to where.

    Exactly one of `destination` (the member's own) and `recipient` (anybody's) is given, and
    exactly one of `points_out` and `points_in`.
    """

    source: UUID
    destination: UUID | None
    points_out: int | None = None
    points_in: int | None = None
    recipient: Recipient | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Two memberships, the rates between their brands, and the rule in force, if there is one."""

    source: Party
    destination: Party
    rates: ConversionRates
    rule: TransferRule | None

    @property
    def is_gift(self) -> bool:
        """Whether the points go to another member."""
        return self.source.member_id != self.destination.member_id

    @property
    def recipient(self) -> UUID | None:
        """The membership that a gift goes to."""
        return self.destination.id if self.is_gift else None

    @property
    def terms(self) -> RuleTerms:
        """What the rule lays down."""
        return NO_RULE if self.rule is None else self.rule.terms


async def route_of(
    coalition: Coalition, caller: Caller, request: TransferRequest, at: datetime
) -> Route:
    """The route of a request that is well-formed and the caller's to make.

    Raises `InvalidInput`, `PointsNotPositive`, `PointsOutOfRange`, `SameMembership`,
    `MembershipNotFound` (either side), `SameBrand`, `DifferentMembers`, `BrandNotFound` (the
    recipient's), `BrandSuspended` (either side's), `RecipientNotFound` and `LookupsThrottled`.
    """
    _check(request)
    snapshot = coalition.registry.snapshot
    if request.destination is not None:
        source, destination = await _named(coalition, caller, request.source, request.destination)
        require_active(snapshot.brand_by_id(source.brand_id), "source")
        require_active(snapshot.brand_by_id(destination.brand_id), "destination")
    else:
        assert request.recipient is not None
        found = await coalition.parties.find((request.source,))
        source = _source(caller, found.get(request.source), request.source)
        require_active(snapshot.brand_by_id(source.brand_id), "source")
        destination = await find_recipient(coalition, caller, request.recipient)
        if destination.id == source.id:
            raise SameMembership(path="recipient")
    return Route(
        source,
        destination,
        rates_between(snapshot, source.brand_id, destination.brand_id, at),
        await _rule(coalition, caller, source, destination, at),
    )


async def check_open(coalition: Coalition, route: Route, at: datetime) -> None:
    """What a rule asks of the route before any figure: of a recipient, nothing yet.

    Raises `TransferPairClosed`, `MembershipTooNew`.
    """
    terms = route.terms
    if terms.closed:
        brands = coalition.registry.snapshot
        raise TransferPairClosed(
            source=brands.brand_by_id(route.source.brand_id).code,
            destination=brands.brand_by_id(route.destination.brand_id).code,
        )
    if not (terms.membership_age_days or terms.recipient_age_days):
        return
    sides = [("source", route.source.id, terms.membership_age_days)]
    if not route.is_gift:
        sides.append(("destination", route.destination.id, terms.recipient_age_days))
    for path, id, days in sides:
        eligible_at = await _eligible_at(coalition, id, days) if days else at
        if at < eligible_at:
            raise MembershipTooNew(path=path, eligible_at=eligible_at)


async def objection_of(
    coalition: Coalition, recipient: UUID, terms: RuleTerms, at: datetime
) -> Rejection | None:
    """What a rule asks of a recipient, when points are given to her; no figures in it.

    Limits aside: those are counted by the books.
    """
    days = terms.recipient_age_days
    if days and at < await _eligible_at(coalition, recipient, days):
        return RecipientCannotReceive(path="recipient")
    return None


async def _eligible_at(coalition: Coalition, membership: UUID, days: int) -> datetime:
    rows = await coalition.database.fetch(
        "SELECT joined_at FROM memberships WHERE book = $1 AND id = $2",
        book_of(membership),
        membership,
    )
    return from_micros(rows[0]["joined_at"]) + timedelta(days=days)


def located(rejection: Rejection, order: UUID | TransferRequest) -> Rejection:
    """The refusal with the field of the order that it concerns, if one is."""
    if rejection.path is not None:
        return rejection
    path = None
    if isinstance(rejection, PointsInBelowMinimum):
        path = "minimumPointsIn"
    elif isinstance(order, UUID):
        path = "quote"
    elif isinstance(rejection, _ABOUT_POINTS):
        path = "pointsIn" if order.points_out is None else "pointsOut"
    return replace(rejection, path=path)


_ABOUT_POINTS = (
    AmountTooLarge,
    InsufficientPoints,
    TransferAboveMaximum,
    TransferBelowMinimum,
    TransferLimitReached,
    TransferNotInIncrement,
    TransferTooSmall,
)


def veiled(rejection: Rejection, recipient: UUID | None) -> Rejection:
    """The refusal in words that tell a giver nothing about her recipient, if there is one."""
    match rejection:
        case TransferLimitReached(direction=Direction.IN):
            concerns = recipient
        case MembershipClosed(membership_id=concerns):
            pass
        case _:
            return rejection
    if recipient is None or concerns != recipient:
        return rejection
    return RecipientCannotReceive(path="recipient", replayed=rejection.replayed)


async def veiled_for(
    coalition: Coalition, request: TransferRequest, rejection: Rejection
) -> Rejection:
    """The same, for a refusal that the books remember: by now the recipient may be closed, or have
    another name, and no route leads to her."""
    if request.recipient is None:
        return rejection
    brand = coalition.registry.snapshot.brand(request.recipient.brand)
    giver = (await coalition.parties.find((request.source,)))[request.source]
    rows = await coalition.database.fetch(
        "SELECT id FROM memberships WHERE brand_id = $1 AND number = $2 AND member_id <> $3",
        *(brand.id, request.recipient.number, giver.member_id),
    )
    return veiled(rejection, as_uuid(rows[0]["id"]) if rows else None)


def rates_between(
    snapshot: Snapshot, source_brand: UUID, destination_brand: UUID, at: datetime | None = None
) -> ConversionRates:
    """What transfers between two brands are reckoned by at an instant, or now."""
    leaving = snapshot.valuation(source_brand, at).rates
    arriving = snapshot.valuation(destination_brand, at).rates
    return ConversionRates(
        source_brand,
        destination_brand,
        leaving.transfer_out_rate,
        arriving.transfer_in_rate,
        leaving.redemption_rate,
        arriving.redemption_rate,
    )


async def _named(
    coalition: Coalition, caller: Caller, source_id: UUID, destination_id: UUID
) -> tuple[Party, Party]:
    """Both sides of a conversion. Another member is not named by an id."""
    found = await coalition.parties.find((source_id, destination_id))
    source = _source(caller, found.get(source_id), source_id)
    destination = found.get(destination_id)
    if destination is None or not _may_name(caller, source, destination):
        raise MembershipNotFound(path="destination", name=str(destination_id))
    if source.brand_id == destination.brand_id:
        code = coalition.registry.snapshot.brand_by_id(source.brand_id).code
        raise SameBrand(path="destination", brand=code)
    if source.member_id != destination.member_id:
        raise DifferentMembers(path="destination")
    return source, destination


def _source(caller: Caller, party: Party | None, id: UUID) -> Party:
    """The side that points leave: the member herself may say so, that brand, an operator."""
    if party is None or not caller.sees_membership(party.brand_id, party.member_id):
        raise MembershipNotFound(path="source", name=str(id))
    return party


def _may_name(caller: Caller, source: Party, destination: Party) -> bool:
    """Whether the destination exists for a caller who may convert from the source.

    A brand may name its member's memberships elsewhere, though it may not look into them.
    """
    return source.member_id == destination.member_id or caller.sees_membership(
        destination.brand_id, destination.member_id
    )


async def _rule(
    coalition: Coalition, caller: Caller, source: Party, destination: Party, at: datetime
) -> TransferRule | None:
    """The rule of the pair; for members of one household theirs, if there is one.

    A brand that gives for its member goes by the general rule: households are not for it to know.
    """
    pair = Pair(source.brand_id, destination.brand_id)
    snapshot = coalition.registry.snapshot
    if source.member_id != destination.member_id and caller.kind is not CallerKind.BRAND:
        theirs = snapshot.rule(pair._replace(household=True), at)
        if theirs is not None and await share_household(
            coalition, source.member_id, destination.member_id
        ):
            return theirs
    return snapshot.rule(pair, at)


def _check(request: TransferRequest) -> None:
    if (request.points_out is None) == (request.points_in is None):
        raise InvalidInput(
            path="pointsOut", reason="Give exactly one of the points out and the points in."
        )
    if request.points_out is not None:
        positive_points(request.points_out, path="pointsOut")
    if request.points_in is not None:
        positive_points(request.points_in, path="pointsIn")
    if (request.destination is None) == (request.recipient is None):
        raise InvalidInput(
            path="destination", reason="Give exactly one of the destination and the recipient."
        )
    if request.destination == request.source:
        raise SameMembership(path="destination")
