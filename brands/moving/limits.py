"""Limits: how much one member may transfer by a rule in a calendar month or year.

What is used of one is counted by the books, on the membership's account, from the first transfer
under a rule that sets such a limit; they refuse what goes beyond. Here is said what there is to
count, and what is left of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from brands.callers import Caller
from brands.clock import from_micros, now, to_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.ids import book_of
from brands.ledger.caps import exceeded
from brands.ledger.commands import Cap
from brands.moving.figures import Figures
from brands.moving.periods import period_of
from brands.parties import Party
from brands.registry import Snapshot
from brands.rules import Direction, Limit, Pair, Period, RuleTerms


class Usage(NamedTuple):
    """How much of a limit is used, in points or in transfers."""

    limit: int
    used: int

    @property
    def remaining(self) -> int:
        """What is left; none if more is used than a newer rule allows."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a limit leaves a membership until `resets_at`: points, transfers, or both."""

    pair: Pair
    direction: Direction
    period: Period
    points: Usage | None
    count: Usage | None
    resets_at: datetime


_Used: TypeAlias = dict[tuple[UUID, str], tuple[int, int]]
"""Points and transfers by account and name."""


def caps_of(
    pair: Pair,
    terms: RuleTerms,
    source: UUID,
    destination: UUID,
    figures: Figures,
    at: datetime,
    brands: Snapshot,
) -> tuple[Cap, ...]:
    """What a transfer uses of each limit of its rule: one cap for each.

    What leaves is counted in the months and years of the source brand's time zone, what arrives
    in those of the destination's.
    """
    return tuple(
        _cap(limit, pair, source, figures.points_out, at, brands)
        if limit.direction is Direction.OUT
        else _cap(limit, pair, destination, figures.points_in, at, brands)
        for limit in terms.limits
    )


async def check_limits(coalition: Coalition, caps: Sequence[Cap]) -> None:
    """Says beforehand what the books would refuse now. Raises `TransferLimitReached`.

    No statement if there are no caps, else one.
    """
    used = await _used(coalition, caps)
    for cap in caps:
        refusal = exceeded(cap, *used.get((cap.account, cap.name), (0, 0)))
        if refusal is not None:
            raise refusal


async def allowances_of(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, list[Allowance]]:
    """What every limit now in force leaves a membership, by membership.

    Each membership asked for has a list, empty if the caller may not see it. One statement for
    all of them, and one that finds whose they are.
    """
    parties = await coalition.parties.find(ids)
    brands, at = coalition.registry.snapshot, now()
    limits = {
        id: list(_limits_on(brands, parties[id], at)) if _sees(caller, parties.get(id)) else []
        for id in ids
    }
    used = await _used(coalition, [cap for on in limits.values() for _, _, cap in on])
    return {
        id: [_allowance(pair, limit, cap, used) for pair, limit, cap in on]
        for id, on in limits.items()
    }


def _limits_on(brands: Snapshot, party: Party, at: datetime) -> Iterable[tuple[Pair, Limit, Cap]]:
    """The limits now in force of every rule by which points leave or reach a membership."""
    for pair in brands.rules_of_brand(party.brand_id):
        rule = brands.rule(pair, at)
        for limit in rule.terms.limits if rule else ():
            leaves = limit.direction is Direction.OUT
            if party.brand_id == (pair.source_brand if leaves else pair.destination_brand):
                yield pair, limit, _cap(limit, pair, party.id, 0, at, brands)


def _cap(
    limit: Limit, pair: Pair, account: UUID, points: int, at: datetime, brands: Snapshot
) -> Cap:
    counted, other = (
        brands.brand_by_id(pair.source_brand),
        brands.brand_by_id(pair.destination_brand),
    )
    if limit.direction is Direction.IN:
        counted, other = other, counted
    span = period_of(limit.period, at, counted.time_zone)
    # Short, for it is in an index: of one side the account tells the brand.
    whom = other.code + "/household" if pair.household else other.code
    return Cap(
        account=account,
        name="/".join((limit.direction, whom, span.name)),
        # Of what has no maximum no count is kept: it would grow for ever.
        points=0 if limit.points is None else points,
        count=0 if limit.count is None else 1,
        max_points=limit.points,
        max_count=limit.count,
        period=limit.period,
        direction=limit.direction,
        resets_at=to_micros(span.ends),
    )


async def _used(coalition: Coalition, caps: Sequence[Cap]) -> _Used:
    if not caps:
        return {}
    rows = await coalition.database.fetch(
        "SELECT account_id, name, CAST(sum(points) AS bigint) AS points,"
        ' CAST(sum("count") AS bigint) AS transfers FROM cap_uses'
        " WHERE book = ANY($1::smallint[]) AND account_id = ANY($2::uuid[])"
        " AND name = ANY($3::text[]) GROUP BY account_id, name",
        list({book_of(cap.account) for cap in caps}),
        list({cap.account for cap in caps}),
        list({cap.name for cap in caps}),
    )
    return {
        (as_uuid(row["account_id"]), row["name"]): (row["points"], row["transfers"]) for row in rows
    }


def _allowance(pair: Pair, limit: Limit, cap: Cap, used: _Used) -> Allowance:
    points, count = used.get((cap.account, cap.name), (0, 0))
    return Allowance(
        pair=pair,
        direction=limit.direction,
        period=limit.period,
        points=None if limit.points is None else Usage(limit.points, points),
        count=None if limit.count is None else Usage(limit.count, count),
        resets_at=from_micros(cap.resets_at),
    )


def _sees(caller: Caller, party: Party | None) -> bool:
    return party is not None and caller.sees_membership(party.brand_id, party.member_id)
