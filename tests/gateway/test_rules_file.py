"""The file of transfer rules: what can be said in it, and that everything wrong with it is told."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from brands.errors import InvalidInput, TransferCycleGains
from brands.moving.rulebook import NewRule
from brands.naming.numbers import NumberFormat
from brands.registry import Brand, BrandStatus, Snapshot
from brands.rules import (
    BlockBonus,
    BlockFee,
    Direction,
    Fee,
    Limit,
    LotExpiry,
    PercentBonus,
    Period,
    Ratio,
    RuleTerms,
)
from gateway.files.rules_file import BadRules, Place, problem_of, read_rules

ZONES = {"AERO": "Europe/Lisbon", "STAY": "America/New_York"}
BORN = datetime(2026, 1, 1, tzinfo=UTC)
BRANDS = [
    Brand(UUID(int=number), code, code, "points", zone, BrandStatus.ACTIVE, NumberFormat(), BORN)
    for number, (code, zone) in enumerate(ZONES.items(), 1)
]
SNAPSHOT = Snapshot(1, BRANDS, ())

WHOLE = """
# Everything.
[[rule]]
from = "STAY"
to = "AERO"
ratio = "3:1"
minimum = 3000
maximum = 900000
increment = 3
block_bonus = {every = 60000, bonus = 5000}
percent_bonus = 12.5
percent_bonus_from = 2026-12-01
percent_bonus_to = 2026-12-24T18:00:00
membership_age_days = 30
recipient_age_days = 7
arrives_after_seconds = 3600
lot_expiry = "KEEP_EARLIEST"
sponsor = "AERO"
closed = false
allow_cycle = true
effective_from = 2026-12-01T00:00:00+01:00
effective_to = 2027-07-01
[rule.fee]
flat = 1
per_point = "0.0006"
per_block = {every = 1000, amount = 0.25}
cap = "99.00"
points_share = "0.1"
[[rule.limits]]
period = "MONTH"
direction = "OUT"
points = 20000
[[rule.limits]]
period = "YEAR"
direction = "IN"
count = 12
"""
FEE = ("flat", "per_point", "per_block", "cap", "points_share")


def read(text: str) -> list[NewRule]:
    """The rules of a file."""
    return [each.rule for each in read_rules(text.encode(), SNAPSHOT)]


def problems(text: str | bytes) -> tuple[str, ...]:
    """All that is wrong with a file."""
    with pytest.raises(BadRules) as bad:
        read_rules(text if isinstance(text, bytes) else text.encode(), SNAPSHOT)
    return bad.value.problems


def rule(*lines: str) -> str:
    """A rule from STAY to AERO with these fields."""
    return "\n".join(('[[rule]]\nfrom = "STAY"\nto = "AERO"', *lines, ""))


def test_every_field() -> None:
    """A file can say all that a rule can lay down, exactly, and days in the source's time zone."""
    (made,) = read(WHOLE)
    assert made == NewRule(
        source="STAY",
        destination="AERO",
        sponsor="AERO",
        effective_from=datetime(2026, 11, 30, 23, tzinfo=UTC),
        effective_to=datetime(2027, 7, 1, 4, tzinfo=UTC),
        terms=RuleTerms(
            ratio=Ratio(3, 1),
            minimum=3_000,
            maximum=900_000,
            increment=3,
            block_bonus=BlockBonus(60_000, 5_000),
            percent_bonus=PercentBonus(
                125_000,
                datetime(2026, 12, 1, 5, tzinfo=UTC),
                datetime(2026, 12, 24, 23, tzinfo=UTC),
            ),
            fee=Fee(1_000_000, 600, BlockFee(1_000, 250_000), 99_000_000, 100_000),
            limits=(
                Limit(Period.MONTH, Direction.OUT, points=20_000),
                Limit(Period.YEAR, Direction.IN, count=12),
            ),
            membership_age_days=30,
            recipient_age_days=7,
            arrives_after_seconds=3_600,
            lot_expiry=LotExpiry.KEEP_EARLIEST,
            allow_cycle=True,
        ),
    )


def test_next_to_nothing() -> None:
    """What a rule leaves out is as without a rule, and a file may have no rules at all."""
    assert read(rule()) == [NewRule("STAY", "AERO", RuleTerms())]
    assert read("") == []


