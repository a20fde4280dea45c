"""Transfers by rules: what is refused and with which figures, what is locked, and who pays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from brands.clock import from_micros, now
from brands.coalition import Coalition, open_coalition
from brands.database import as_uuid
from brands.errors import QuoteNotFound
from brands.ids import new_id
from brands.money import Money
from brands.moving.exchange import exchange_rate
from brands.moving.pooling import answer, invite
from brands.moving.quotes import preview, quote
from brands.moving.routes import TransferRequest
from brands.moving.transferring import Made, create, reverse
from brands.moving.transfers import transfers_by_id
from brands.publishing import publish
from brands.rejections import (
    AmountTooLarge,
    InsufficientPoints,
    MembershipTooNew,
    PointsInBelowMinimum,
    QuoteExpired,
    QuoteUsed,
    Rejection,
    TransferAboveMaximum,
    TransferBelowMinimum,
    TransferLimitReached,
    TransferNotInIncrement,
    TransferPairClosed,
    TransferTooSmall,
)
from brands.rules import (
    BlockBonus,
    Direction,
    Fee,
    Limit,
    LotExpiry,
    PercentBonus,
    Period,
    Ratio,
    RuleTerms,
)
from brands.valuations import rates_of
from tests.brands.sending import Scene, scene, sent
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    acting_for,
    all_money,
    balances,
    changed,
    everything,
    key,
    lay_down,
    require_sound,
)

HOUR = timedelta(hours=1)
THREE_TO_ONE = RuleTerms(
    ratio=Ratio(3, 1), minimum=30, maximum=900, increment=3, block_bonus=BlockBonus(600, 50)
)


def month_out(points: int | None = None, count: int | None = None) -> Limit:
    """A limit on what leaves in a month."""
    return Limit(Period.MONTH, Direction.OUT, points, count)


def _request(points_out: int | None = None, points_in: int | None = None) -> TransferRequest:
    """To be completed with the memberships."""
    return TransferRequest(new_id(0), None, points_out=points_out, points_in=points_in)


REFUSALS: dict[str, tuple[RuleTerms, TransferRequest, Rejection]] = {
    "a closed pair": (
        RuleTerms(closed=True),
        _request(1),
        TransferPairClosed(source="AERO", destination="HOTEL"),
    ),
    "too few": (THREE_TO_ONE, _request(29), TransferBelowMinimum(minimum=30)),
    "too many": (THREE_TO_ONE, _request(901), TransferAboveMaximum(maximum=900)),
    "too many to leave": (THREE_TO_ONE, _request(None, 351), TransferAboveMaximum(maximum=900)),
    "off the step": (
        THREE_TO_ONE,
        _request(31),
        TransferNotInIncrement(increment=3, nearest_below=30, nearest_above=33),
    ),
    "off the step at the end": (
        replace(THREE_TO_ONE, increment=7),
        _request(899),
        TransferNotInIncrement(increment=7, nearest_below=896, nearest_above=None),
    ),
    "too small": (
        RuleTerms(ratio=Ratio(3, 1)),
        _request(2),
        TransferTooSmall(points_out=2, minimum=3),
    ),
    "too large": (
        RuleTerms(fee=Fee(per_point=1_000_000_000)),
        _request(2**53 - 1),
        AmountTooLarge(),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_a_rule_does_not_allow_is_refused(coalition: Coalition, name: str) -> None:
    """A preview, a quote and a transfer are refused by the rule in the same words and with its
    figures; the transfer for good, though the rule is another by now; and nothing changes."""
    terms, bare, expected = REFUSALS[name]
    it = await scene(coalition)
    await lay_down(coalition, "AERO", "HOTEL", terms)
    request = replace(bare, source=it.ada.at["AERO"], destination=it.ada.at["HOTEL"])
    if not isinstance(expected, TransferPairClosed):
        path = "pointsIn" if request.points_out is None else "pointsOut"
        expected = replace(expected, path=path)
    before, once = await everything(coalition), key()
    for way in (preview, quote):
        with pytest.raises(Rejection) as told:
            await way(coalition, it.ada.caller, request)
        assert told.value == expected
    for replayed in (False, True):
        with pytest.raises(Rejection) as refusal:
            await create(coalition, it.ada.caller, request, None, once)
        assert refusal.value == replace(expected, replayed=replayed)
        await lay_down(coalition, "AERO", "HOTEL", RuleTerms(ratio=Ratio(2, 1)))
    assert await everything(coalition) == before


async def test_a_membership_too_new(coalition: Coalition) -> None:
    """Points leave a membership that is new from the instant on that the rule's days are over; her
    own destination's age is told her too."""
    it = await scene(coalition)
    rows = await coalition.database.fetch("SELECT id, joined_at FROM memberships")
    joined = {as_uuid(row["id"]): from_micros(row["joined_at"]) for row in rows}
    for terms, side in (
        (RuleTerms(membership_age_days=30), "AERO"),
        (RuleTerms(recipient_age_days=30), "HOTEL"),
    ):
        await lay_down(coalition, "AERO", "HOTEL", terms)
        with pytest.raises(MembershipTooNew) as refusal:
            await create(coalition, it.ada.caller, it.conversion(), None, key())
        assert refusal.value.eligible_at == joined[it.ada.at[side]] + timedelta(days=30)
        await coalition.database.fetch(
            "UPDATE memberships SET joined_at = joined_at - $2 WHERE id = $1",
            *(it.ada.at[side], 30 * 86_400_000_000),
        )
        await sent(coalition, it, it.conversion())


