"""No farming: by rules that the guard lets through, no transfers end with more than they began."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from random import Random
from typing import NamedTuple
from uuid import UUID

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from brands.moving.arbitrage import Cycle, find_gain
from brands.moving.figures import ConversionRates, for_points_in, for_points_out
from brands.moving.routes import rates_between
from brands.naming.numbers import NumberFormat
from brands.registry import Brand, BrandStatus, Snapshot
from brands.rejections import AmountTooLarge, Rejection
from brands.rules import (
    NO_RULE,
    BlockBonus,
    Fee,
    Pair,
    PercentBonus,
    Ratio,
    RuleTerms,
    TransferRule,
)
from brands.valuations import Rates, Valuation
from tests.brands.rates import AT, lawful_rates, lawful_terms

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
seeds = st.integers(0, 2**64 - 1)
STEPS = 6
"""As many transfers are made in a row."""

Holding = tuple[int, ...]
"""How many points of each brand somebody has."""


class Way(NamedTuple):
    """How points can go from one brand to another, by place: the rates, and a rule's terms."""

    source: int
    destination: int
    rates: ConversionRates
    terms: RuleTerms

    def brings(self, points_out: int) -> int:
        """How many points arrive; none if so many may not leave."""
        try:
            return for_points_out(points_out, self.rates, self.terms, NOON).points_in
        except Rejection:
            return 0

    def allowed(self, points: int) -> int:
        """The most points, of so many, that may leave at once; 0 if none."""
        most = min(points, self.terms.maximum or points)
        most -= most % (self.terms.increment or 1)
        return most if most >= (self.terms.minimum or 1) else 0

    def moves(self, points: int) -> Iterable[int]:
        """Amounts, of so many points, at which something changes: the bounds, multiples of what
        the rule counts by, and their neighbours."""
        terms = self.terms
        units = {terms.increment or 1, terms.minimum or 1}
        if terms.ratio is not None:
            units.add(terms.ratio.from_points)
        if terms.block_bonus is not None:
            units |= {terms.block_bonus.every, terms.block_bonus.every * (terms.increment or 1)}
        tops = {points, self.allowed(points)}
        near = {unit * (top // unit) for unit in units for top in tops} | units | tops
        return sorted(
            n for each in near for n in (each - 1, each, each + 1) if self.allowed(n) == n > 0
        )


def ways_of(made: Snapshot) -> list[Way]:
    """Every way there is, but for those whose sponsor lets cycles gain."""
    found = []
    for source, one in enumerate(made.brands):
        for destination, other in enumerate(made.brands):
            rates = rates_between(made, one.id, other.id, NOON)
            pair = Pair(one.id, other.id)
            general, theirs = made.rule(pair, NOON), made.rule(pair._replace(household=True), NOON)
            laid_down = [NO_RULE if general is None else general.terms]
            if theirs is not None:
                laid_down.append(theirs.terms)
            found += [
                Way(source, destination, rates, terms)
                for terms in laid_down
                if not (terms.closed or terms.allow_cycle)
            ]
    return found


def world(rates: Sequence[Rates], rules: Iterable[tuple[int, int, RuleTerms, bool]]) -> Snapshot:
    """Brands with these rates, and rules from place to place, for everybody or for households."""
    ids = [UUID(int=place + 1) for place in range(len(rates))]
    return Snapshot(
        1,
        [
            Brand(id, f"B{id.int}", "", "", "UTC", BrandStatus.ACTIVE, NumberFormat(), NOON)
            for id in ids
        ],
        [Valuation(id, its, NOON, None) for id, its in zip(ids, rates, strict=True)],
        [
            TransferRule(UUID(int=n), Pair(ids[a], ids[b], home), terms, NOON, None, NOON)
            for n, (a, b, terms, home) in enumerate(rules)
        ],
    )


def terms_near_par(chance: Random, source: int, destination: int) -> RuleTerms:
    """A rule by which a point is worth about as much as before, in ways that gain or do not."""
    times, off = chance.randint(1, 12), chance.choice([(0, 0), (0, 0), (1, 0), (2, 0), (1, 1)])
    ratio = Ratio(destination * times + off[0], source * times + off[1])
    block = BlockBonus(chance.randint(1, 12), chance.randint(1, 2))
    percent = PercentBonus(chance.choice([1, 111_111, 500_000, 1_000_000]))
    return RuleTerms(
        ratio=chance.choice([None, ratio, ratio]),
        minimum=chance.choice([None, chance.randint(1, 9)]),
        maximum=chance.choice([None, None, chance.randint(15, 40)]),
        increment=chance.choice([None, chance.randint(1, 6)]),
        block_bonus=chance.choice([None, None, block]),
        percent_bonus=chance.choice([None, None, percent]),
        fee=Fee(points_share=chance.choice([0, 0, 1, 100_000, 333_333, 500_000])),
        allow_cycle=chance.random() < 0.1,
    )


def random_world(chance: Random, most: int) -> Snapshot:
    """Up to so many brands of some worth to each other, and rules between some of them."""
    worths = [chance.randint(1, 6) for _ in range(chance.randint(1, most))]
    rates = [
        Rates(
            4 * worth, 4 * worth, 4 * worth - chance.randint(0, 3), 4 * worth + chance.randint(0, 3)
        )
        for worth in worths
    ]
    rules = []
    for a, b in product(range(len(worths)), repeat=2):
        if chance.random() < 0.6:
            terms = terms_near_par(chance, worths[a], worths[b])
            rules.append((a, b, RuleTerms(closed=True) if chance.random() < 0.1 else terms, False))
        if chance.random() < 0.1:
            terms = terms_near_par(chance, worths[a], worths[b])
            rules.append((a, b, replace(terms, fee=Fee()), True))
    return world(rates, rules)


def accepted(chance: Random, most: int) -> Snapshot:
    """A random world that the guard lets through."""
    while find_gain(made := random_world(chance, most), NOON) is not None:
        pass
    return made


@settings(max_examples=1_200, deadline=None)
@given(seeds)
def test_going_round_with_everything_gains_nothing(seed: int) -> None:
    """Whichever way the whole of some points goes, for up to six transfers, and in as many parts
    as a maximum asks for: it comes back as no more."""
    chance = Random(seed)
    made = accepted(chance, 4)
    ways, brands = ways_of(made), range(len(made.brands))
    for start in brands:
        begun = chance.randint(1, 300) * chance.choice([1, 60, 2_520, 27_720])
        most = [begun if brand == start else 0 for brand in brands]
        for _ in range(STEPS):
            reached = list(most)
            for way in ways:
                held = most[way.source]
                leaves = way.allowed(held)
                times = held // leaves if leaves else 0
                brought = times * way.brings(leaves)
                reached[way.destination] = max(reached[way.destination], brought)
            most = reached
            assert most[start] <= begun


@settings(max_examples=400, deadline=None)
@given(seeds)
def test_no_six_transfers_of_a_few_points_gain(seed: int) -> None:
    """Of a few points, every way to part them and to move the parts is tried, six times over."""
    chance = Random(seed)
    made = accepted(chance, 3)
    ways, brands, begun = ways_of(made), range(len(made.brands)), chance.randint(1, 12)
    tables = [(way, [0, *(way.brings(n) for n in range(1, 49))]) for way in ways]
    for start in brands:
        frontier: set[Holding] = {tuple(begun if brand == start else 0 for brand in brands)}
        seen = set(frontier)
        for _ in range(STEPS):
            frontier = {after for each in frontier for after in moved(each, tables)} - seen
            seen |= frontier
            assert all(held[start] <= begun for held in frontier)
            frontier = set(sorted(frontier, key=sum)[-150:])


def moved(held: Holding, tables: Sequence[tuple[Way, Sequence[int]]]) -> Iterator[Holding]:
    """What can be held after one transfer more."""
    for way, brings in tables:
        for leaves in range(1, min(held[way.source] + 1, len(brings))):
            if brings[leaves]:
                after = list(held)
                after[way.source] -= leaves
                after[way.destination] += brings[leaves]
                yield tuple(after)


@settings(max_examples=600, deadline=None)
@given(seeds)
def test_no_wandering_gains(seed: int) -> None:
    """Parts of points that wander about, in amounts just at, above and below what rules count by,
    are never more of the brand that they began at."""
    chance = Random(seed)
    made = accepted(chance, 4)
    ways, begun = ways_of(made), chance.randint(1, 5_000)
    for start in range(len(made.brands)):
        for _ in range(4):
            held = [begun if brand == start else 0 for brand in range(len(made.brands))]
            for _ in range(STEPS):
                open_ways = [way for way in ways if any(way.moves(held[way.source]))]
                if not open_ways:
                    break
                way = chance.choice(open_ways)
                leaves = chance.choice([n for n in way.moves(held[way.source]) if n <= begun * 99])
                if leaves <= held[way.source]:
                    held[way.source] -= leaves if (brought := way.brings(leaves)) else 0
                    held[way.destination] += brought
                assert held[start] <= begun


@settings(max_examples=400, deadline=None)
@given(seeds)
def test_what_is_refused_does_gain(seed: int) -> None:
    """A cycle that the guard names makes more of enough points, where no maximum is in the way."""
    made = random_world(Random(seed), 4)
    cycle = find_gain(made, NOON)
    assume(cycle is not None)
    assert cycle is not None
    ways = [way._replace(terms=replace(way.terms, maximum=None)) for way in ways_of(made)]
    assert gone_round(cycle, made, ways) > 1


def gone_round(cycle: Cycle, made: Snapshot, ways: Sequence[Way]) -> float:
    """What very many points become by going round, for each of them."""
    places = [brand.id for brand in made.brands]
    route = [places.index(brand) for brand in cycle.brands]
    held = begun = 10**14
    for source, destination in zip(route, [*route[1:], route[0]], strict=True):
        held = max(
            way.brings(way.allowed(held) - way.allowed(held) % (block_of(way) or 1))
            for way in ways
            if (way.source, way.destination) == (source, destination)
        )
    return held / begun


def block_of(way: Way) -> int | None:
    """How many points make a block that a bonus is given for."""
    return way.terms.block_bonus.every * (way.terms.increment or 1) if way.terms.block_bonus else 0


points = st.integers(1, 2**53 - 1) | st.integers(1, 1_000_000)


@settings(max_examples=300)
@given(lawful_rates(), lawful_terms(), points, st.booleans())
def test_no_more_value_arrives_than_left_and_was_paid(
    rates: ConversionRates, terms: RuleTerms, number: int, asked: bool
) -> None:
    """What arrives is worth no more than what left and what the sponsor pays, at redemption rates
    and at those of transfers."""
    try:
        reckon = for_points_in if asked else for_points_out
        figures = reckon(number, rates, terms, AT)
    except (AmountTooLarge, Rejection):
        assume(False)
        raise
    left = figures.points_out * rates.source_value + figures.sponsored
    assert figures.points_in * rates.destination_value <= left
    if rates.source_brand != rates.destination_brand:
        carried = figures.points_out * rates.transfer_out_rate + figures.sponsored
        assert figures.points_in * rates.transfer_in_rate <= carried
