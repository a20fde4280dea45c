"""Publishing brands and valuations: who may, in which order, and what the pools do."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import orjson
import pytest

from brands.accruals import Accrual, accrue
from brands.clock import from_micros, now, now_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import (
    BrandCodeTaken,
    BrandNotFound,
    DomainError,
    InvalidInput,
    NotPermitted,
    TransferCycleGains,
    ValuationInPast,
    ValuationOutOfSequence,
)
from brands.ids import new_id
from brands.ledger.chart import BRAND_MONEY_KINDS, BRAND_POINTS_KINDS, stripe
from brands.ledger.commands import Shortfall
from brands.money import MAX_BALANCE
from brands.moving.rulebook import NewRule, publish_rules
from brands.publishing import NewBrand, create_brand, publish
from brands.rejections import AmountTooLarge
from brands.rules import Ratio, RuleTerms
from brands.valuations import rates_of
from tests.brands.cast import (
    AGENCY,
    FREE,
    OPERATOR,
    PENNY,
    aero,
    bean,
    brand_caller,
    connect_all,
    count_all,
    member_caller,
    new_brand,
    somebody,
)

TWO_PENCE = rates_of(Decimal("0.02"))
RICH = rates_of(Decimal("0.03"), Decimal("0.04"), Decimal("0.02"), Decimal("0.05"))
DAY = timedelta(days=1)


async def test_a_new_brand_is_complete(coalition: Coalition) -> None:
    """A new brand has its accounts in every book, its pools at the value of a point, and a
    valuation in force since it was made."""
    brand = await create_brand(coalition, OPERATOR, new_brand("AERO", RICH))
    rows = await coalition.database.fetch("SELECT * FROM accounts WHERE owner_id = $1", brand.id)
    assert {as_uuid(row["id"]) for row in rows} == {
        stripe(book, brand.id, kind)
        for book in range(coalition.books)
        for kind in (*BRAND_POINTS_KINDS, *BRAND_MONEY_KINDS)
    }
    assert {row["rate"] for row in rows if row["kind"] == "POOL"} == {30_000}
    (valuation,) = coalition.registry.snapshot.valuations(brand.id)
    assert (valuation.rates, valuation.effective_from) == (RICH, brand.created_at)
    assert coalition.registry.snapshot.brand("AERO") == brand


@pytest.mark.parametrize("clawback", list(Shortfall))
async def test_a_brand_says_how_it_claws_back(coalition: Coalition, clawback: Shortfall) -> None:
    """A brand's policy for points taken back that are spent already is kept as it was given."""
    made = await create_brand(coalition, OPERATOR, replace(new_brand("AERO"), clawback=clawback))
    assert made.clawback is clawback
    assert coalition.registry.snapshot.brand("AERO") == made
    assert (await bean(coalition)).clawback is Shortfall.REJECT


async def test_a_brand_that_opens_a_way_to_farm_is_refused(coalition: Coalition) -> None:
    """A brand by way of which points could go round a closed pair and gain does not join."""
    await aero(coalition)
    await bean(coalition)
    gain, closed = RuleTerms(ratio=Ratio(2, 3)), RuleTerms(closed=True)
    rules = [NewRule("AERO", "BEAN", gain), NewRule("BEAN", "AERO", closed)]
    await publish_rules(coalition, OPERATOR, rules)
    before = await count_all(coalition)
    with pytest.raises(TransferCycleGains) as refused:
        await create_brand(coalition, OPERATOR, new_brand("COOP"))
    assert refused.value.cycle == ["AERO", "BEAN", "COOP", "AERO"]
    assert refused.value.gain == "1.5"
    assert await count_all(coalition) == before