def test_where_a_rule_is() -> None:
    """A rule knows its number and its line, unless the file has a form that hides the line."""
    found = read_rules(("# one\n" + rule() + "\n" + rule("household = true")).encode(), SNAPSHOT)
    assert [each.place for each in found] == [Place(1, 2), Place(2, 6)]
    (inline,) = read_rules(b'rule = [{from = "STAY", to = "AERO"}]', SNAPSHOT)
    assert inline.place == Place(1, None)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("minimun = 3", "minimun: no such field; perhaps minimum"),
        ("fee = {tip = 1}", "fee.tip: no such field; there are " + ", ".join(FEE)),
        ('minimum = "3000"', "minimum: is a whole number without quotes, like 3000"),
        ("minimum = 1.5", "minimum: is a whole number without quotes, like 3000"),
        ("minimum = true", "minimum: is a whole number without quotes, like 3000"),
        ("maximum = 9007199254740992", "maximum: is between 0 and 9,007,199,254,740,991"),
        ("membership_age_days = -1", "membership_age_days: is between 0 and 2,147,483,647"),
        ("ratio = 3", 'ratio: is two whole numbers, like "3:1": for 3 that leave, 1 arrives'),
        ('ratio = "3/1"', 'ratio: is two whole numbers, like "3:1": for 3 that leave, 1 arrives'),
        ("percent_bonus = -1", 'percent_bonus: is a number that is not negative, like "0.0006"'),
        ("percent_bonus = nan", 'percent_bonus: is a number that is not negative, like "0.0006"'),
        ("percent_bonus = 0.00001", "percent_bonus: At most 4 decimals."),
        ('fee = {flat = "1e3"}', 'fee.flat: is a number that is not negative, like "0.0006"'),
        ("fee = {flat = 0.0000001}", "fee.flat: At most 6 decimals."),
        ("fee = {per_point = 0.0000001}", "fee.per_point: At most 6 decimals."),
        ("fee = 5", "fee: is a table: {name = value, ...}"),
        ("fee = {per_block = {every = 5}}", "fee.per_block.amount: is missing"),
        ("limits = {}", "limits: is a list of tables: [{name = value, ...}, ...]"),
        ('limits = [{direction = "IN"}]', "limits.1.period: is missing"),
        (
            'limits = [{direction = "IN", period = "WEEK"}]',
            'limits.1.period: is "MONTH" or "YEAR"',
        ),
        ("lot_expiry = 1", 'lot_expiry: is "FRESH" or "KEEP_EARLIEST"'),
        ('closed = "yes"', "closed: is true or false, without quotes"),
        (
            'effective_to = "2027-01-01"',
            "effective_to: is a day or a time without quotes, like 2026-12-01",
        ),
        (
            "effective_to = 07:32:00",
            "effective_to: is a day or a time without quotes, like 2026-12-01",
        ),
        ("effective_to = 0001-01-01T00:00:00+23:00", "effective_to: is out of the calendar"),
        ('sponsor = "NONE"', 'sponsor: there is no brand "NONE"; there are AERO, STAY'),
        ("sponsor = 1", 'sponsor: is a text in quotes, like "AERO"'),
        ("percent_bonus_to = 2027-01-01", "percent_bonus: A window has a bonus."),
        ("minimum = 0", "minimum: From 1 to 9007199254740991, not 0."),
        ("allow_cycle = true", "allow_cycle: Such a rule names the brand that pays."),
        ("fee = {flat = 1}", "fee: Within a household there is no fee."),
    ],
)
def test_a_field_that_is_wrong(line: str, problem: str) -> None:
    """A field that is misspelt, of the wrong type or out of range is told with what would be
    right, and with the rule's number and line."""
    assert problems(rule() + "\n" + rule("household = true", line)) == (
        f"rule 2 (line 5), {problem}",
    )


def test_everything_wrong_is_told() -> None:
    """All problems of all rules are told at once."""
    text = '[[rule]]\nfrom = "NONE"\nminimum = "1"\n[[rule]]\nto = 5\n' + rule()
    assert problems(text) == (
        'rule 1 (line 1), from: there is no brand "NONE"; there are AERO, STAY',
        "rule 1 (line 1), to: is missing",
        "rule 1 (line 1), minimum: is a whole number without quotes, like 3000",
        "rule 2 (line 4), from: is missing",
        'rule 2 (line 4), to: is a text in quotes, like "AERO"',
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[[rule]\n", "not TOML: "),
        (b"a = 1\na = 2\n", "not TOML: "),
        (b'from = "\xff"', "not UTF-8 at byte 9"),
        (b"[rule]\n", "a rule begins with [[rule]], in double brackets"),
        (b"rule = 5\n", "a rule begins with [[rule]], in double brackets"),
        (b"[[rules]]\n", "rules: there is nothing but [[rule]]"),
        (b"a = " + b"[" * 5_000, "not TOML: "),
    ],
)
def test_what_is_no_file_of_rules(content: bytes, problem: str) -> None:
    """What is no TOML, or has no rules where rules are, is told as that."""
    (told,) = problems(content)
    assert told.startswith(problem)


def test_two_rules_that_begin_together() -> None:
    """Two rules for the same pair must not begin at the same time, however that is written."""
    same = ("effective_from = 2027-01-01", "effective_from = 2027-01-01T05:00:00Z")
    (problem,) = problems("\n".join(map(rule, same)))
    assert problem.startswith("rule 2 (line 6): STAY -> AERO begins with rule 1 (line 1) already")
    assert len(read(rule() + rule(same[0]) + rule("household = true"))) == 3


def test_a_refusal_in_the_words_of_the_file() -> None:
    """What the domain refuses is told by the names of the file, lists being counted from 1."""
    found = read_rules((rule() + rule("household = true")).encode(), SNAPSHOT)
    error = InvalidInput(path="1.limits.0.points", reason="No.")
    assert problem_of(error, found) == "rule 2 (line 4), limits.1.points: No."
    error = InvalidInput(path="fee.perPoint", reason="No.")
    assert problem_of(error, found[:1]) == "rule 1 (line 1), fee.per_point: No."
    assert problem_of(InvalidInput(reason="No."), found) == "No."
    cycle = TransferCycleGains(cycle=["AERO", "STAY", "AERO"], gain="1.2")
    told = "Points could be multiplied: AERO -> STAY -> AERO turns 1 point into 1.2."
    assert problem_of(cycle, found).startswith(f"rule 1 (line 1), rule 2 (line 4): {told} Only")
    assert problem_of(cycle, []).startswith(told)


def test_numbers_are_exact() -> None:
    """A number without quotes is read digit by digit: no float comes between."""
    (made,) = read(rule("fee = {per_point = 0.000003, flat = 999999.000001}"))
    assert made.terms.fee.per_point == 3
    assert Decimal(made.terms.fee.flat) == 999_999_000_001
