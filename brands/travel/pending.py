"""Pending points: what a member's segments that are not confirmed yet will earn, by the chart.

Told only where the brand's terms say so. A flight counts once, however often it is booked, and not
at all where it is credited already. What nobody has confirmed three months after it ended is not
waited for any more.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from brands.callers import Caller
from brands.clock import now
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.ids import book_of
from brands.itineraries import Facts, facts_from_text
from brands.travel.flown import turns_of

WAITED_FOR = timedelta(days=92)
MAX_WAITING = 500
"""So many segments of a membership are reckoned up; more are of no traveller's."""


async def pending_points(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, int]:
    """The pending points of each of the memberships that the caller may see."""
    found = await coalition.parties.find(ids)
    at, programs = now(), coalition.registry.snapshot.programs
    shown = {
        id: party
        for id, party in ((id, found[id]) for id in ids if id in found)
        if caller.sees_membership(party.brand_id, party.member_id)
    }
    told = [id for id, party in shown.items() if programs.terms(party.brand_id, at).pending_shown]
    waiting = await _waiting(coalition, told)
    turns = await turns_of(coalition, [(shown[id].member_id, facts) for id, facts in waiting])
    points = dict.fromkeys(shown, 0)
    counted: set[tuple[UUID, str]] = set()
    for (id, facts), turn in zip(waiting, turns, strict=True):
        names = {(shown[id].member_id, name) for name in turn.counts}
        if turn.is_credited or counted & names:
            continue
        counted |= names
        earned = programs.terms(shown[id].brand_id, at).earned(facts)
        points[id] += 0 if earned is None else earned.points
    return points


async def _waiting(coalition: Coalition, ids: Sequence[UUID]) -> list[tuple[UUID, Facts]]:
    """What is linked to each of the memberships and pending, each once, the newest first."""
    if not ids:
        return []
    rows = await coalition.database.fetch(
        "SELECT membership_id, facts FROM (SELECT membership_id, segment_id, facts,"
        " row_number() OVER (PARTITION BY membership_id ORDER BY segment_id DESC) AS place"
        " FROM (SELECT DISTINCT l.membership_id, t.segment_id, t.facts FROM booking_links l"
        " JOIN booking_states s ON s.book = l.home AND s.booking_id = l.booking_id"
        " AND s.segment_id = l.segment_id AND s.status = 'PENDING' AND s.travelled_on >= $3"
        " JOIN booking_steps t ON t.book = s.book AND t.segment_id = s.segment_id"
        " AND t.step = s.step AND t.membership_id = l.membership_id"
        " WHERE l.book = ANY($1::smallint[]) AND l.membership_id = ANY($2::uuid[])) AS waiting)"
        " AS placed WHERE place <= $4 ORDER BY segment_id",
        *(list({book_of(id) for id in ids}), list(ids)),
        *((now().date() - WAITED_FOR).isoformat(), MAX_WAITING),
    )
    return [(as_uuid(row["membership_id"]), facts_from_text(row["facts"])) for row in rows]