async def test_rates_that_could_be_farmed_are_refused(coalition: Coalition) -> None:
    """A valuation by which some rule gains, now or when that begins, changes nothing."""
    await aero(coalition)
    await bean(coalition)
    begins = now() + DAY
    even = RuleTerms(ratio=Ratio(1, 1))
    await publish_rules(coalition, OPERATOR, [NewRule("AERO", "BEAN", even, effective_from=begins)])
    before = await count_all(coalition)
    for moment in (None, begins - DAY / 2, begins + DAY):
        with pytest.raises(TransferCycleGains) as refused:
            await publish(coalition, OPERATOR, "BEAN", TWO_PENCE, moment)
        assert (refused.value.cycle, refused.value.gain) == (["AERO", "BEAN", "AERO"], "2")
    assert await count_all(coalition) == before
    await publish(coalition, OPERATOR, "AERO", TWO_PENCE, None)
    await publish(coalition, OPERATOR, "BEAN", TWO_PENCE, None)


async def test_creating_a_brand_is_on_record(coalition: Coalition) -> None:
    """The record says who created which brand, in which request, and when."""
    brand = await aero(coalition)
    (row,) = await coalition.database.fetch("SELECT * FROM actions")
    assert (row["client"], row["request_id"]) == (OPERATOR.client, OPERATOR.request_id)
    assert (row["action"], row["subject"]) == ("brand.create", "AERO")
    assert row["at"] == int(brand.created_at.timestamp() * 1_000_000)


async def test_only_the_operator_creates_brands(coalition: Coalition) -> None:
    """A brand, an agency and a member cannot create a brand, and nothing changes."""
    brand = await aero(coalition)
    before = await count_all(coalition)
    for caller in (brand_caller(brand), AGENCY, member_caller(new_id(0))):
        with pytest.raises(NotPermitted):
            await create_brand(coalition, caller, new_brand("BEAN"))
    assert await count_all(coalition) == before


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("code", new_brand("A")),
        ("code", new_brand("aero")),
        ("code", new_brand("1AERO")),
        ("code", new_brand("A" * 17)),
        ("code", new_brand("AERO\n")),
        ("name", NewBrand("AERO", "", "P", "UTC", PENNY, FREE)),
        ("name", NewBrand("AERO", " \t", "P", "UTC", PENNY, FREE)),
        ("name", NewBrand("AERO", "x" * 201, "P", "UTC", PENNY, FREE)),
        ("name", NewBrand("AERO", "x\0", "P", "UTC", PENNY, FREE)),
        ("name", NewBrand("AERO", "\ud800", "P", "UTC", PENNY, FREE)),
        ("pointsName", NewBrand("AERO", "A", "", "UTC", PENNY, FREE)),
        ("timeZone", NewBrand("AERO", "A", "P", "Europe/Atlantis", PENNY, FREE)),
        ("timeZone", NewBrand("AERO", "A", "P", "../../etc/passwd", PENNY, FREE)),
        ("timeZone", NewBrand("AERO", "A", "P", "", PENNY, FREE)),
    ],
)
async def test_a_brand_in_bad_form_is_refused(
    coalition: Coalition, path: str, new: NewBrand
) -> None:
    """A brand with a bad code, name or time zone is refused by field, and nothing changes."""
    before = await count_all(coalition)
    with pytest.raises(InvalidInput) as refused:
        await create_brand(coalition, OPERATOR, new)
    assert refused.value.path == path
    assert await count_all(coalition) == before


async def test_a_code_is_one_brands(coalition: Coalition) -> None:
    """Of several brands of one code, created at once or later, one is made."""
    await connect_all(coalition)
    attempts = [create_brand(coalition, OPERATOR, new_brand("AERO")) for _ in range(5)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, BrandCodeTaken) for result in results) == 4
    before = await count_all(coalition)
    with pytest.raises(BrandCodeTaken):
        await aero(coalition)
    assert await count_all(coalition) == before
    assert len(coalition.registry.snapshot.brands) == before["brands"] == 1