async def test_refusals_come_in_one_order(coalition: Coalition) -> None:
    """Of several things that are wrong the first is told: the age, the minimum, the step, the
    limit, and what the points are fewer than at last."""
    it = await scene(coalition)
    terms = RuleTerms(
        minimum=2_000, increment=7, membership_age_days=1, limits=(month_out(points=1_500),)
    )
    steps: list[tuple[RuleTerms, int, type[Rejection]]] = [
        (terms, 1_999, MembershipTooNew),
        (replace(terms, membership_age_days=0), 1_999, TransferBelowMinimum),
        (replace(terms, membership_age_days=0), 2_001, TransferNotInIncrement),
        (replace(terms, membership_age_days=0), 2_002, TransferLimitReached),
        (replace(terms, membership_age_days=0, limits=()), 2_002, InsufficientPoints),
    ]
    for rule, leaving, error in steps:
        await lay_down(coalition, "AERO", "HOTEL", rule)
        with pytest.raises(Rejection) as refusal:
            await create(coalition, it.ada.caller, it.conversion(leaving), None, key())
        assert type(refusal.value) is error


async def test_a_rule_decides_what_arrives(coalition: Coalition) -> None:
    """By ratio and bonus so many arrive; asked for so many, the least that does it leaves."""
    it = await scene(coalition)
    rule = await lay_down(coalition, "AERO", "HOTEL", THREE_TO_ONE)
    made = await sent(coalition, it, it.conversion(600))
    assert (made.terms.base_points, made.terms.bonus_points) == (200, 50)
    assert (made.terms.rule, made.terms.effective_rate) == (rule, Decimal("0.416666666667"))
    asked = TransferRequest(it.ada.at["AERO"], it.ada.at["HOTEL"], points_in=99)
    terms = await preview(coalition, it.ada.caller, asked)
    assert (terms.points_out, terms.points_in) == (297, 99)
    small = replace(asked, points_in=1)
    assert (await preview(coalition, it.ada.caller, small)).points_out == 30
    with pytest.raises(PointsInBelowMinimum) as refusal:
        await create(coalition, it.ada.caller, it.conversion(300), 101, key())
    assert (refusal.value.points_in, refusal.value.minimum) == (100, 101)
    await require_sound(coalition)


