"""The loyalty element of NDC and OpenTravel messages alike: written and read again, the same in
either form, and from strangers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import process_time
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brands.bounds import is_storable
from gateway.trade.loyalty_elements import (
    BadElement,
    LoyaltyElement,
    Segment,
    Stay,
    flight_of,
    plain,
)
from gateway.trade.markup import MAX_DEPTH, MAX_DOCUMENT, MAX_ELEMENTS, MarkupRefused, read_markup
from gateway.trade.ndc import read_ndc, write_ndc
from gateway.trade.opentravel import read_opentravel, write_opentravel
from tests.gateway.booking_messages import FLIGHTS, HOTEL, NDC_17_2, NDC_19_2, NDC_21_3, SABRE


@pytest.mark.parametrize(
    ("text", "carrier", "expected"),
    [
        ("117", "BA", ("BA", "117")),
        ("0117", "BA", ("BA", "117")),
        ("ba 0117a", None, ("BA", "117A")),
        ("W29897", "W2", ("W2", "9897")),
        ("9W12", None, ("9W", "12")),
        ("BAW117", "BAW", ("BAW", "117")),
        (None, "BA", ("BA", None)),
        ("BA117", "AA", '"BA117" is no flight of AA'),
        ("117", None, "the flight has no airline"),
        (None, None, "the flight has no airline"),
        ("OPEN", "BA", '"OPEN" is no flight'),
        ("0", "BA", '"0" is no flight'),
        ("12345", "BA", '"12345" is no flight'),
    ],
)
def test_the_number_of_a_flight(
    text: str | None, carrier: str | None, expected: tuple[str, str | None] | str
) -> None:
    """A flight may be written with its airline, which is not another one, and with zeros before."""
    if isinstance(expected, tuple):
        assert flight_of(text, carrier) == expected
    else:
        with pytest.raises(BadElement) as bad:
            flight_of(text, carrier)
        assert str(bad.value) == expected


def words(most: int) -> st.SearchStrategy[str]:
    """Any storable text of words with single spaces between them."""
    return (
        st.text(min_size=1, max_size=most)
        .map(lambda text: plain(text) or "")
        .filter(
            lambda text: text != "" and is_storable(text) and not {*text} & {"\ufffe", "\uffff"}
        )
    )


def form(pattern: str) -> st.SearchStrategy[str]:
    """A code of that form."""
    return st.from_regex(pattern, fullmatch=True)


AIRLINES = form("[A-Z0-9]{2,3}")
NUMBERS = form("[1-9][0-9]{0,3}[A-Z]?")
SEGMENTS = st.builds(
    Segment,
    carrier=AIRLINES,
    flight=st.none() | NUMBERS,
    operating_carrier=AIRLINES,
    booking_class=st.none() | form("[A-Z]{1,2}"),
    fare_basis=st.none() | form("[A-Z0-9/-]{1,20}"),
    origin=st.none() | form("[A-Z]{3}"),
    destination=st.none() | form("[A-Z]{3}"),
    departs=st.none() | st.dates(),
    operating_flight=st.none() | NUMBERS,
    ticket=st.none() | form("[0-9]{13}"),
) | st.builds(Segment, carrier=AIRLINES, flight=NUMBERS)
STAYS = st.builds(
    Stay,
    property=words(64),
    check_in=st.dates(),
    check_out=st.dates(),
    chain=st.none() | form("[A-Z0-9]{2,8}"),
    rate_code=st.none() | form("[A-Z0-9/-]{1,20}"),
)
ELEMENTS = st.builds(
    LoyaltyElement,
    number=words(60),
    surname=words(60),
    given_name=st.none() | words(60),
    carrier=st.none() | form("[A-Z0-9]{2,8}"),
    program=words(30).filter(lambda text: text.upper() not in ("CLID", "CORPORATE_ID")),
    status=st.none() | words(30),
    record_locator=st.none() | form("[A-Z0-9-]{2,20}"),
) | st.builds(LoyaltyElement, number=words(60), surname=words(60), carrier=form("[A-Z0-9]{2,8}"))


@given(ELEMENTS, st.lists(SEGMENTS, max_size=4), st.sampled_from([None, "1"]))
def test_flights_that_are_written_are_read_as_they_were(
    bare: LoyaltyElement, flights: list[Segment], sector: str | None
) -> None:
    """Reading what was written gives the same element; NDC has no place for the sector."""
    assume(bare.program != bare.carrier)
    element = replace(bare, segments=tuple(flights), sector=sector)
    assert list(read_all(write_opentravel(element))) == [element]
    assert list(read_all(write_ndc(element))) == [replace(element, sector=None)]


@given(
    ELEMENTS,
    st.lists(
        STAYS,
        min_size=1,
        max_size=4,
        unique_by=lambda stay: (stay.property, stay.check_in, stay.check_out),
    ),
    st.sampled_from([None, "3"]),
)
def test_stays_that_are_written_are_read_as_they_were(
    bare: LoyaltyElement, stays: list[Stay], sector: str | None
) -> None:
    """Reading a hotel reservation that was written gives the same element."""
    assume(bare.program != bare.carrier)
    element = replace(bare, stays=tuple(stays), sector=sector)
    assert list(read_all(write_opentravel(element))) == [element]


@dataclass(frozen=True)
class Guest:
    """A traveller of a made-up booking: her numbers by carriers, and the flights she is named
    with."""

    carriers: list[str]
    flights: list[int]


FLOWN = st.tuples(
    st.sampled_from(["BA", "IB", "QF"]), st.sampled_from(["", "BA", "IB"]), st.integers(0, 99)
)
GUESTS = st.builds(
    Guest,
    carriers=st.lists(st.sampled_from(["BA", "IB", "AA"]), min_size=1, max_size=3),
    flights=st.lists(st.integers(0, 3), max_size=3, unique=True),
)


def as_ndc(guests: list[Guest], flights: list[tuple[str, str, int]]) -> bytes:
    """The booking as a message of 18.1."""
    said = ""
    for place, (carrier, operating, number) in enumerate(flights):
        flown = f"<CarrierDesigCode>{operating}</CarrierDesigCode>"
        said += (
            f"<PaxSegment><MarketingCarrierInfo><CarrierDesigCode>{carrier}</CarrierDesigCode>"
            f"<MarketingCarrierFlightNumberText>{number}</MarketingCarrierFlightNumberText>"
            f"</MarketingCarrierInfo><OperatingCarrierInfo>{flown}</OperatingCarrierInfo>"
            f"<PaxSegmentID>S{place}</PaxSegmentID></PaxSegment>"
        )
    for place, guest in enumerate(guests):
        accounts = "".join(
            f"<LoyaltyProgramAccount><AccountNumber>{place}.{number}</AccountNumber><Carrier>"
            f"<AirlineDesigCode>{carrier}</AirlineDesigCode></Carrier></LoyaltyProgramAccount>"
            for number, carrier in enumerate(guest.carriers)
        )
        name = f"<PaxID>P{place}</PaxID><Individual><Surname>N{place}</Surname></Individual>"
        said += f"<Pax>{name}{accounts}</Pax>"
        for flight in guest.flights:
            named = f"<PaxRefID>P{place}</PaxRefID><PaxSegmentRefID>S{flight}</PaxSegmentRefID>"
            said += f"<Service>{named}</Service>"
    return f"<Response>{said}</Response>".encode()


def as_opentravel(guests: list[Guest], flights: list[tuple[str, str, int]]) -> bytes:
    """The booking as a message of OpenTravel."""
    said = ""
    for place, (carrier, operating, number) in enumerate(flights):
        said += (
            f'<FlightSegment RPH="S{place}" FlightNumber="{number}"><MarketingAirline '
            f'Code="{carrier}"/><OperatingAirline Code="{operating}"/></FlightSegment>'
        )
    for place, guest in enumerate(guests):
        accounts = "".join(
            f'<CustLoyalty MembershipID="{place}.{number}" VendorCode="{carrier}"/>'
            for number, carrier in enumerate(guest.carriers)
        )
        named = "".join(f"<FlightSegmentRPH>S{each}</FlightSegmentRPH>" for each in guest.flights)
        name = f"<PersonName><Surname>N{place}</Surname></PersonName>"
        said += f"<AirTraveler>{name}{accounts}{named}</AirTraveler>"
    return f"<OTA_AirBookRQ>{said}</OTA_AirBookRQ>".encode()


@given(st.lists(GUESTS, min_size=1, max_size=3), st.lists(FLOWN, min_size=4, max_size=4))
def test_a_booking_is_the_same_in_either_form(
    guests: list[Guest], flights: list[tuple[str, str, int]]
) -> None:
    """Whatever the form, each flight of a traveller that can be read is with exactly one of her
    numbers."""
    by_form = []
    for document in (as_ndc(guests, flights), as_opentravel(guests, flights)):
        found = {}
        for element in read_all(document):
            assert isinstance(element, LoyaltyElement)
            found[element.number] = {(each.carrier, each.flight) for each in element.segments}
        by_form.append(found)
    assert by_form[0] == by_form[1]
    is_shared_out = any(guest.flights for guest in guests)
    for place, guest in enumerate(guests):
        named = guest.flights if is_shared_out else range(4)
        written = [flights[each] for each in named]
        expected = sorted({(carrier, str(number)) for carrier, _, number in written if number})
        hers = [by_form[0][f"{place}.{number}"] for number in range(len(guest.carriers))]
        assert sorted(set().union(*hers)) == expected


def test_an_attribute_of_another_vocabulary_does_not_replace_the_elements_own() -> None:
    """Of attributes that differ by their prefix alone, the one without a prefix counts."""
    assert read_markup(b'<a xmlns:ID="urn:t"/>').attributes == {}
    for said in ('ID="BA" t:ID="ZZ"', 't:ID="ZZ" ID="BA"', 't:ID="BA"', 'xmlns:ID="u" ID="BA"'):
        assert read_markup(f'<a xmlns:t="urn:t" {said}/>'.encode()).attributes["ID"] == "BA"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<a>",
        b"<a/><b/>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><a/>',
        b"<a>&e;</a>",
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b'<?xml version="1.0" encoding="rot13"?><a/>',
        b'<?xml version="1.0" encoding="idna"?><a/>',
        b"<a>\xff</a>",
        b"<a>\0</a>",
        b"<a " + b" ".join(b'a%d="1"' % each for each in range(101)) + b"/>",
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
        b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>",
        b"<a>" + b" " * MAX_DOCUMENT + b"</a>",
    ],
    ids=lambda document: repr(document[:60]),
)
def test_a_document_that_could_do_harm_is_refused(document: bytes) -> None:
    """What is not XML, has a document type, or is beyond the bounds is refused, and nothing in it
    is expanded or fetched."""
    with pytest.raises(MarkupRefused):
        read_markup(document)


def read_all(document: bytes) -> Iterator[LoyaltyElement | BadElement]:
    """What both readers find in a document."""
    try:
        message = read_markup(document)
    except MarkupRefused:
        return
    yield from (content for _, content in read_ndc(message))
    yield from (content for _, content in read_opentravel(message))


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(document: bytes) -> None:
    """Whatever the bytes are, they are read or refused."""
    assert list(read_all(document)) == []


DAMAGES = st.tuples(
    st.sampled_from(["drop", "twice", "text", "attribute", "name", "move"]),
    st.integers(0, 200),
    st.integers(0, 200),
    st.sampled_from(["", " ", "x", "0", "BA", "2027-13-01", "9999-12-31", "P999D", "14", "1 2"]),
)


@given(
    st.sampled_from([NDC_17_2, NDC_19_2, NDC_21_3, FLIGHTS, HOTEL, SABRE]),
    st.lists(DAMAGES, min_size=1, max_size=6),
)
def test_damaged_messages_can_be_read(
    document: bytes, damages: list[tuple[str, int, int, str]]
) -> None:
    """However the elements of a message are put together, lost, and filled with something else,
    each account is an element or told as bad."""
    root = ElementTree.fromstring(document)
    for damage, one, other, text in damages:
        inside = [(parent, child) for parent in root.iter() for child in parent]
        if not inside:
            break
        parent, child = inside[one % len(inside)]
        target = inside[other % len(inside)][1]
        if damage == "drop":
            parent.remove(child)
        elif damage == "twice":
            parent.append(child)
        elif damage == "text":
            child.text = text
        elif damage == "attribute" and child.attrib:
            child.set(sorted(child.attrib)[other % len(child.attrib)], text)
        elif damage == "name":
            child.tag = target.tag
        elif damage == "move" and parent is not target and target not in child.iter():
            parent.remove(child)
            target.append(child)
    contents = list(read_all(ElementTree.tostring(root)))
    assert all(isinstance(each, LoyaltyElement | BadElement) for each in contents)


MANY = 3_000


@pytest.mark.parametrize(
    "document",
    [
        "<FareDetail><FareComponent><FareBasisCode>Y</FareBasisCode></FareComponent></FareDetail>"
        * MANY,
        "<Service>{pax}</Service>" * 20,
        "<FareDetail>{pax}<FareComponent>{flights}</FareComponent></FareDetail>" * 20,
        "<TicketDocInfo>{pax}"
        + "<Ticket><TicketNumber>1234567890123</TicketNumber></Ticket>" * MANY
        + "</TicketDocInfo>",
    ],
    ids=["fares of all", "services", "fares", "tickets"],
)
def test_a_long_message_is_read_in_a_time_that_grows_with_it(document: str) -> None:
    """No part of a message is looked through again for each passenger, whatever they refer to."""
    names = " ".join(f"P{each}" for each in range(MANY))
    flights = " ".join(f"S{each}" for each in range(3_000))
    people = "".join(
        f"<Pax><PaxID>P{each}</PaxID><Surname>A</Surname><LoyaltyProgramAccount><AccountNumber>1"
        "</AccountNumber><ProgramCode>A</ProgramCode></LoyaltyProgramAccount></Pax>"
        for each in range(MANY)
    )
    flown = "".join(
        f"<PaxSegment><PaxSegmentID>S{each}</PaxSegmentID></PaxSegment>" for each in range(3_000)
    )
    filled = document.format(
        pax=f"<PaxRefID>{names}</PaxRefID>", flights=f"<PaxSegmentRefID>{flights}</PaxSegmentRefID>"
    )
    started = process_time()
    found = list(read_all(f"<Response>{people}{flown}{filled}</Response>".encode()))
    assert len(found) == MANY
    assert process_time() - started < 10
