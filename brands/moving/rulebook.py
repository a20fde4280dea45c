"""Publishing transfer rules: what a coalition and its brands lay down for points that move.

A rule is published once and never changed. Whoever publishes holds the registry until she is done,
so that each sees what the one before published, and no two rules that gain together get in.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from brands.actions import Action, record
from brands.callers import Caller
from brands.clock import Micros, from_micros, to_micros
from brands.coalition import Coalition
from brands.database import Transaction
from brands.errors import DomainError, InvalidInput, NotPermitted, RuleInPast
from brands.ids import new_id
from brands.moving.arbitrage import require_no_gain
from brands.moving.rule_bounds import aware, require_lawful
from brands.registry import Snapshot, raise_epoch
from brands.rule_texts import rule_terms_to_text
from brands.rules import Pair, RuleTerms, TransferRule, in_force, is_to_change

MAX_RULES_OF_PAIR = 1_000
"""So many of one pair may have something to come: each time is one at which the guard looks."""

MAX_RULES = 100_000
"""As many are published at once: a rule for every pair of 300 brands."""


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule to be published. Brands are codes; `terms.sponsor` is ignored in favour of `sponsor`.

    It begins at `effective_from`, or at once, and ends at `effective_to`, or never.
    """

    source: str
    destination: str
    terms: RuleTerms
    household: bool = False
    sponsor: str | None = None
    effective_from: datetime | None = None
    effective_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A rule as published, and the one that was in force when it begins, if there was one.

    `unchanged`: it had been published already, and nothing was written.
    """

    new: TransferRule
    old: TransferRule | None
    unchanged: bool


async def publish_rule(coalition: Coalition, caller: Caller, rule: NewRule) -> TransferRule:
    """Publishes one rule; see `publish_rules`."""
    (change,) = await publish_rules(coalition, caller, [rule])
    return change.new


async def publish_rules(
    coalition: Coalition, caller: Caller, rules: Sequence[NewRule], *, dry_run: bool = False
) -> list[Change]:
    """Publishes all these rules or none, and tells what each changes; a dry run only tells.

    For the operator; and for a brand whose points leave by the rule, which pays for it itself and
    lets no cycle gain.
    What is in force already is not published again, so that to repeat it is safe. Raises
    `BrandNotFound`, `NotPermitted`, `InvalidInput`, `RuleInPast`, `TransferCycleGains`; of several
    rules the path begins with the number of the one concerned, from 0.
    """
    if len(rules) > MAX_RULES:
        raise InvalidInput(path="rules", reason=f"At most {MAX_RULES} rules at once.")
    changes: list[Change] = []
    try:
        async with coalition.database.transaction() as tx:
            known = await coalition.registry.lock(tx)
            now = await _after(tx, known)
            changes = _changes(known, caller, rules, now)
            new = [change.new for change in changes if not change.unchanged]
            if new:
                await _require_no_gain(known, new)
                await _insert(tx, caller, new, known.epoch + 1)
                await record(tx, caller, now, [_action(known, rule) for rule in new])
                await raise_epoch(tx)
            if dry_run:
                raise _DryRun
    except _DryRun:
        return changes
    await coalition.registry.refresh()
    return changes


class _DryRun(Exception):
    """Rolls back what was only tried."""


async def _after(tx: Transaction, known: Snapshot) -> Micros:
    """The present, but after every rule was published: a clock may have been set back."""
    now = await tx.now()
    latest = known.last_published
    return now if latest is None else max(now, to_micros(latest) + 1)


async def _require_no_gain(known: Snapshot, new: Sequence[TransferRule]) -> None:
    ends = [rule.effective_to for rule in new if rule.effective_to is not None]
    await asyncio.to_thread(
        require_no_gain,
        known.having(rules=new),
        min(rule.effective_from for rule in new),
        max(ends) if len(ends) == len(new) else None,
    )


def _changes(
    known: Snapshot, caller: Caller, rules: Sequence[NewRule], now: Micros
) -> list[Change]:
    """What each rule changes, in order. Raises what `publish_rules` raises but for cycles."""
    made = []
    for place, rule in enumerate(rules):
        with _told_of(place, rules):
            made.append(_rule(known, caller, rule, now))
    there = _there_already(known, rules, made)
    begun: set[tuple[Pair, datetime]] = set()
    live = Counter[Pair]()
    for place, new in enumerate(made):
        if place not in there:
            with _told_of(place, rules):
                _require_apart(new, from_micros(now), begun)
                _require_few(known, new, from_micros(now), live)
    return [
        Change(
            there.get(place, new),
            in_force(known.rules(new.pair), new.effective_from),
            unchanged=place in there,
        )
        for place, new in enumerate(made)
    ]


@contextmanager
def _told_of(place: int, rules: Sequence[NewRule]) -> Iterator[None]:
    """Puts a rule's number before the path of what is wrong with it, if it is one of several."""
    try:
        yield
    except DomainError as error:
        if len(rules) > 1:
            error.path = str(place) if error.path is None else f"{place}.{error.path}"
        raise


