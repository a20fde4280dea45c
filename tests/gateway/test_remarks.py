"""Frequent-traveller remarks: the forms they are written in, and the one form that is printed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.trade.loyalty_elements import BadElement, LoyaltyElement, Segment
from gateway.trade.remark_reading import MAX_REMARK, read_remark
from gateway.trade.remarks import (
    BadRemark,
    Flight,
    FrequentTravellerRemark,
    Passenger,
    RemarkKind,
    elements_of,
    remark_of,
)

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        # the element, as airlines and systems show it
        ("SSR FQTV BA HK1 BA12345678/GOLD-1SMITH/JOHN MR", None),
        ("SSR FQTV PS HK1 PS1141619", None),
        ("  ssr fqtv ps hk1 ps1141619  ", "SSR FQTV PS HK1 PS1141619"),
        ("7 SSR FQTV PS HK1 PS1141619", "SSR FQTV PS HK1 PS1141619"),
        ("11 *SSR FQTV AY HK/ AY690875976 RUBY/SILV-7000", "SSR FQTV AY HK1 AY690875976/SILV"),
        ("2 *SSR FQTV YY HK/ AY608479929/4", "SSR FQTV YY HK1 AY608479929/4"),
        ("SSR FQTV YY HK/ 6X741852963 SAPPHIRE/SILV", "SSR FQTV YY HK1 6X741852963/SILV"),
        ("8.SSR FQTV CA HK1 PEKXMN 1815 Q21FEB CA003671814636/P1",
         "SSR FQTV CA HK1 PEKXMN 1815 Q21FEB CA003671814636/P1"),
        ("SSR FQTV FM HK1 SHAKWL 9333 S06NOV MU640286126192/P18", None),
        ("SSR FQTV UA HK1 JFKLHR0901Y19JAN-1SMITH/JOHNMR.UA12345678/GOLD",
         "SSR FQTV UA HK1 JFKLHR 0901 Y19JAN UA12345678/GOLD-1SMITH/JOHNMR"),
        ("SSRFQTVUAHK/LH1234567890-LASTNAME/FIRSTNAME 1.1",
         "SSR FQTV UA HK1 LH1234567890-1LASTNAME/FIRSTNAME"),
        ("SSR FQTV OZ HK1 /DL1234567890-LASTNAME/FIRSTNAMEMI",
         "SSR FQTV OZ HK1 DL1234567890-1LASTNAME/FIRSTNAMEMI"),
        ("SSR FQTR IB HK1 IB331234-1JENKINS/A MR/P2", None),
        ("SSR FQTU IB NN2 IB331234/S2-4,6", "SSR FQTU IB NN2 IB331234/S2,3,4,6"),
        ("SSR FQTS BA HK1 BA12345678/EMERALD-1O'BRIEN/MARY-ANN MRS/P1/S2", None),
        ("SSR FQTV BA HK1 BA12345678-1SMITH/P1", None),
        ("SSR FQTV YY HK1 BAABCD1Y23NOV/GOLD-1SMITH", None),  # a number like a flight
        ("SSR FQTV HZ  HK1 UUSCTS 0151T27AUG.HZ131798/P1",
         "SSR FQTV HZ HK1 UUSCTS 0151 T27AUG HZ131798/P1"),
        ("SSR FQTV BA HK1 BA 12345678-1SMITH/JOHN", "SSR FQTV BA HK1 BA12345678-1SMITH/JOHN"),
        # what agents type
        ("FFNBA-12345678", "SSR FQTV BA HK1 BA12345678"),
        ("FFN BW-123456789/P1", "SSR FQTV BW HK1 BW123456789/P1"),
        ("FFNAF-1990901462,CO,DL", "SSR FQTV AF HK1 AF1990901462"),
        ("FFATG-ZD20423", "SSR FQTV TG HK1 TGZD20423"),
        ("FFR IB-331234/P2", "SSR FQTR IB HK1 IB331234/P2"),
        ("FFU IB-331234/S5/P2", "SSR FQTU IB HK1 IB331234/P2/S5"),
        ("FQTV BA/12345678", "SSR FQTV BA HK1 BA12345678"),
        ("FFAA123ABC4-1.1", "SSR FQTV AA HK1 AA123ABC4/P1"),
        ("M.BA12345678", "SSR FQTV BA HK1 BA12345678"),
        ("M.P2/BA12345678/CX", "SSR FQTV BA HK1 BA12345678/P2"),
    ],
)  # fmt: skip
def test_a_remark_is_read(text: str, printed: str | None) -> None:
    """Every usual form is read, and printed in one of them."""
    assert str(read_remark(text)) == (printed or text)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("   ", 1),
        ("SSR DOCS BA HK1 P/GBR/123", 1),
        ("SSR FQTV BA HK1", 16),
        ("SSR FQTV BA HK1 12345678", 17),  # no carrier
        ("SSR FQTV BA HK1 GOLD/BA12345678", 17),  # no number
        ("SSR FQTV BA HK1 BA1234-5678-1SMITH/JOHN", 23),
        ("SSR FQTV BA HK2 LHRJFK 117 Y21FEB-2SMITH/JOHN MR/JANE MRS.BA12345678", 49),
        ("SSR FQTV BA HK1 BA12345678/GOLD-1SMITH/JOHN MR$", 47),
        ("SSR FQTV BA HK1 BA12345678/P1/P2", 33),
        ("SSR FQTV BA HK1 BA12345678/S4-2", 32),
        ("SSR FQTV BA HK0 BA12345678", 27),
        ("SSR FQTV BA HK1 LHRJFK 117 Y31FEB BA12345678", 34),
        ("SSR FQTV BA HK1 LHRJFK 117 Y23NOV-1SMITH/JOHN.", 47),
        ("FFNBA-12345678/X", 15),
        ("FFN", 1),
        ("FQTV BA 12345678", 1),
        ("SSR FQTV BA HK1 BA1234\u00e95678", 23),
        ("SSR FQTV BA HK1 BA12345678\nFFNBA-1", 27),
        ("SSR FQTV BA HK1 BA" + "1" * MAX_REMARK, MAX_REMARK + 1),
    ],
)
def test_what_is_no_remark_is_refused_where_it_fails(text: str, position: int) -> None:
    """A text that is no remark is refused with the place that does not fit."""
    with pytest.raises(BadRemark) as refused:
        read_remark(text)
    assert refused.value.position == position


CARRIERS = st.from_regex(r"[A-Z][A-Z0-9]|[0-9][A-Z]", fullmatch=True)
NAMES = st.from_regex(r"[A-Z](?:[A-Z' -]{0,20}[A-Z'])?", fullmatch=True)
REFERENCES = st.lists(st.integers(1, 99), max_size=5).map(tuple)
FLIGHTS = st.builds(
    Flight,
    origin=st.from_regex("[A-Z]{3}", fullmatch=True),
    destination=st.from_regex("[A-Z]{3}", fullmatch=True),
    number=st.from_regex("[0-9]{1,4}[A-Z]?", fullmatch=True),
    booking_class=st.from_regex("[A-Z]", fullmatch=True),
    day=st.integers(1, 29),
    month=st.integers(1, 12),
)
REMARKS = st.builds(
    FrequentTravellerRemark,
    carrier=CARRIERS,
    number=st.from_regex(r"[A-Z0-9]{0,31}[0-9][A-Z0-9]{0,32}", fullmatch=True)
    | st.from_regex(r"[A-Z]{4}[0-9]{1,3}[A-Z][0-2][0-9]NOV", fullmatch=True),
    kind=st.sampled_from(RemarkKind),
    airline=CARRIERS,
    action=st.sampled_from(["HK", "NN", "KK", "UC"]),
    count=st.integers(1, 99),
    flight=st.none() | FLIGHTS,
    status=st.none()
    | st.from_regex(r"(?![PS][0-9])[A-Z0-9]{1,20}(?: [A-Z0-9]{1,19})?", fullmatch=True),
    passenger=st.none() | st.builds(Passenger, NAMES, st.none() | NAMES),
    passengers=REFERENCES,
    segments=REFERENCES,
)


@given(REMARKS)
def test_what_is_printed_is_read_as_it_was(remark: FrequentTravellerRemark) -> None:
    """Reading what was printed of a remark gives that remark."""
    assert read_remark(str(remark)) == remark


@given(REMARKS, st.data())
def test_a_damaged_remark_is_refused_or_another(
    remark: FrequentTravellerRemark, data: st.DataObject
) -> None:
    """A remark with a character changed is refused, with a place inside the text, or is read."""
    text = str(remark)
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.characters() | st.just("")) + text[place + 1 :]
    read = read_or_position(damaged)
    if isinstance(read, FrequentTravellerRemark):
        assert read_remark(str(read)) == read
    else:
        assert 1 <= read <= len(damaged) + 1


@given(st.text(max_size=100))
def test_any_text_is_a_remark_or_refused(text: str) -> None:
    """No text breaks the reader."""
    assert read_or_position(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"carrier": "12"},
        {"number": ""},
        {"number": "12-34"},
        {"status": "P1"},
        {"status": "gold"},
        {"count": 0},
        {"passengers": (0,)},
        {"airline": "British Airways"},
    ],
)
def test_what_no_remark_can_hold_is_refused(fields: dict[str, object]) -> None:
    """A remark that could not be printed and read again cannot be made."""
    with pytest.raises(BadRemark):
        FrequentTravellerRemark(**{"carrier": "BA", "number": "12345678", **fields})  # type: ignore[arg-type]


def test_the_longest_remark_can_be_read() -> None:
    """Whatever can be printed can be read: a limit on length is beyond it."""
    remark = FrequentTravellerRemark(
        carrier="BA",
        number="1" * 64,
        count=99,
        flight=Flight("LHR", "JFK", "1234A", "Y", 21, 2),
        status="A" * 20 + " " + "B" * 19,
        passenger=Passenger("A" * 100, "B" * 100),
        passengers=tuple(range(10, 60)),
        segments=tuple(range(10, 59)),
    )
    assert read_remark(str(remark)) == remark


SMITH = Passenger("SMITH", "JOHN MR")


def test_a_remark_becomes_an_element() -> None:
    """An element has what the remark says, and for the flight the next such day."""
    text = "SSR FQTV CX HK1 HKGLHR 0251 Y21FEB BA12345678/GOLD-1SMITH/JOHN MR"
    flown = Segment(
        carrier="CX",
        flight="251",
        booking_class="Y",
        origin="HKG",
        destination="LHR",
        departs=date(2027, 2, 21),
    )
    best, *_ = elements_of(read_remark(text), SMITH, "AB12CD", TODAY)
    assert best == LoyaltyElement(
        number="12345678",
        surname="SMITH",
        given_name="JOHN MR",
        carrier="BA",
        status="GOLD",
        record_locator="AB12CD",
        segments=(flown,),
    )


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("SSR FQTV AM HK1 AERO356", [("AE", "RO356"), ("AM", "AERO356"), ("AE", "AERO356")]),
        ("SSR FQTV YY HK1 BA1", [("BA", "1"), ("BA", "BA1")]),
        ("SSR FQTV BA HK1 BA1", [("BA", "1"), ("BA", "BA1")]),
        ("SSR FQTV BA HK1 BA" + "1" * 64, [("BA", "1" * 64)]),
    ],
)
def test_an_account_is_read_in_several_ways(text: str, readings: list[tuple[str, str]]) -> None:
    """A number stands behind its carrier, or alone, or begins with what stands before it."""
    elements = elements_of(read_remark(text), SMITH, None, TODAY)
    assert [(each.carrier, each.number) for each in elements] == readings


@pytest.mark.parametrize(
    ("flight", "why"),
    [
        ("YY HK1 LHRJFK 1 Y21FEB", "no airline is named"),
        ("BA HK1 LHRJFK 0000 Y21FEB", '"0000" is no flight'),
    ],
)
def test_a_flight_that_cannot_be_is_left_out(flight: str, why: str) -> None:
    """A flight of no airline, or without a number, spoils nothing: it is left out, with a note."""
    best, *_ = elements_of(read_remark(f"SSR FQTV {flight} BA12345678"), SMITH, None, TODAY)
    assert (best.segments, best.notes) == ((), (f"its flight is left out: {why}",))


def test_the_29th_of_february_is_in_a_leap_year() -> None:
    """A flight on a day that the coming year lacks is on that day of the next one that has it."""
    assert Flight("LHR", "JFK", "117", "Y", 29, 2).first_from(TODAY) == date(2028, 2, 29)
    assert Flight("LHR", "JFK", "117", "Y", 23, 11).first_from(TODAY) == TODAY
    assert Flight("LHR", "JFK", "117", "Y", 22, 11).first_from(TODAY) == date(2027, 11, 22)
    with pytest.raises(BadElement):
        Flight("LHR", "JFK", "117", "Y", 1, 1).first_from(date(9999, 2, 1))


@pytest.mark.parametrize(
    ("element", "airline", "printed"),
    [
        (LoyaltyElement("1234-5678", "Müller", "Jörg Åke", carrier="BA", status="Gold"), None,
         "SSR FQTV BA HK1 BA12345678/GOLD-1MUELLER/JOERG AAKE"),
        (LoyaltyElement("12345678", "Smith", carrier="BA"), "CX",
         "SSR FQTV CX HK1 BA12345678-1SMITH"),
        (LoyaltyElement("BA12345678", "Smith", carrier="BA"), None,
         "SSR FQTV BA HK1 BA12345678-1SMITH"),
        (LoyaltyElement("AERO356", "Smith", carrier="AE"), None,
         "SSR FQTV AE HK1 AEAERO356-1SMITH"),
        (LoyaltyElement("1", "Smith", carrier="BA", status="Gold Elite Plus"), None,
         "SSR FQTV BA HK1 BA1-1SMITH"),
        (LoyaltyElement("1", "Smith", carrier="BA", status="P1"), None,
         "SSR FQTV BA HK1 BA1-1SMITH"),
    ],
)  # fmt: skip
def test_an_element_becomes_a_remark(
    element: LoyaltyElement, airline: str | None, printed: str
) -> None:
    """A remark has an element's number without hyphens, its carrier once, names as passports spell
    them, and a status if it is one; the number is among those that are read of it."""
    assert str(remark_of(element, airline)) == printed
    read = read_remark(printed)
    assert (element.carrier, element.number.replace("-", "")) in read.accounts


@pytest.mark.parametrize(
    "element",
    [
        LoyaltyElement("1", "Smith", program="TUNE"),
        LoyaltyElement("1", "Smith", carrier="HOTEL"),
        LoyaltyElement("12/34", "Smith", carrier="BA"),
        LoyaltyElement("1", "Smith 2nd", carrier="BA"),
        LoyaltyElement("GOLD", "Smith", carrier="BA"),
    ],
)
def test_what_no_remark_can_say_is_refused(element: LoyaltyElement) -> None:
    """A program that is no airline's, and a number or a name of odd characters, have none."""
    with pytest.raises(BadElement) as bad:
        remark_of(element)
    assert "expected" not in str(bad.value)


def read_or_position(text: str) -> FrequentTravellerRemark | int:
    """The remark, or else the place that does not fit."""
    try:
        return read_remark(text)
    except BadRemark as bad:
        return bad.position or 0
