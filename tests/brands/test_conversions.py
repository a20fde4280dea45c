"""What a transfer posts: nothing comes from nowhere, and the margin never loses."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from brands.ids import new_id
from brands.ledger.chart import COALITION, MONEY, AccountKind, stripe
from brands.ledger.commands import Posting
from brands.money import MAX_POINTS
from brands.moving.conversions import arrival, conversion, departure
from brands.moving.figures import ConversionRates, Figures, for_points_in, for_points_out
from brands.rejections import Rejection
from brands.rules import NO_RULE, BlockBonus, Fee, Ratio, RuleTerms
from tests.brands.rates import (
    AT,
    SPONSOR,
    A,
    B,
    between,
    lawful_rates,
    lawful_terms,
    rated,
    within,
)

BOOK, OTHER_BOOK = 3, 5
SOURCE, DESTINATION = new_id(BOOK), new_id(BOOK)
CARRIERS = (AccountKind.CLEARING, AccountKind.TRANSIT)


def totals(legs: Iterable[Posting]) -> Counter[UUID]:
    """What each account gains, or loses."""
    found: Counter[UUID] = Counter()
    for leg in legs:
        found[leg.source] -= leg.amount
        found[leg.destination] += leg.amount
    return Counter({account: amount for account, amount in found.items() if amount})


def account(owner: UUID, kind: AccountKind) -> UUID:
    """A stripe of the book."""
    return stripe(BOOK, owner, kind)


MARGIN = account(COALITION, AccountKind.MARGIN)


def test_the_money_follows_the_points() -> None:
    """1,000 points at 0.0045 into 0.0061 take 4.50 from one pool, bring 4.4957 to the other, and
    leave the rest as margin."""
    rates = rated(4_500, 6_100)
    figures = for_points_out(1_000, rates, NO_RULE, AT)
    assert totals(conversion(BOOK, SOURCE, DESTINATION, rates, figures, A)) == {
        SOURCE: -1_000,
        account(A, AccountKind.CONVERTED): 1_000,
        account(B, AccountKind.CONVERTED): -737,
        DESTINATION: 737,
        account(A, AccountKind.POOL): -4_500_000,
        account(B, AccountKind.POOL): 4_495_700,
        MARGIN: 4_300,
    }


def test_the_sponsor_pays_and_the_source_collects_the_fee() -> None:
    """What a rule gives beyond the rates is the sponsor's; the fee, the brand's that points leave,
    which has it from the member."""
    rates = between((8_000, 9_000, 9_500), (10_000, 12_000, 12_500))
    terms = RuleTerms(block_bonus=BlockBonus(500, 100), fee=Fee(flat=250_000))
    figures = for_points_out(1_000, rates, terms, AT)
    found = totals(conversion(BOOK, SOURCE, DESTINATION, rates, figures, SPONSOR))
    paid = 200 * 12_500
    assert found == {
        SOURCE: -1_000,
        account(A, AccountKind.CONVERTED): 1_000,
        account(B, AccountKind.CONVERTED): -840,
        DESTINATION: 840,
        account(A, AccountKind.POOL): -9_000_000,
        account(B, AccountKind.POOL): 840 * 12_000,
        account(SPONSOR, AccountKind.SETTLEMENT): -paid,
        account(A, AccountKind.SETTLEMENT): -250_000,
        MARGIN: 9_000_000 + paid + 250_000 - 840 * 12_000,
    }


def test_a_brand_that_sponsors_what_leaves_it_pays_both() -> None:
    """As its own sponsor, the source brand pays sponsored points and fee from one account."""
    terms = RuleTerms(ratio=Ratio(1, 2), fee=Fee(flat=7))
    figures = for_points_out(10, rated(100, 100), terms, AT)
    found = totals(conversion(BOOK, SOURCE, DESTINATION, rated(100, 100), figures, A))
    assert found[account(A, AccountKind.SETTLEMENT)] == -(10 * 100 + 7)


def test_a_gift_moves_the_money_between_books() -> None:
    """Within a brand, the money behind the points leaves one book's pool and reaches the other's,
    by way of what each book calls clearing."""
    rates = within((8_000, 10_000, 12_500))
    figures = for_points_out(100, rates, NO_RULE, AT)
    leaving, arriving = (stripe(b, COALITION, AccountKind.CLEARING) for b in (BOOK, OTHER_BOOK))
    recipient = new_id(OTHER_BOOK)
    assert totals(departure(BOOK, SOURCE, rates, figures, A, leaving)) == {
        SOURCE: -100,
        account(A, AccountKind.CONVERTED): 100,
        account(A, AccountKind.POOL): -1_000_000,
        leaving: 1_000_000,
    }
    assert totals(arrival(OTHER_BOOK, recipient, rates, figures, arriving)) == {
        recipient: 100,
        stripe(OTHER_BOOK, A, AccountKind.CONVERTED): -100,
        stripe(OTHER_BOOK, A, AccountKind.POOL): 1_000_000,
        arriving: -1_000_000,
    }


def test_what_would_move_nothing_is_not_posted() -> None:
    """A conversion without sponsor or fee has two legs of points and two of money."""
    figures = for_points_out(100, rated(100, 100), NO_RULE, AT)
    assert len(conversion(BOOK, SOURCE, DESTINATION, rated(100, 100), figures, A)) == 4


points = st.integers(1, MAX_POINTS) | st.integers(1, 1_000_000)


@given(lawful_rates(), lawful_terms(), points, st.booleans(), st.sampled_from(CARRIERS))
def test_no_transfer_gives_more_than_it_takes(
    rates: ConversionRates, terms: RuleTerms, number: int, asked: bool, kind: AccountKind
) -> None:
    """By any rule that could be published, points leave and arrive whole, each pool changes by just
    what is behind its points, the carrier keeps nothing, and the margin never loses: so the value
    that comes in covers the value that goes out."""
    figures = figures_of(rates, terms, number, asked)
    carrier = account(COALITION, kind)
    out = departure(BOOK, SOURCE, rates, figures, SPONSOR, carrier)
    into = arrival(BOOK, DESTINATION, rates, figures, carrier)
    for legs in ((*out, *into), conversion(BOOK, SOURCE, DESTINATION, rates, figures, SPONSOR)):
        found = totals(legs)
        assert found[SOURCE] == -figures.points_out
        assert found[DESTINATION] == figures.points_in
        assert pools(found, rates) == (
            figures.points_in * rates.destination_value - figures.points_out * rates.source_value
        )
        assert found[account(SPONSOR, AccountKind.SETTLEMENT)] == -figures.sponsored
        assert found[account(A, AccountKind.SETTLEMENT)] == -figures.fee
        assert found[carrier] == 0
        assert found[MARGIN] >= 0
    assert totals((*out, *into))[MARGIN] == totals(out)[MARGIN]


@given(lawful_rates(), lawful_terms(), points, st.booleans())
def test_every_posting_moves_something(
    rates: ConversionRates, terms: RuleTerms, number: int, asked: bool
) -> None:
    """No posting is of nothing, or from an account to itself, or between units."""
    figures = figures_of(rates, terms, number, asked)
    brands = {rates.source_brand, rates.destination_brand}
    for leg in conversion(BOOK, SOURCE, DESTINATION, rates, figures, SPONSOR):
        assert leg.amount > 0
        assert leg.source != leg.destination
        assert leg.unit in {MONEY, *brands}
        assert (leg.unit == MONEY) == (not {leg.source, leg.destination} & {SOURCE, DESTINATION})


def pools(found: Counter[UUID], rates: ConversionRates) -> int:
    """What the pools of the two brands gain, or of the one."""
    brands = {rates.source_brand, rates.destination_brand}
    return sum(found[account(brand, AccountKind.POOL)] for brand in brands)


def figures_of(rates: ConversionRates, terms: RuleTerms, number: int, asked: bool) -> Figures:
    """The figures of a transfer of so many points, or for so many, if it is allowed."""
    try:
        if asked:
            return for_points_in(number, rates, terms, AT)
        step = terms.increment or 1
        number = max(terms.minimum or 1, min(number, terms.maximum or number))
        return for_points_out(number // step * step, rates, terms, AT)
    except Rejection:
        assume(False)
        raise
