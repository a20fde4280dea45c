"""Limits: what a transfer uses of them, what is refused, and what they leave a membership."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from brands.callers import Caller, CallerKind
from brands.clock import now, to_micros
from brands.coalition import Coalition
from brands.ids import book_of, new_id
from brands.ledger.commands import Cap
from brands.moving.figures import for_points_out
from brands.moving.limits import Allowance, Usage, allowances_of, caps_of, check_limits
from brands.moving.periods import period_of
from brands.moving.rulebook import NewRule, publish_rule
from brands.naming.numbers import NumberFormat
from brands.publishing import NewBrand, create_brand
from brands.registry import Brand, BrandStatus, Snapshot
from brands.rejections import TransferLimitReached
from brands.rules import Direction, Limit, Pair, Period, Ratio, RuleTerms
from brands.valuations import rates_of
from tests.brands.rates import AT, A, B, rated
from tests.brands.stage import AGENCY, OPERATOR, Person, acting_for, enrol

SOURCE, DESTINATION = new_id(0), new_id(1)
A_TO_B = Pair(A, B)

OUT_A_MONTH = Limit(Period.MONTH, Direction.OUT, points=10_000, count=2)
IN_A_YEAR = Limit(Period.YEAR, Direction.IN, points=5_000)
HALF = RuleTerms(ratio=Ratio(2, 1), limits=(OUT_A_MONTH, IN_A_YEAR))


NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"


def _brand(id: UUID, code: str, time_zone: str) -> Brand:
    return Brand(id, code, code, "points", time_zone, BrandStatus.ACTIVE, NumberFormat(), AT)


BRANDS = Snapshot(1, [_brand(A, "YORK", NEW_YORK), _brand(B, "TOKYO", TOKYO)], [])


def caps_at(
    at: datetime,
    terms: RuleTerms = HALF,
    pair: Pair = A_TO_B,
    source: UUID = SOURCE,
    destination: UUID = DESTINATION,
    brands: Snapshot = BRANDS,
) -> tuple[Cap, ...]:
    """The caps of 1,000 points that leave New York for Tokyo."""
    figures = for_points_out(1_000, rated(1, 1), terms, AT)
    return caps_of(pair, terms, source, destination, figures, at, brands)


def test_each_side_is_counted_in_its_own_points_and_time_zone() -> None:
    """What leaves is counted where it leaves, what arrives where it arrives, on that membership."""
    new_year_in_tokyo = datetime(2026, 12, 31, 15, tzinfo=UTC)
    leaving, arriving = caps_at(new_year_in_tokyo)
    assert leaving == Cap(
        account=SOURCE,
        name="OUT/TOKYO/2026-12",
        points=1_000,
        count=1,
        max_points=10_000,
        max_count=2,
        period="MONTH",
        direction="OUT",
        resets_at=to_micros(datetime(2027, 1, 1, 5, tzinfo=UTC)),
    )
    assert arriving == Cap(
        account=DESTINATION,
        name="IN/YORK/2027",
        points=500,
        count=0,
        max_points=5_000,
        max_count=None,
        period="YEAR",
        direction="IN",
        resets_at=to_micros(datetime(2027, 12, 31, 15, tzinfo=UTC)),
    )


def test_a_cap_turns_at_local_midnight() -> None:
    """A month is counted until the brand's midnight, and from there on anew."""
    midnight = datetime(2026, 11, 1, 4, tzinfo=UTC)
    (before, _), (after, _) = caps_at(midnight - timedelta(microseconds=1)), caps_at(midnight)
    assert before.name.endswith("/2026-10")
    assert after.name.endswith("/2026-11")
    assert before.resets_at == to_micros(midnight)


def test_what_is_not_limited_is_not_counted() -> None:
    """A rule without limits has no caps."""
    assert caps_at(AT, replace(HALF, limits=())) == ()


def test_what_is_limited_apart_is_counted_apart() -> None:
    """Periods, directions, households and either order of the brands have counts of their own."""
    limits = tuple(
        Limit(period, direction, count=1) for period in Period for direction in Direction
    )
    pairs = [Pair(a, b, household) for a, b in ((A, B), (B, A)) for household in (False, True)]
    names = {cap.name for pair in pairs for cap in caps_at(AT, replace(HALF, limits=limits), pair)}
    assert len(names) == len(limits) * len(pairs)