@pytest.mark.parametrize(
    "since",
    [RuleTerms(closed=True), RuleTerms(minimum=999), RuleTerms(ratio=Ratio(900, 1)), RuleTerms()],
)
async def test_a_quote_holds_whatever_is_published(coalition: Coalition, since: RuleTerms) -> None:
    """A quote gives exactly its figures, though new rates and another rule, even one that closes
    the pair, have been published since."""
    it = await scene(coalition)
    terms = replace(THREE_TO_ONE, fee=Fee(flat=1_000_000, points_share=50_000))
    await lay_down(coalition, "AERO", "HOTEL", terms)
    offer = await quote(coalition, it.ada.caller, it.conversion(600))
    await lay_down(coalition, "AERO", "HOTEL", since)
    await publish(coalition, OPERATOR, "AERO", rates_of(Decimal("0.009")), None)
    await publish(coalition, OPERATOR, "HOTEL", rates_of(Decimal("0.014")), None)
    with pytest.raises(QuoteNotFound):
        await create(coalition, AGENCY, offer.id, None, key())
    made = await create(coalition, it.ada.caller, offer.id, offer.terms.points_in, key())
    assert made.transfer.terms == offer.terms
    assert (offer.terms.points_in, offer.terms.fee_points) == (190 + 50, 30)
    assert await balances(coalition, list(it.ada.at.values())) == [400, 240]
    with pytest.raises(QuoteUsed):
        await create(coalition, it.ada.caller, offer.id, None, key())
    await require_sound(coalition)


