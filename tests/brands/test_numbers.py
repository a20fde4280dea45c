"""Loyalty numbers: the check digit, the formats, and the numbers that are made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brands.errors import InvalidInput
from brands.numbers import (
    COALITION_DIGITS,
    MAX_NUMBER,
    CheckScheme,
    NumberFormat,
    coalition_number,
    format_from_text,
    format_to_text,
    generated_number,
    luhn_digit,
    passes_luhn,
)

LUHN, NONE = CheckScheme.LUHN, CheckScheme.NONE


@pytest.mark.parametrize(
    ("payload", "digit"),
    [
        ("7992739871", "3"),  # the standard's usual example
        ("411111111111111", "1"),
        ("37828224631000", "5"),
        ("0", "0"),
        ("AERO7992739871", "3"),
    ],
)
def test_the_check_digit_is_luhns(payload: str, digit: str) -> None:
    """The check digit is ISO/IEC 7812-1's, computed over the digits of the number alone."""
    assert luhn_digit(payload) == digit
    assert passes_luhn(payload + digit)


@given(st.from_regex(r"[0-9]{1,20}", fullmatch=True), st.data())
def test_one_wrong_digit_is_noticed(payload: str, data: st.DataObject) -> None:
    """A number with one digit wrong never passes."""
    number = payload + luhn_digit(payload)
    place = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != number[place]))
    assert not passes_luhn(number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize("number", ["", "A", "7992739871X", "79927398710", "7992739871\uff13"])
def test_what_does_not_end_in_its_check_digit_fails(number: str) -> None:
    """A number whose last character is not the check digit of the others does not pass."""
    assert not passes_luhn(number)


def test_coalition_numbers_are_random_and_checked() -> None:
    """Coalition numbers have ten digits, the first not 0, pass the check, and do not repeat."""
    numbers = [coalition_number() for _ in range(1_000)]
    assert all(len(n) == COALITION_DIGITS and n.isdigit() and n[0] != "0" for n in numbers)
    assert all(passes_luhn(number) for number in numbers)
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


@pytest.mark.parametrize(
    ("number_format", "count", "number"),
    [
        (NumberFormat(), 1, "AERO000000018"),
        (NumberFormat(), 123_456_789, "AERO1234567897"),
        (NumberFormat(length=8), 42, "AERO0422"),
        (NumberFormat(length=8), 1_000, "00010009"),
        (NumberFormat(length=8), 10_000_000, None),
        (NumberFormat(length=4), 1, "0018"),
        (NumberFormat(pattern=r"\d{10}", length=10, check=LUHN), 42, "0000000422"),
        (NumberFormat(pattern=r"\d+"), 42, "000000422"),
        (NumberFormat(pattern=r"X\d+"), 42, None),
    ],
)
def test_generated_numbers_fit(number_format: NumberFormat, count: int, number: str | None) -> None:
    """A generated number is the code, the counter and a check digit, or fits without the code."""
    assert generated_number("AERO", number_format, count) == number
    assert number is None or number_format.accepts(number)


@given(st.integers(1, 10**7), st.sampled_from(["AERO", "B2", "MUSIC99"]))
def test_generated_numbers_differ_and_pass(count: int, code: str) -> None:
    """Numbers made from different counts differ, and each passes the check."""
    number = generated_number(code, NumberFormat(check=LUHN), count)
    assert number is not None
    assert passes_luhn(number)
    assert number != generated_number(code, NumberFormat(check=LUHN), count + 1)


@pytest.mark.parametrize("number_format", [NumberFormat(), NumberFormat(r"\d{4}", 4, LUHN)])
def test_a_stored_format_is_the_same_format(number_format: NumberFormat) -> None:
    """What was stored of a format is read back as that format."""
    assert format_from_text(format_to_text(number_format)) == number_format