async def test_nothing_is_read_where_nothing_is_limited(
    coalition: Coalition, statements: list[str]
) -> None:
    """Without caps there is no statement, with any number of them one."""
    await check_limits(coalition, ())
    assert statements == []
    await check_limits(coalition, caps_at(AT))
    assert len(statements) == 1


@pytest.mark.parametrize(
    ("used", "unit", "limit", "counted"),
    [
        ([(9_001, 1)], "POINTS", 10_000, 9_001),
        ([(10, 1), (10, 1)], "COUNT", 2, 2),
        ([(9_500, 1), (500, 1)], "POINTS", 10_000, 10_000),
        ([(12_000, 1)], "POINTS", 10_000, 12_000),
    ],
)
async def test_what_a_limit_does_not_leave_is_refused(
    coalition: Coalition, used: list[tuple[int, int]], unit: str, limit: int, counted: int
) -> None:
    """Points are asked before the count; the refusal tells what is used and what remains."""
    leaving, arriving = caps_at(AT)
    await use(coalition, leaving, *used)
    with pytest.raises(TransferLimitReached) as refusal:
        await check_limits(coalition, (arriving, leaving))
    assert refusal.value == TransferLimitReached(
        period="MONTH",
        direction="OUT",
        unit=unit,
        limit=limit,
        used=counted,
        remaining=max(0, limit - counted),
        resets_at=datetime(2026, 8, 1, 4, tzinfo=UTC),
    )


async def test_a_limit_may_be_used_up_to_its_last(coalition: Coalition) -> None:
    """What just fits is allowed, and what was given back can be used again."""
    leaving, arriving = caps_at(AT)
    await use(coalition, leaving, (9_000, 1), (5_000, 1), (-5_000, -1))
    await check_limits(coalition, (leaving, arriving))


async def test_what_others_used_does_not_count(coalition: Coalition) -> None:
    """Another membership, month or pair, or the other direction, takes nothing from a limit."""
    leaving, _ = caps_at(AT)
    arriving = replace(HALF, limits=(Limit(Period.MONTH, Direction.IN, count=1),))
    for other in (
        replace(leaving, account=new_id(0)),
        caps_at(AT + timedelta(days=40))[0],
        caps_at(AT, pair=Pair(A, B, household=True))[0],
        caps_at(AT, pair=Pair(B, A))[0],
        caps_at(AT, arriving, destination=SOURCE)[0],
    ):
        assert (other.account, other.name) != (leaving.account, leaving.name)
        await use(coalition, other, (10_000, 2))
    await check_limits(coalition, [leaving])


async def test_an_allowance_is_what_a_limit_leaves(coalition: Coalition) -> None:
    """Each limit in force is told for the side that it is on: what of it is used, what remains,
    and when it begins anew."""
    aero, bean = await open_two(coalition)
    await lay_down(coalition, HALF)
    ada = await enrol(coalition, "AERO", "BEAN")
    at, pair = now(), Pair(aero.id, bean.id)
    sides = (ada.at["AERO"], ada.at["BEAN"])
    leaving, arriving = caps_at(at, HALF, pair, *sides, coalition.registry.snapshot)
    await use(coalition, leaving, (3_000, 1))
    await use(coalition, arriving, (6_000, 1))
    assert await allowances(coalition, ada.caller, ada) == {
        "AERO": [
            Allowance(
                pair,
                Direction.OUT,
                Period.MONTH,
                points=Usage(10_000, 3_000),
                count=Usage(2, 1),
                resets_at=period_of(Period.MONTH, at, NEW_YORK).ends,
            )
        ],
        "BEAN": [
            Allowance(
                pair,
                Direction.IN,
                Period.YEAR,
                points=Usage(5_000, 6_000),
                count=None,
                resets_at=period_of(Period.YEAR, at, TOKYO).ends,
            )
        ],
    }
    assert (Usage(10_000, 3_000).remaining, Usage(5_000, 6_000).remaining) == (7_000, 0)