def _rule(known: Snapshot, caller: Caller, new: NewRule, now: Micros) -> TransferRule:
    """The rule that this would be. Raises if it may not be that, or not by this caller."""
    source = known.brand(new.source, path="from")
    destination = known.brand(new.destination, path="to")
    sponsor = None if new.sponsor is None else known.brand(new.sponsor, path="sponsor").id
    by_itself = sponsor in (None, source.id) and not new.terms.allow_cycle
    if not (caller.is_operator or (caller.acts_for_brand(source.id) and by_itself)):
        raise NotPermitted
    terms = replace(new.terms, limits=tuple(new.terms.limits), sponsor=sponsor)
    require_lawful(terms, household=new.household)
    aware(new.effective_from, "effectiveFrom")
    aware(new.effective_to, "effectiveTo")
    begins = from_micros(now) if new.effective_from is None else new.effective_from.astimezone(UTC)
    ends = None if new.effective_to is None else new.effective_to.astimezone(UTC)
    if ends is not None and ends <= begins:
        raise InvalidInput(path="effectiveTo", reason="It ends after it begins.")
    pair = Pair(source.id, destination.id, new.household)
    return TransferRule(new_id(0), pair, terms, begins, ends, from_micros(now))


def _there_already(
    known: Snapshot, rules: Sequence[NewRule], made: Sequence[TransferRule]
) -> dict[int, TransferRule]:
    """Which of these were published already, by their places.

    A rule that is to begin at once is there if it is in force, or if only rules of this very list
    are laid over it: who publishes a list again means no change.
    """
    there: dict[int, TransferRule] = {}
    for place, rule in enumerate(rules):
        if rule.effective_from is not None:
            began = [
                each
                for each in known.rules(made[place].pair)
                if each.effective_from == made[place].effective_from
            ]
            if began and _say_the_same(began[-1], made[place]):
                there[place] = began[-1]
    over = {rule.id for rule in there.values()}
    for place, rule in enumerate(rules):
        if rule.effective_from is None:
            under = [each for each in known.rules(made[place].pair) if each.id not in over]
            current = in_force(under, made[place].effective_from)
            if current is not None and _say_the_same(current, made[place]):
                there[place] = current
    return there


def _require_few(known: Snapshot, new: TransferRule, at: datetime, live: Counter[Pair]) -> None:
    """Counts what a pair has of rules that begin or end, or whose bonus does, in the future."""
    if new.pair not in live:
        live[new.pair] = sum(is_to_change(rule, at) for rule in known.rules(new.pair))
    live[new.pair] += is_to_change(new, at)
    if live[new.pair] > MAX_RULES_OF_PAIR:
        raise InvalidInput(
            path="effectiveFrom",
            reason=f"Of one pair at most {MAX_RULES_OF_PAIR:,} rules begin or end in the future.",
        )


def _say_the_same(one: TransferRule, other: TransferRule) -> bool:
    return (one.terms, one.effective_to) == (other.terms, other.effective_to)


def _require_apart(new: TransferRule, now: datetime, begun: set[tuple[Pair, datetime]]) -> None:
    """Raises for a rule of the past, and for two of a pair of which neither is the later."""
    if new.effective_from < now:
        raise RuleInPast(path="effectiveFrom", effective_from=new.effective_from, now=now)
    if (new.pair, new.effective_from) in begun:
        raise InvalidInput(path="effectiveFrom", reason="Another rule of the pair begins then too.")
    begun.add((new.pair, new.effective_from))


def _action(known: Snapshot, rule: TransferRule) -> Action:
    return Action(
        "rule.publish",
        str(rule.id),
        {
            "source": known.brand_by_id(rule.pair.source_brand).code,
            "destination": known.brand_by_id(rule.pair.destination_brand).code,
            "household": rule.pair.household,
            "terms": rule_terms_to_text(rule.terms),
            "effective_from": rule.effective_from,
            "effective_to": rule.effective_to,
        },
    )


async def _insert(tx: Transaction, caller: Caller, new: Sequence[TransferRule], epoch: int) -> None:
    await tx.execute_many(
        "INSERT INTO transfer_rules (id, source_brand, destination_brand, household, terms,"
        " effective_from, effective_to, published_at, epoch, client)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        [
            (
                *(rule.id, rule.pair.source_brand, rule.pair.destination_brand),
                *(int(rule.pair.household), rule_terms_to_text(rule.terms)),
                to_micros(rule.effective_from),
                None if rule.effective_to is None else to_micros(rule.effective_to),
                *(to_micros(rule.published_at), epoch, caller.client),
            )
            for rule in new
        ],
    )