async def test_a_valuation_takes_over_from_the_one_before(coalition: Coalition) -> None:
    """A valuation ends where the next begins; one without a beginning begins at once."""
    brand = await aero(coalition)
    at_once = await publish(coalition, brand_caller(brand), "AERO", TWO_PENCE, None)
    begins = now() + DAY
    later = await publish(coalition, OPERATOR, "AERO", RICH, begins)
    first, second, third = coalition.registry.snapshot.valuations(brand.id)
    assert (first.rates, second.rates, third.rates) == (PENNY, TWO_PENCE, RICH)
    assert first.effective_to == second.effective_from == at_once.effective_from
    assert second.effective_to == third.effective_from == later.effective_from == begins
    assert third.effective_to is None
    assert coalition.registry.snapshot.valuation(brand.id) == second
    assert later == third


async def test_publishing_is_on_record(coalition: Coalition) -> None:
    """The record says who published what for which brand."""
    brand = await aero(coalition)
    await publish(coalition, brand_caller(brand), "AERO", RICH, None)
    row = (await coalition.database.fetch("SELECT * FROM actions ORDER BY at"))[-1]
    assert (row["client"], row["action"]) == (brand_caller(brand).client, "valuation.publish")
    assert row["subject"] == "AERO"
    assert orjson.loads(row["details"])["issue_price"] == 40_000


async def test_a_brands_rates_are_its_own(coalition: Coalition) -> None:
    """Another brand, an agency and a member cannot publish a brand's rates; nothing changes."""
    await aero(coalition)
    others = [brand_caller(await bean(coalition)), AGENCY, member_caller(new_id(0))]
    before = await count_all(coalition)
    for caller in others:
        with pytest.raises(NotPermitted):
            await publish(coalition, caller, "AERO", TWO_PENCE, None)
    with pytest.raises(BrandNotFound):
        await publish(coalition, OPERATOR, "NONE", TWO_PENCE, None)
    assert await count_all(coalition) == before


@pytest.mark.parametrize(
    ("begins", "error"),
    [
        (timedelta(microseconds=-1), ValuationInPast),
        (-DAY, ValuationInPast),
        (DAY, ValuationOutOfSequence),  # there is one already that begins then
        (DAY / 2, ValuationOutOfSequence),
        (None, ValuationOutOfSequence),
    ],
)
async def test_a_valuation_begins_after_every_other(
    coalition: Coalition, begins: timedelta | None, error: type[DomainError]
) -> None:
    """A valuation that begins in the past, or not after the latest one, changes nothing."""
    await aero(coalition)
    start = now()
    await publish(coalition, OPERATOR, "AERO", TWO_PENCE, start + DAY)
    before = await count_all(coalition)
    with pytest.raises(error):
        await publish(coalition, OPERATOR, "AERO", RICH, None if begins is None else start + begins)
    assert await count_all(coalition) == before


async def test_a_beginning_has_an_offset(coalition: Coalition) -> None:
    """A local time without an offset is no beginning."""
    await aero(coalition)
    naive = datetime(2100, 1, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidInput):
        await publish(coalition, OPERATOR, "AERO", TWO_PENCE, naive)


@pytest.mark.parametrize("begins", [None, now() + DAY])
async def test_publishing_twice_publishes_once(
    coalition: Coalition, begins: datetime | None
) -> None:
    """The newest valuation published again is answered as it was, and nothing is written."""
    await aero(coalition)
    first = await publish(coalition, OPERATOR, "AERO", TWO_PENCE, begins)
    before = await count_all(coalition)
    assert await publish(coalition, OPERATOR, "AERO", TWO_PENCE, begins) == first
    assert await count_all(coalition) == before


async def test_a_valuation_begins_after_what_is_being_posted(
    coalition_on_postgres: Coalition,
) -> None:
    """Publishing waits for whoever is posting at the brand, and the new valuation begins only
    after that: nothing is ever recorded at a value that was no longer in force."""
    coalition = coalition_on_postgres
    brand = await aero(coalition)
    async with coalition.database.transaction() as posting:
        await posting.fetch(
            "SELECT id FROM accounts WHERE owner_id = $1 AND kind = 'POOL'"
            " ORDER BY book DESC LIMIT 1 FOR NO KEY UPDATE",
            brand.id,
        )
        publishing = asyncio.create_task(publish(coalition, OPERATOR, "AERO", TWO_PENCE, None))
        await asyncio.sleep(0.2)
        assert not publishing.done()
        recorded = await posting.now()
    valuation = await publishing
    assert valuation.effective_from > from_micros(recorded)