async def test_a_gift_is_limited_on_both_sides_of_one_brand(coalition: Coalition) -> None:
    """Within a brand a membership has what it may give and what it may be given."""
    await open_two(coalition)
    both = RuleTerms(limits=tuple(Limit(Period.MONTH, side, count=1) for side in Direction))
    await lay_down(coalition, both, "AERO", "AERO")
    ada = await enrol(coalition, "AERO")
    (told,) = (await allowances(coalition, OPERATOR, ada)).values()
    assert [each.direction for each in told] == list(Direction)


async def test_only_the_rule_in_force_limits(coalition: Coalition) -> None:
    """A rule yet to begin, and one superseded, leave no allowance; nor does a closed pair."""
    await open_two(coalition)
    ada = await enrol(coalition, "AERO", "BEAN")
    tomorrow = now() + timedelta(days=1)
    await publish_rule(coalition, OPERATOR, NewRule("AERO", "BEAN", HALF, effective_from=tomorrow))
    assert await allowances(coalition, OPERATOR, ada) == {"AERO": [], "BEAN": []}
    await lay_down(coalition, HALF)
    assert all((await allowances(coalition, OPERATOR, ada)).values())
    await lay_down(coalition, RuleTerms(closed=True))
    assert await allowances(coalition, OPERATOR, ada) == {"AERO": [], "BEAN": []}
    await lay_down(coalition, replace(HALF, limits=()))
    assert await allowances(coalition, OPERATOR, ada) == {"AERO": [], "BEAN": []}


async def test_allowances_are_for_those_who_see_the_membership(coalition: Coalition) -> None:
    """The member and the operator see all of hers, a brand its own, strangers and agencies none."""
    aero, _ = await open_two(coalition)
    await lay_down(coalition, HALF)
    ada, eve = await enrol(coalition, "AERO", "BEAN"), await enrol(coalition, "AERO")
    stranger = Caller(CallerKind.MEMBER, client="eve", member_id=eve.id)
    for caller, seen in (
        (OPERATOR, {"AERO", "BEAN"}),
        (ada.caller, {"AERO", "BEAN"}),
        (acting_for(aero), {"AERO"}),
        (stranger, set()),
        (AGENCY, set()),
    ):
        told = await allowances(coalition, caller, ada)
        assert {code for code, each in told.items() if each} == seen
    unknown = new_id(0)
    assert await allowances_of(coalition, OPERATOR, [unknown]) == {unknown: []}
    assert await allowances_of(coalition, OPERATOR, []) == {}


async def test_allowances_of_many_take_two_statements(
    coalition: Coalition, statements: list[str]
) -> None:
    """However many memberships and limits there are: one statement tells whose, one how much."""
    await open_two(coalition)
    await lay_down(coalition, HALF)
    await lay_down(coalition, HALF, "BEAN", "AERO")
    people = [await enrol(coalition, "AERO", "BEAN") for _ in range(5)]
    ids = [id for person in people for id in person.at.values()]
    statements.clear()
    told = await allowances_of(coalition, OPERATOR, ids)
    assert [len(told[id]) for id in ids] == [2] * len(ids)
    assert len(statements) == 2


async def open_two(coalition: Coalition) -> tuple[Brand, Brand]:
    """An airline in New York and a coffee chain in Tokyo, at a penny a point."""
    penny = rates_of(Decimal("0.01"))
    aero, bean = [
        await create_brand(coalition, OPERATOR, NewBrand(code, code, "points", zone, penny))
        for code, zone in (("AERO", NEW_YORK), ("BEAN", TOKYO))
    ]
    return aero, bean


async def lay_down(
    coalition: Coalition, terms: RuleTerms, source: str = "AERO", destination: str = "BEAN"
) -> None:
    """A rule, from now on."""
    await publish_rule(coalition, OPERATOR, NewRule(source, destination, terms))


async def use(coalition: Coalition, cap: Cap, *uses: tuple[int, int]) -> None:
    """So many points and transfers used of a cap."""
    for points, count in uses:
        async with coalition.database.transaction() as tx:
            await tx.fetch(
                "INSERT INTO cap_uses (book, account_id, name, transaction_id, points, count)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                *(book_of(cap.account), cap.account, cap.name, new_id(0), points, count),
            )


async def allowances(
    coalition: Coalition, caller: Caller, person: Person
) -> dict[str, list[Allowance]]:
    """Her allowances by brand, as the caller sees them."""
    told = await allowances_of(coalition, caller, list(person.at.values()))
    return {code: told[id] for code, id in person.at.items()}
