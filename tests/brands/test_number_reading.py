"""Loyalty numbers as people write them, judged by the brand's format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brands.naming.check_digits import CheckScheme, with_check
from brands.naming.number_reading import NumberVerdict, bare, judge
from brands.naming.numbers import MAX_NUMBER, NumberFormat

GOOD, BAD, UNKNOWN = NumberVerdict
LUHN = NumberFormat(r"\d{11}", 11, CheckScheme.LUHN)
CARD = NumberFormat(r"[A-Z]{2}\d+", None, CheckScheme.MOD_7)
OPEN = NumberFormat()
OBSCURE = NumberFormat(r"\d+", 8, CheckScheme.UNKNOWN)


@pytest.mark.parametrize(
    ("written", "number_format", "verdict", "number"),
    [
        ("79927398713", LUHN, GOOD, "79927398713"),
        (" 7992 7398 713 ", LUHN, GOOD, "79927398713"),
        ("7992-7398-713", LUHN, GOOD, "79927398713"),
        ("7992\u20137398\u2011713", LUHN, GOOD, "79927398713"),
        ("7992\u00a07398\t713", LUHN, GOOD, "79927398713"),
        ("\uff17\uff19\uff19\uff12\uff17\uff13\uff19\uff18\uff17\uff11\uff13", LUHN, GOOD,
         "79927398713"),
        ("79927398714", LUHN, BAD, None),
        ("7992739871", LUHN, BAD, None),
        ("7992739871E", LUHN, BAD, None),
        ("79927398713\0", LUHN, BAD, None),
        ("", LUHN, BAD, None),
        ("-", LUHN, BAD, None),
        ("9" * 10_000, LUHN, BAD, None),
        ("ba 1234-5675", CARD, GOOD, "BA12345675"),
        ("BA12345675", CARD, GOOD, "BA12345675"),
        ("BA12345674", CARD, BAD, None),
        ("A-12 b", OPEN, GOOD, "A-12 b"),
        ("x" * (MAX_NUMBER + 1), OPEN, BAD, None),
        ("12345678", OBSCURE, UNKNOWN, "12345678"),
        ("1234-5678", OBSCURE, UNKNOWN, "12345678"),
        ("1234567", OBSCURE, UNKNOWN, None),
        ("", OBSCURE, UNKNOWN, None),
    ],
)  # fmt: skip
def test_a_number_is_read(
    written: str, number_format: NumberFormat, verdict: NumberVerdict, number: str | None
) -> None:
    """Spaces, hyphens and small letters are no fault, a wrong digit is, and where the scheme is
    unknown nothing is."""
    reading = judge(written, number_format)
    assert (reading.verdict, reading.number) == (verdict, number)


def test_an_open_format_has_several_spellings() -> None:
    """What a brand of an open format may have stored is told in all spellings, as written first."""
    assert judge("a-12 b", OPEN).spellings == ("a-12 b", "A-12 B", "a12b", "A12B")


@given(
    st.sampled_from([each for each in CheckScheme if each is not CheckScheme.UNKNOWN]),
    st.text("0123456789ABCXYZ", min_size=1, max_size=30),
    st.lists(st.sampled_from(["", "", " ", "-", " - ", "\u2013"]), min_size=70, max_size=70),
)
def test_how_it_is_grouped_does_not_matter(
    scheme: CheckScheme, payload: str, gaps: list[str]
) -> None:
    """A good number is well formed in small letters too, and however it is grouped."""
    number = with_check(scheme, payload)
    number_format = NumberFormat(r"[0-9A-Z]+", len(number), scheme)
    written = "".join(map("".join, zip(number.lower(), gaps, strict=False)))
    reading = judge(written, number_format)
    assert (reading.verdict, reading.number) == (GOOD, number)
    assert bare(written) == number


@given(st.text(max_size=200), st.sampled_from([LUHN, CARD, OPEN, OBSCURE]))
def test_any_text_can_be_judged(written: str, number_format: NumberFormat) -> None:
    """Whatever is written, all spellings are such as the format accepts, and reading one again
    finds it."""
    reading = judge(written, number_format)
    assert all(number_format.accepts(number) for number in reading.spellings)
    for number in reading.spellings:
        assert judge(number, number_format).number == number
    assert (reading.verdict is BAD) <= (reading.spellings == ())
    assert len(bare(written)) <= MAX_NUMBER
