"""Check digits: known real numbers, and the errors that each scheme promises to find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brands.naming.check_digits import (
    CheckScheme,
    check_length,
    has_only_digits,
    passes,
    with_check,
)

S = CheckScheme
CHECKED = [scheme for scheme in S if scheme not in (S.NONE, S.UNKNOWN)]
OVER_LETTERS = [S.ISO7064_MOD37_2, S.ISO7064_MOD97_10, S.ISO7064_MOD37_36]
FIND_ONE_WRONG = [scheme for scheme in CHECKED if scheme not in (S.MOD_7, S.MOD_9)]
FIND_TRANSPOSED = [S.MOD_11, S.ISO7064_MOD11_2, S.ISO7064_MOD37_2, S.ISO7064_MOD97_10]
DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

schemes = st.sampled_from(CHECKED)
digits = st.text(DIGITS, min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("scheme", "number"),
    [
        (S.LUHN, "79927398713"),  # the usual example
        (S.LUHN, "4111111111111111"),  # payment cards for tests
        (S.LUHN, "378282246310005"),
        (S.LUHN, "490154203237518"),  # an IMEI
        (S.LUHN, "AERO79927398713"),
        (S.LUHN, "7992-7398-713"),
        (S.MOD_7, "12345675"),  # an air waybill: 020-1234 5675
        (S.MOD_7, "1213731473673"),  # an airline ticket (Gallian, Contemporary Abstract Algebra)
        (S.MOD_7, "BA12345675"),
        (S.MOD_7, "70"),
        (S.MOD_9, "39539881642"),  # a money order (Gallian)
        (S.MOD_9, "90"),
        (S.MOD_9, "123456780"),
        (S.MOD_11, "0306406152"),  # ISBN-10s
        (S.MOD_11, "080442957X"),
        (S.MOD_11, "0-8044-2957-x"),
        (S.MOD_11, "9434765919"),  # an NHS number
        (S.ISO7064_MOD11_2, "07940"),  # the standard's examples
        (S.ISO7064_MOD11_2, "079X"),
        (S.ISO7064_MOD11_2, "0000-0002-1825-0097"),  # ORCID iDs
        (S.ISO7064_MOD11_2, "0000-0002-1694-233X"),
        (S.ISO7064_MOD11_2, "000000012146438X"),  # an ISNI
        (S.ISO7064_MOD37_2, "G123489654321Y"),  # a donation (ISBT 128)
        (S.ISO7064_MOD37_2, "g123489654321y"),
        (S.ISO7064_MOD97_10, "79444"),  # 794, and 44
        (S.ISO7064_MOD97_10, "5493001KJTIIGC8Y1R12"),  # an LEI
        (S.ISO7064_MOD97_10, "HWUPKR0MPOU8FGXBT394"),
        (S.ISO7064_MOD97_10, "WEST12345698765432GB82"),  # an IBAN, its head moved to the end
        (S.ISO7064_MOD11_10, "07945"),  # the standard's example
        (S.ISO7064_MOD11_10, "002006673085"),
        (S.ISO7064_MOD37_36, "A12425GABC1234002M"),  # a GRid
        (S.ISO7064_MOD37_36, "a1-2425g-abc1234002-m"),
        (S.NONE, "anything"),
        (S.UNKNOWN, "anything"),
    ],
)
def test_known_numbers_pass(scheme: CheckScheme, number: str) -> None:
    """Real and published numbers pass the check of their scheme."""
    assert passes(scheme, number)


@pytest.mark.parametrize(
    ("scheme", "number"),
    [
        (S.LUHN, "79927398710"),
        (S.LUHN, ""),
        (S.LUHN, "A"),
        (S.LUHN, "7992739871X"),
        (S.LUHN, "7992739871\uff13"),
        (S.MOD_7, "12345674"),
        (S.MOD_7, "12345677"),
        (S.MOD_9, "39539881649"),
        (S.MOD_9, "99"),
        (S.MOD_11, "0306406151"),
        (S.MOD_11, "030640615X"),
        (S.ISO7064_MOD11_2, "07941"),
        (S.ISO7064_MOD11_2, "0000-0002-1825-0079"),
        (S.ISO7064_MOD37_2, "G123489654321*"),
        (S.ISO7064_MOD97_10, "79443"),
        (S.ISO7064_MOD97_10, "4"),
        (S.ISO7064_MOD11_10, "07946"),
        (S.ISO7064_MOD37_36, "A12425GABC1234002N"),
        (S.NONE, ""),
        (S.UNKNOWN, ""),
    ],
)
def test_other_numbers_fail(scheme: CheckScheme, number: str) -> None:
    """A number that does not end in its check fails, and so does none at all."""
    assert not passes(scheme, number)


@given(schemes, st.text(DIGITS + LETTERS + LETTERS.lower() + " -./_", max_size=62))
def test_what_is_appended_passes(scheme: CheckScheme, payload: str) -> None:
    """A payload with its check passes, in capitals and in small letters, and has its length."""
    number = with_check(scheme, payload)
    assert passes(scheme, number)
    assert passes(scheme, number.lower())
    assert len(number) == len(payload) + check_length(scheme)
    assert not has_only_digits(scheme) or number[len(payload) :].isdigit()


@given(st.sampled_from(FIND_ONE_WRONG), digits, st.data())
def test_one_wrong_digit_is_noticed(scheme: CheckScheme, payload: str, data: st.DataObject) -> None:
    """Luhn, modulus 11 and ISO 7064 find every digit that is wrong, the check included."""
    number = with_check(scheme, payload)
    place = data.draw(st.integers(0, len(number) - 1))
    alphabet = DIGITS if place < len(payload) else DIGITS + ("" if has_only_digits(scheme) else "X")
    wrong = data.draw(st.sampled_from(alphabet).filter(lambda digit: digit != number[place]))
    assert not passes(scheme, number[:place] + wrong + number[place + 1 :])


@given(st.sampled_from(OVER_LETTERS), st.text(LETTERS, min_size=1, max_size=30), st.data())
def test_one_wrong_letter_is_noticed(
    scheme: CheckScheme, payload: str, data: st.DataObject
) -> None:
    """The systems over letters find every letter that is wrong."""
    number = with_check(scheme, payload)
    place = data.draw(st.integers(0, len(payload) - 1))
    wrong = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != number[place]))
    assert not passes(scheme, number[:place] + wrong + number[place + 1 :])


@given(st.sampled_from(FIND_TRANSPOSED), digits, st.data())
def test_neighbours_that_changed_places_are_noticed(
    scheme: CheckScheme, payload: str, data: st.DataObject
) -> None:
    """Modulus 11 and the pure systems find any two different neighbours that changed places, but
    for an X over digits, or a `*`, that is no longer last and so no more than left aside."""
    number = with_check(scheme, payload)
    swapped = _swapped(number, data.draw(st.integers(0, len(number) - 2)))
    left_aside = ("*" if scheme in OVER_LETTERS else "X") in swapped[:-1]
    assert left_aside or swapped == number or not passes(scheme, swapped)


@given(digits, st.data())
def test_luhn_finds_transpositions_but_of_0_and_9(payload: str, data: st.DataObject) -> None:
    """Luhn finds any two different neighbours that changed places, except 09 for 90."""
    number = with_check(S.LUHN, payload)
    place = data.draw(st.integers(0, len(number) - 2))
    swapped = _swapped(number, place)
    blind = swapped == number or {*number[place : place + 2]} == {"0", "9"}
    assert passes(S.LUHN, swapped) is blind


@given(st.sampled_from([(S.MOD_7, 7), (S.MOD_9, 9)]), digits, st.data())
def test_a_plain_rest_finds_what_is_not_wrong_by_its_modulus(
    scheme_and_modulus: tuple[CheckScheme, int], payload: str, data: st.DataObject
) -> None:
    """The rests by 7 and by 9 find a wrong digit unless it is wrong by 7 or by 9."""
    scheme, modulus = scheme_and_modulus
    number = with_check(scheme, payload)
    place = data.draw(st.integers(0, len(payload) - 1))
    wrong = data.draw(st.sampled_from(DIGITS))
    blind = (int(wrong) - int(number[place])) % modulus == 0
    assert passes(scheme, number[:place] + wrong + number[place + 1 :]) is blind


def _swapped(number: str, place: int) -> str:
    return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
