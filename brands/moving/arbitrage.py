"""The guard against farming: no cycle of transfers may end with more points than it began with.

A graph of brands: an edge from A to B weighs the most points of B that can arrive for one of A,
by the rules and rates in force at an instant. A cycle gains if the product of its weights is
above one. That is so for none if, and only if, each brand's point can be given a value (a
potential) that no edge raises: weight x value of B <= value of A. The search for such values is
Bellman-Ford's, multiplied instead of added, in exact integers: the values begin at the redemption
rates, which the rates alone never raise (i >= v >= o), so that only rules cost anything.

Pure. An edge is looked at again only when the value at its head has risen. Lawful rules of 200
brands take a fraction of a second; the worst that could be contrived (values that rise along a
chain through every brand) is bounded by brands^3 looks, in which case it is seconds.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from math import gcd
from typing import NamedTuple
from uuid import UUID

from brands.errors import TransferCycleGains
from brands.registry import Snapshot
from brands.rules import Pair, TransferRule, best_parts, in_force, instants_of

GAIN_DIGITS = 12

_LONGEST = 4_096
"""Bits of a value beyond which all begin anew: they grow with every change of rates in a cycle."""

_FRACTION = 64
"""Bits of a value's fraction that are kept ready, so that its own are seldom needed."""


class Cycle(NamedTuple):
    """The brands of a cycle that gains, each once, and what one point becomes by going round."""

    brands: tuple[UUID, ...]
    gain: Fraction


def require_no_gain(snapshot: Snapshot, begins: datetime, ends: datetime | None = None) -> None:
    """Raises `TransferCycleGains` if some cycle gains at some instant from `begins` until `ends`.

    Rates, rules and windows change at known instants only: those are looked at.
    """
    cycle = find_gain(snapshot, begins, ends)
    if cycle is not None:
        codes = [snapshot.brand_by_id(brand).code for brand in cycle.brands]
        raise TransferCycleGains(cycle=[*codes, codes[0]], gain=gain_as_text(cycle.gain))


def find_gain(snapshot: Snapshot, begins: datetime, ends: datetime | None = None) -> Cycle | None:
    """A cycle that gains at some instant from `begins` until `ends`; None if there is none."""
    graph = _Graph(snapshot, begins)
    found = graph.settle()
    if found is None:
        for at, changed in _changes(snapshot, begins, ends):
            found = graph.move_to(at, changed)
            if found is not None:
                break
    return found


def gain_as_text(gain: Fraction) -> str:
    """A gain, which is above one, in at most 12 digits, and still above one if it needs more.

    Rounded down, so that no more is claimed than is so; up, where that would leave one.
    """
    top, bottom = Decimal(gain.numerator), Decimal(gain.denominator)
    rounded = Context(prec=GAIN_DIGITS, rounding=ROUND_FLOOR).divide(top, bottom)
    if rounded <= 1:
        rounded = Context(prec=GAIN_DIGITS, rounding=ROUND_CEILING).divide(top, bottom)
    return f"{rounded.normalize():f}"


class _Changed(NamedTuple):
    """What changes at an instant: rules of these pairs, rates of these brands."""

    pairs: set[tuple[UUID, UUID]]
    brands: set[UUID]


def _changes(
    snapshot: Snapshot, begins: datetime, ends: datetime | None
) -> Iterator[tuple[datetime, _Changed]]:
    """The instants after `begins`, and before `ends`, at which anything changes, in order."""
    changes: dict[datetime, _Changed] = {}

    def at(instant: datetime | None) -> _Changed | None:
        if instant is None or instant <= begins or (ends is not None and instant >= ends):
            return None
        return changes.setdefault(instant, _Changed(set(), set()))

    for brand in snapshot.brands:
        for valuation in snapshot.valuations(brand.id):
            if (changed := at(valuation.effective_from)) is not None:
                changed.brands.add(brand.id)
    for pair, history in snapshot.histories():
        for rule in history:
            for instant in instants_of(rule):
                if (changed := at(instant)) is not None:
                    changed.pairs.add((pair.source_brand, pair.destination_brand))
    return iter(sorted(changes.items()))