async def test_a_quote_keeps_a_bonus_that_is_over(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a window gave when a quote was made, it gives when that is executed; a quote that
    expired gives nothing, and a new one no bonus."""
    it = await scene(coalition)
    terms = RuleTerms(ratio=Ratio(2, 1), percent_bonus=PercentBonus(250_000, ends=now() + HOUR))
    await lay_down(coalition, "AERO", "HOTEL", terms)
    offer = await quote(coalition, it.ada.caller, it.conversion(100))
    with monkeypatch.context() as patched:
        patched.setattr("brands.moving.quotes.QUOTE_LASTS", 0)
        expired = await quote(coalition, it.ada.caller, it.conversion(100))
    monkeypatch.setattr("brands.moving.quotes.now", lambda: now() + HOUR)
    assert (await preview(coalition, it.ada.caller, it.conversion(100))).points_in == 50
    made = await create(coalition, it.ada.caller, offer.id, None, key())
    assert (made.transfer.terms.points_in, made.transfer.terms.bonus_points) == (62, 12)
    with pytest.raises(QuoteExpired) as refusal:
        await create(coalition, it.ada.caller, expired.id, None, key())
    assert refusal.value.expired_at == expired.expires_at


@pytest.mark.parametrize("sponsor", [None, "HOTEL", "COFFEE"])
async def test_a_sponsor_pays_for_what_the_rates_do_not_give(
    coalition: Coalition, sponsor: str | None
) -> None:
    """What arrives beyond the rates is paid by the sponsor, else by the brand that the points
    leave, at the rate for points that arrive; the margin is what it would be."""
    it = await scene(coalition)
    await lay_down(coalition, "AERO", "HOTEL", RuleTerms(ratio=Ratio(4, 3)), sponsor=sponsor)
    before = await all_money(coalition)
    await sent(coalition, it, it.conversion(100))
    assert await balances(coalition, list(it.ada.at.values())) == [900, 75]
    assert changed(before, await all_money(coalition)) == {
        "AERO.POOL": -100 * 10_000,
        "HOTEL.POOL": 75 * 12_000,
        f"{sponsor or 'AERO'}.SETTLEMENT": -(75 - 64) * 12_500,
        "MARGIN": 100 * 10_000 + 11 * 12_500 - 75 * 12_000,
    }
    await require_sound(coalition)


async def test_a_fee_is_collected_by_the_brand_that_the_points_leave(coalition: Coalition) -> None:
    """The fee goes from that brand to the coalition; points kept as a fee become nobody's."""
    it = await scene(coalition)
    fee = Fee(flat=500_000, per_point=600, cap=540_000, points_share=100_000)
    await lay_down(coalition, "AERO", "HOTEL", RuleTerms(fee=fee))
    before = await all_money(coalition)
    made = await sent(coalition, it, it.conversion(100))
    assert made.terms.fee == Money(540_000, "USD")
    assert (made.terms.fee_points, made.terms.points_in) == (10, 57)
    assert changed(before, await all_money(coalition)) == {
        "AERO.POOL": -100 * 10_000,
        "AERO.SETTLEMENT": -540_000,
        "HOTEL.POOL": 57 * 12_000,
        "MARGIN": 100 * 10_000 + 540_000 - 57 * 12_000,
    }
    await reverse(coalition, OPERATOR, made.id, None, "oops", key())
    assert await all_money(coalition) == before
    await require_sound(coalition)


async def test_the_rate_of_exchange_is_the_rules(coalition: Coalition) -> None:
    """Where a rule lays down a ratio, that is the rate of exchange, and the rule is shown; where
    the pair is closed, the rates are."""
    await scene(coalition)
    rule = await lay_down(coalition, "AERO", "HOTEL", THREE_TO_ONE)
    rate = exchange_rate(coalition, "AERO", "HOTEL")
    assert (rate.points_out, rate.points_in, rate.rule) == (3, 1, rule)
    assert (rate.value_out.amount, rate.value_in.amount) == (Decimal("0.03"), Decimal("0.012"))
    closed = await lay_down(coalition, "AERO", "HOTEL", RuleTerms(closed=True))
    rate = exchange_rate(coalition, "AERO", "HOTEL")
    assert (rate.points_out, rate.points_in, rate.rule) == (25, 16, closed)
    assert exchange_rate(coalition, "AERO", "HOTEL", datetime(2000, 1, 1, tzinfo=UTC)).rule is None


async def pool(coalition: Coalition, it: Scene) -> None:
    """Ada and Bea become a household."""
    invitation = await invite(coalition, it.ada.caller, it.bea.named["AERO"])
    await answer(coalition, it.bea.caller, invitation.id, accept=True)


async def test_a_household_has_a_rule_of_its_own(coalition: Coalition) -> None:
    """Between members of one household its rule is in force, if there is one, and else everybody's;
    for others, for conversions, and for a brand, who is not to know, it does not count."""
    it = await scene(coalition)
    general = await lay_down(coalition, "AERO", "AERO", RuleTerms(fee=Fee(flat=9_000_000)))
    assert (await preview(coalition, it.ada.caller, it.gift())).rule == general
    await pool(coalition, it)
    assert (await preview(coalition, it.ada.caller, it.gift())).rule == general
    terms = RuleTerms(limits=(month_out(count=1),), lot_expiry=LotExpiry.FRESH)
    theirs = await lay_down(coalition, "AERO", "AERO", terms, household=True)
    converting = await lay_down(coalition, "AERO", "HOTEL", terms, household=True)
    made = await sent(coalition, it, it.gift())
    assert (made.terms.rule, made.terms.fee) == (theirs, None)
    with pytest.raises(TransferLimitReached):
        await sent(coalition, it, it.gift())
    assert (await preview(coalition, it.ada.caller, it.gift(to="HOTEL"))).rule == converting
    assert (await preview(coalition, it.ada.caller, it.conversion())).rule is None
    aero = acting_for(it.brands["AERO"])
    assert (await preview(coalition, aero, it.gift())).rule == general
    await require_sound(coalition)


async def test_a_gateway_that_has_not_heard_of_a_rule(url: str, coalition: Coalition) -> None:
    """What another gateway quoted and made by a rule that this one has not heard of yet, this one
    reads, executes and answers again all the same."""
    it = await scene(coalition)
    other, once = await open_coalition(url), key()
    try:
        await lay_down(other, "AERO", "HOTEL", THREE_TO_ONE)
        offer = await quote(other, it.ada.caller, it.conversion(300))
        made = await create(other, it.ada.caller, it.conversion(300), None, once)
    finally:
        await other.close()
    stale = coalition.registry.snapshot
    for learns in (
        lambda: create(coalition, it.ada.caller, it.conversion(300), None, once),
        lambda: create(coalition, it.ada.caller, offer.id, None, key()),
        lambda: transfers_by_id(coalition, it.ada.caller, [made.transfer.id]),
    ):
        coalition.registry.snapshot = stale
        await learns()
    again = await create(coalition, it.ada.caller, it.conversion(300), None, once)
    assert again == Made(made.transfer, replayed=True)
    assert await balances(coalition, list(it.ada.at.values())) == [400, 200]
