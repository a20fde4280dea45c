"""Loyalty numbers: the formats, and the numbers that are made."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brands.errors import InvalidInput
from brands.naming.check_digits import CheckScheme, passes
from brands.naming.numbers import (
    COALITION_DIGITS,
    MAX_NUMBER,
    NumberFormat,
    coalition_number,
    format_from_text,
    format_to_text,
    generated_number,
)

LUHN, NONE = CheckScheme.LUHN, CheckScheme.NONE


def test_coalition_numbers_are_random_and_checked() -> None:
    """Coalition numbers have ten digits, the first not 0, pass the check, and do not repeat."""
    numbers = [coalition_number() for _ in range(1_000)]
    assert all(len(n) == COALITION_DIGITS and n.isdigit() and n[0] != "0" for n in numbers)
    assert all(passes(LUHN, number) for number in numbers)
    assert len(set(numbers)) > 990


@pytest.mark.parametrize(
    ("number_format", "number", "accepted"),
    [
        (NumberFormat(), "A-12 34/5", True),
        (NumberFormat(), "x" * MAX_NUMBER, True),
        (NumberFormat(), "x" * (MAX_NUMBER + 1), False),
        (NumberFormat(), "", False),
        (NumberFormat(), " 1", False),
        (NumberFormat(), "1\n", False),
        (NumberFormat(), "1\0", False),
        (NumberFormat(), "٣٤٥", False),
        (NumberFormat(length=4), "1234", True),
        (NumberFormat(length=4), "12345", False),
        (NumberFormat(pattern=r"[A-Z]{2}\d{4,6}"), "AB1234", True),
        (NumberFormat(pattern=r"[A-Z]{2}\d{4,6}"), "AB1234567", False),
        (NumberFormat(pattern=r"[A-Z]{2}\d{4,6}"), "ab1234", False),
        (NumberFormat(pattern="A-?[0-9]+"), "A-17", True),
        (NumberFormat(check=LUHN), "79927398713", True),
        (NumberFormat(check=LUHN), "79927398714", False),
        (NumberFormat(r"[0-9]*", 11, LUHN), "79927398713", True),
        (NumberFormat(check=CheckScheme.MOD_7), "BA12345675", True),
        (NumberFormat(check=CheckScheme.MOD_7), "BA12345674", False),
        (NumberFormat(r"\d{9}[0-9X]", 10, CheckScheme.MOD_11), "080442957X", True),
        (NumberFormat(r"\d{10}", 10, CheckScheme.MOD_11), "080442957X", False),
        (NumberFormat(r"[A-Z0-9]+", 3, CheckScheme.ISO7064_MOD37_2), "01*", True),
        (NumberFormat(r"\d+", 3, CheckScheme.ISO7064_MOD37_2), "01*", False),
        (NumberFormat(check=CheckScheme.ISO7064_MOD37_2), "0*1", False),
        (NumberFormat(), "01*", False),
        (NumberFormat(check=CheckScheme.UNKNOWN), "A-1", True),
        (NumberFormat(r"\d+", check=CheckScheme.UNKNOWN), "A-1", False),
    ],
)
def test_a_format_accepts(number_format: NumberFormat, number: str, accepted: bool) -> None:
    """A number is accepted if its characters, length, pattern and check digit all are right."""
    assert number_format.accepts(number) is accepted


@pytest.mark.parametrize(
    "pattern",
    ["", "(a+)+", "a|b", "[", "a{3,1}", "*", "a**", "^a$", ".*", "\\1", "[^a]", "[z-a]", "x" * 101,
     "[0-9]*" * 4],
)  # fmt: skip
def test_a_pattern_that_could_be_slow_or_wrong_is_refused(pattern: str) -> None:
    """Groups, alternatives, unending repetition and broken expressions are no pattern."""
    with pytest.raises(InvalidInput) as refused:
        NumberFormat(pattern=pattern)
    assert refused.value.path == "numberFormat.pattern"


@pytest.mark.parametrize("length", [0, -1, MAX_NUMBER + 1])
def test_a_length_is_possible(length: int) -> None:
    """A format's length is one that a number can have."""
    with pytest.raises(InvalidInput):
        NumberFormat(length=length)