class _Graph:
    """The weights of all edges at an instant, and values that none of them raises.

    Brands are numbered. Weights are fractions of integers, by head and then tail, because values
    are handed from heads to tails; 0/1 is no edge.
    """

    def __init__(self, snapshot: Snapshot, at: datetime) -> None:
        self._snapshot = snapshot
        self._at = at
        self._ids = [brand.id for brand in snapshot.brands]
        self._places = {brand: place for place, brand in enumerate(self._ids)}
        size = range(len(self._ids))
        self._rules: list[list[tuple[TransferRule, ...]]] = [[()] * len(size) for _ in size]
        self._household: dict[tuple[int, int], tuple[TransferRule, ...]] = {}
        for pair, history in snapshot.histories():
            self._keep(pair, history)
        self._rates = [self._rates_of(brand) for brand in size]
        outs = [out for out, _, _ in self._rates]
        self._nums = [list(outs) for _ in size]
        self._dens = [[into] * len(size) for _, into, _ in self._rates]
        for brand in size:
            self._nums[brand][brand] = self._dens[brand][brand] = 1
        self._begin_anew()
        self._reweigh((tail, head) for head in size for tail in size if self._rules[head][tail])
        self._reweigh((tail, head) for tail, head in self._household)

    def _keep(self, pair: Pair, history: tuple[TransferRule, ...]) -> None:
        tail, head = self._places[pair.source_brand], self._places[pair.destination_brand]
        if pair.household:
            self._household[tail, head] = history
        else:
            self._rules[head][tail] = history

    def _rates_of(self, brand: int) -> tuple[int, int, int]:
        rates = self._snapshot.valuation(self._ids[brand], self._at).rates
        return rates.transfer_out_rate, rates.transfer_in_rate, rates.redemption_rate

    def _begin_anew(self) -> None:
        """Values each brand's point at its redemption rate; every edge is to be looked at."""
        self._tops = [value for _, _, value in self._rates]
        self._bottoms = [1] * len(self._ids)
        self._lows = [value << _FRACTION for value in self._tops]
        self._highs = list(self._lows)
        self._next = [-1] * len(self._ids)
        self._risen = list(range(len(self._ids)))

    def _reweigh(self, edges: Iterable[tuple[int, int]]) -> None:
        for tail, head in edges:
            self._nums[head][tail], self._dens[head][tail] = self._weight(tail, head)

    def _weight(self, tail: int, head: int) -> tuple[int, int]:
        """The better of what everybody can have and what members of one household can."""
        plain = (1, 1) if tail == head else (self._rates[tail][0], self._rates[head][1])
        rule = in_force(self._rules[head][tail], self._at)
        general = plain if rule is None else self._by_rule(rule, plain)
        theirs = in_force(self._household.get((tail, head), ()), self._at)
        if theirs is None:
            return general
        household = self._by_rule(theirs, plain)
        is_better = household[0] * general[1] > general[0] * household[1]
        return household if is_better else general

    def _by_rule(self, rule: TransferRule, plain: tuple[int, int]) -> tuple[int, int]:
        if rule.terms.closed or rule.terms.allow_cycle:
            return 0, 1
        return best_parts(rule.terms, plain, self._at)

    def move_to(self, at: datetime, changed: _Changed) -> Cycle | None:
        """A cycle that gains at a later instant, at which this has changed."""
        self._at = at
        edges = {(self._places[tail], self._places[head]) for tail, head in changed.pairs}
        for brand in (self._places[brand] for brand in changed.brands):
            self._rates[brand] = self._rates_of(brand)
            for other in range(len(self._ids)):
                edges |= {(brand, other), (other, brand)}
        self._reweigh(edges)
        heads = {head for tail, head in edges if self._is_raised(tail, head)}
        if not heads:
            return None
        if max(top.bit_length() for top in self._tops) > _LONGEST:
            self._begin_anew()
        else:
            self._next = [-1] * len(self._ids)
            self._risen = sorted(heads)
        return self.settle()

    def settle(self) -> Cycle | None:
        """Raises values until no edge raises any, or a cycle is found that gains."""
        while self._risen:
            waiting = self._risen
            self._risen = []
            for head in waiting:
                self._risen += self._raise_tails(head)
            # Turned round, so that values which rise along a chain do not rise a step at a time.
            self._risen = sorted(set(self._risen), reverse=waiting[0] < waiting[-1])
            looped = self._loop()
            if looped:
                return self._cycle(self._pair_that_gains() or looped)
        return None

    def _raise_tails(self, head: int) -> list[int]:
        """Raises every value that a point of `head` at the end of an edge is worth more than."""
        high = self._highs[head]
        raised = [
            tail
            for tail, (num, den, low) in enumerate(
                zip(self._nums[head], self._dens[head], self._lows, strict=True)
            )
            if num * high > den * low and self._is_raised(tail, head)
        ]
        for tail in raised:
            num = self._nums[head][tail] * self._tops[head]
            den = self._dens[head][tail] * self._bottoms[head]
            divisor = gcd(num, den)
            self._set(tail, num // divisor, den // divisor)
            self._next[tail] = head
        return raised

    def _is_raised(self, tail: int, head: int) -> bool:
        """Whether an edge raises the value of a point at its tail."""
        worth = self._nums[head][tail] * self._tops[head] * self._bottoms[tail]
        return worth > self._tops[tail] * self._dens[head][tail] * self._bottoms[head]

    def _set(self, brand: int, top: int, bottom: int) -> None:
        """Sets a value, and the whole multiples of 2^-64 next to it: mostly those tell enough."""
        self._tops[brand], self._bottoms[brand] = top, bottom
        self._lows[brand] = (top << _FRACTION) // bottom
        self._highs[brand] = -((-top << _FRACTION) // bottom)

    def _loop(self) -> list[int]:
        """The brands on a loop of the edges that raised values last: such a loop gains."""
        seen = [-1] * len(self._next)
        for start in range(len(self._next)):
            brand = start
            while brand >= 0 and seen[brand] < 0:
                seen[brand] = start
                brand = self._next[brand]
            if brand >= 0 and seen[brand] == start:
                loop = [brand]
                while (following := self._next[loop[-1]]) != brand:
                    loop.append(following)
                return loop
        return []

    def _pair_that_gains(self) -> list[int]:
        """Two brands between which it suffices to go to and fro: easier told than a long way."""
        for one in range(len(self._ids)):
            for two in range(one):
                to, fro = self._nums[two][one], self._nums[one][two]
                if to * fro > self._dens[two][one] * self._dens[one][two]:
                    return [one, two]
        return []

    def _cycle(self, places: list[int]) -> Cycle:
        # Begun at the brand that is first by code: the same cycle is always told the same way.
        first = places.index(min(places))
        places = places[first:] + places[:first]
        gain = Fraction(1)
        for tail, head in zip(places, [*places[1:], places[0]], strict=True):
            gain *= Fraction(self._nums[head][tail], self._dens[head][tail])
        assert gain > 1
        return Cycle(tuple(self._ids[place] for place in places), gain)