async def test_publishing_at_once_keeps_one_order(coalition_on_postgres: Coalition) -> None:
    """Valuations published at the same moment come one after the other, none lost."""
    coalition = coalition_on_postgres
    brand = await aero(coalition)
    await connect_all(coalition)
    made = [
        publish(coalition, OPERATOR, "AERO", rates_of(Decimal(n) / 1_000), None)
        for n in range(1, 9)
    ]
    results = await asyncio.gather(*made)
    await coalition.registry.refresh()
    known = coalition.registry.snapshot.valuations(brand.id)
    assert len(known) == 9
    assert {valuation.effective_from for valuation in known[1:]} == {
        result.effective_from for result in results
    }
    assert [v.effective_to for v in known[:-1]] == [v.effective_from for v in known[1:]]


async def test_the_pools_follow_the_value(coalition: Coalition) -> None:
    """When a new value takes effect, the pools hold outstanding points times that value, and the
    brand's settlement account has paid the difference."""
    brand = await aero(coalition)
    for place in range(6):
        member = await somebody(coalition, ("AERO", None))
        points = 100 + place
        await accrue(
            coalition,
            brand_caller(brand),
            Accrual(member.memberships[0].id, brand.id, points, None, None, None, f"a{place}"),
        )
    await publish(coalition, OPERATOR, "AERO", TWO_PENCE, None)
    rows = await coalition.database.fetch(
        "SELECT kind, sum(balance) AS total FROM accounts WHERE owner_id = $1"
        " AND kind IN ('POOL', 'SETTLEMENT') GROUP BY kind",
        brand.id,
    )
    assert {row["kind"]: int(row["total"]) for row in rows} == {
        "POOL": 615 * 20_000,
        "SETTLEMENT": -615 * 20_000,
    }


async def test_what_the_books_could_not_hold_is_not_published(coalition: Coalition) -> None:
    """A value at which the points out there would be worth more than the books can hold is refused;
    one that is published ahead refuses the brand's postings, and no other's, until a lower one."""
    airline = await aero(coalition)
    await bean(coalition)
    enrolled = await somebody(coalition, ("AERO", None), ("BEAN", None))
    at = {each.brand_id: each.id for each in enrolled.memberships}
    points = MAX_BALANCE // 20_000 + 1
    await accrue(coalition, OPERATOR, _accrual(at[airline.id], airline.id, points))
    with pytest.raises(AmountTooLarge):
        await publish(coalition, OPERATOR, "AERO", TWO_PENCE, None)
    soon = now() + timedelta(seconds=1)
    with pytest.raises(AmountTooLarge):
        await publish(coalition, OPERATOR, "AERO", TWO_PENCE, soon)
    await coalition.database.fetch(
        "INSERT INTO valuations (id, brand_id, redemption_rate, issue_price, transfer_out_rate,"
        " transfer_in_rate, effective_from, published_at) VALUES ($1, $2, $3, $3, $3, $3, $4, $4)",
        *(new_id(0), airline.id, TWO_PENCE.redemption_rate, now_micros()),
    )
    await coalition.database.fetch("UPDATE coalition SET epoch = epoch + 1")
    await coalition.database.fetch("UPDATE accounts SET revision = revision + 1")
    await coalition.registry.refresh()
    for _ in range(2):
        with pytest.raises(AmountTooLarge):
            await accrue(coalition, OPERATOR, _accrual(at[airline.id], airline.id, 1))
    other = next(id for id in at if id != airline.id)
    await accrue(coalition, OPERATOR, _accrual(at[other], other, 1))
    await publish(coalition, OPERATOR, "AERO", PENNY, None)
    await accrue(coalition, OPERATOR, _accrual(at[airline.id], airline.id, 1))


def _accrual(membership: UUID, brand: UUID, points: int) -> Accrual:
    return Accrual(membership, brand, points, None, None, None, f"key-{new_id(0)}")