KEY = b"a key for the tests"


@pytest.mark.parametrize(
    ("number_format", "looks_like"),
    [
        (NumberFormat(), r"AERO\d{11}"),
        (NumberFormat(length=13), r"AERO\d{9}"),
        (NumberFormat(length=12), r"\d{12}"),
        (NumberFormat(length=4), r"\d{4}"),
        (NumberFormat(pattern=r"\d{10}", length=10, check=LUHN), r"\d{10}"),
        (NumberFormat(pattern=r"\d+"), r"\d{11}"),
        (NumberFormat(pattern=r"AERO\d+", length=8), r"AERO\d{4}"),
    ],
)
def test_generated_numbers_look_like_their_format(
    number_format: NumberFormat, looks_like: str
) -> None:
    """A generated number is the code, digits and a check digit; without the code where that would
    leave fewer than eight digits to hide in, unless the pattern asks for it."""
    for count in (1, 42, 999):
        number = generated_number("AERO", number_format, count, KEY)
        assert number is not None
        assert re.fullmatch(looks_like, number)
        assert passes(LUHN, number)


@pytest.mark.parametrize(
    ("number_format", "count"),
    [(NumberFormat(length=8), 10_000_000), (NumberFormat(pattern=r"X\d+"), 42)],
)
def test_there_is_an_end_of_numbers(number_format: NumberFormat, count: int) -> None:
    """None is made where the format has no room for so many, or for any."""
    assert generated_number("AERO", number_format, count, KEY) is None


def test_neighbours_are_far_apart() -> None:
    """Whoever has a generated number knows no other: those of a brand lie where chance would have
    put them."""
    made = [generated_number("AERO", NumberFormat(), count, KEY) for count in range(20_000)]
    counters = sorted(int(number[4:-1]) for number in made if number is not None)
    near = [b - a for a, b in pairwise(counters)]
    assert len(counters) == 20_000
    # 20,000 in 10^10: the mean distance is 500,000, and one in 50 is below 10,000.
    assert 200 < sum(distance < 10_000 for distance in near) < 600
    assert sum(distance == 1 for distance in near) < 5


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.sampled_from(["AERO", "B2", "MUSIC99", "X10"]),
    st.sampled_from([scheme for scheme in CheckScheme if scheme is not CheckScheme.UNKNOWN]),
    st.sampled_from([(None, None), (None, 16), (r"[A-Z0-9]+", 16), (r"\d+", None), (r"\d+", 12)]),
    st.binary(max_size=32),
)
def test_generated_numbers_fit_and_differ(
    a: int, b: int, code: str, scheme: CheckScheme, form: tuple[str | None, int | None], key: bytes
) -> None:
    """For every scheme the format accepts each generated number, and two counts never share one."""
    pattern, length = form
    if pattern == r"\d+" and "37" in scheme:
        return  # nothing but digits has no room for a letter
    number_format = NumberFormat(pattern, length, scheme)
    first = generated_number(code, number_format, a, key)
    second = generated_number(code, number_format, b, key)
    assert first is not None
    assert second is not None
    assert number_format.accepts(first)
    assert number_format.accepts(second)
    assert (first == second) is (a == b)


def test_an_unknown_scheme_makes_no_numbers() -> None:
    """A brand whose check scheme is unknown gives its numbers itself."""
    assert generated_number("AERO", NumberFormat(check=CheckScheme.UNKNOWN), 1, KEY) is None


@pytest.mark.parametrize(
    "number_format", [NumberFormat(), *(NumberFormat(r"\d{4}", 4, each) for each in CheckScheme)]
)
def test_a_stored_format_is_the_same_format(number_format: NumberFormat) -> None:
    """What was stored of a format is read back as that format."""
    assert format_from_text(format_to_text(number_format)) == number_format


def test_a_format_that_was_stored_long_ago_is_read() -> None:
    """Formats stored before there were more schemes are what they were."""
    stored = '{"pattern":null,"length":11,"check":"LUHN"}'
    assert format_from_text(stored) == NumberFormat(None, 11, LUHN)
