"""The demo's transfer rules: one of each kind, published once, over those that nobody changed."""

from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path

import pytest

from brands.coalition import Coalition, open_coalition
from brands.moving.exchange import exchange_rate
from brands.moving.recipients import find_recipient
from brands.moving.rulebook import NewRule, publish_rule
from brands.rules import NO_RULE, Pair, RuleTerms
from gateway.demo import coalition as demo
from gateway.demo.cast import CONVERSIONS
from gateway.demo.coalition import DEMO, Demo
from gateway.demo.rules import RULES, ensure_rules
from gateway.files.rules_file import read_rules
from gateway.settings import Settings
from tests.gateway.test_demo import sample, settings

__all__ = ["sample", "settings"]


@pytest.fixture
async def prepared(settings: Settings, sample: tuple[int, int]) -> Demo:
    """The demo, prepared with the first purchases only."""
    return await demo.prepare(settings)


@pytest.fixture
async def coalition(prepared: Demo, settings: Settings) -> AsyncIterator[Coalition]:
    """The demo coalition, open."""
    opened = await open_coalition(settings.database)
    yield opened
    await opened.close()


def published(coalition: Coalition) -> dict[Pair, int]:
    """How many rules each pair has, and ever had."""
    snapshot = coalition.registry.snapshot
    return {pair: len(snapshot.rules(pair)) for pair in snapshot.pairs()}


async def test_a_rule_of_each_kind(coalition: Coalition) -> None:
    """The demo has a rule in force for each pair of its file, and whatever a rule can lay down is
    in one of them."""
    read = read_rules(RULES.read_bytes(), coalition.registry.snapshot)
    assert published(coalition) == {each.pair: 1 for each in read}
    rules = [coalition.registry.snapshot.rule(pair) for pair in published(coalition)]
    terms = [rule.terms for rule in rules if rule is not None]
    assert len(terms) == len(read)
    for field in fields(RuleTerms):
        plain = getattr(NO_RULE, field.name)
        assert any(getattr(each, field.name) != plain for each in terms), field.name
    for field in fields(NO_RULE.fee):
        plain = getattr(NO_RULE.fee, field.name)
        assert any(getattr(each.fee, field.name) != plain for each in terms), field.name
    assert any(rule.effective_to for rule in rules if rule)
    assert any(pair.household for pair in published(coalition))


async def test_the_worked_conversions_have_no_rule(coalition: Coalition) -> None:
    """The conversions of the query to paste go by the rates alone."""
    for _, source, destination in CONVERSIONS:
        assert exchange_rate(coalition, source, destination).rule is None


async def test_published_once(coalition: Coalition, settings: Settings) -> None:
    """Prepared again, the demo publishes nothing, and leaves alone what was published since."""
    before = published(coalition)
    await demo.prepare(settings)
    await coalition.registry.refresh()
    assert published(coalition) == before
    await publish_rule(coalition, DEMO, NewRule("STAY", "AERO", RuleTerms(closed=True)))
    await ensure_rules(coalition, DEMO)
    snapshot = coalition.registry.snapshot
    pair = Pair(snapshot.brand("STAY").id, snapshot.brand("AERO").id)
    assert published(coalition) == before | {pair: 2}
    rule = snapshot.rule(pair)
    assert rule is not None
    assert rule.terms.closed


async def test_a_recipient(coalition: Coalition, prepared: Demo, settings: Settings) -> None:
    """The introduction names somebody who can be given points, by number and surname, and the
    same one ever after."""
    recipient = prepared.recipient
    party = await find_recipient(coalition, DEMO, recipient)
    assert party.member_id != prepared.member.id
    introduction = "\n".join(demo.introduction(prepared, "http://x", keys_at="x"))
    assert recipient.number in introduction
    assert recipient.surname in introduction
    assert (await demo.prepare(settings)).recipient == recipient


def test_the_file_is_packaged() -> None:
    """The rules lie in the package, beside the demo's other data."""
    assert Path(demo.__file__).parent in RULES.parents
