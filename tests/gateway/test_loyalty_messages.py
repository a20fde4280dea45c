"""The loyalty element of NDC and OpenTravel messages, read, written, and from strangers."""

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brands.bounds import is_storable
from gateway.trade.loyalty_elements import BadElement, LoyaltyElement, Segment, plain
from gateway.trade.markup import MAX_DEPTH, MAX_DOCUMENT, MAX_ELEMENTS, MarkupRefused, read_markup
from gateway.trade.ndc import read_ndc, write_ndc
from gateway.trade.opentravel import read_opentravel, write_opentravel

NDC_17_2 = b"""<?xml version="1.0" encoding="UTF-8"?>
<OrderCreateRQ xmlns="http://www.iata.org/IATA/EDIST/2017.2" Version="17.2">
  <Query>
    <BookingReferences><BookingReference><ID>AB12CD</ID></BookingReference></BookingReferences>
    <DataLists>
      <PassengerList>
        <Passenger PassengerID="T1">
          <PTC>ADT</PTC>
          <Individual><NameTitle>Mr</NameTitle><GivenName>Frequent</GivenName>
            <Surname>Flyer</Surname></Individual>
          <LoyaltyProgramAccount>
            <Airline><AirlineDesignator>BA</AirlineDesignator></Airline>
            <AccountNumber>12345678</AccountNumber>
          </LoyaltyProgramAccount>
        </Passenger>
        <Passenger PassengerID="T2"><PTC>CHD</PTC></Passenger>
      </PassengerList>
      <FlightSegmentList>
        <FlightSegment SegmentKey="S1">
          <Departure><AirportCode>LHR</AirportCode><Date>2027-02-21</Date></Departure>
          <Arrival><AirportCode>JFK</AirportCode></Arrival>
          <MarketingCarrier><AirlineID>AA</AirlineID><FlightNumber>6135</FlightNumber>
          </MarketingCarrier>
          <OperatingCarrier><AirlineID>BA</AirlineID></OperatingCarrier>
          <ClassOfService><Code>J</Code></ClassOfService>
        </FlightSegment>
      </FlightSegmentList>
    </DataLists>
  </Query>
</OrderCreateRQ>"""

NDC_21_3 = b"""<a:IATA_OrderViewRS xmlns:a="urn:iata" xmlns:c="urn:common"><a:Response>
  <a:DataLists>
    <a:PaxList>
      <c:Pax><c:Individual><c:GivenName>Mar\xc3\xada</c:GivenName><c:Surname>Garc\xc3\xada</c:Surname>
        </c:Individual>
        <c:LoyaltyProgramAccount><c:AccountNumber>IB 331-234</c:AccountNumber>
          <c:LoyaltyProgram><c:Carrier><c:AirlineDesigCode>ib</c:AirlineDesigCode></c:Carrier>
            <c:ProgramCode>IBPLUS</c:ProgramCode></c:LoyaltyProgram></c:LoyaltyProgramAccount>
        <c:LoyaltyProgramAccount><c:AccountNumber>9</c:AccountNumber></c:LoyaltyProgramAccount>
        <c:PaxID>PAX1</c:PaxID></c:Pax>
    </a:PaxList>
    <a:PaxSegmentList><c:PaxSegment>
      <c:Arrival><c:IATA_LocationCode>BCN</c:IATA_LocationCode></c:Arrival>
      <c:Dep><c:AircraftScheduledDateTime>2027-06-01T19:15:00+01:00</c:AircraftScheduledDateTime>
        <c:IATA_LocationCode>LHR</c:IATA_LocationCode></c:Dep>
      <c:MarketingCarrierInfo><c:CarrierDesigCode>BA</c:CarrierDesigCode>
        <c:MarketingCarrierFlightNumberText>0482</c:MarketingCarrierFlightNumberText>
      </c:MarketingCarrierInfo>
      <c:PaxSegmentID>SEG1</c:PaxSegmentID></c:PaxSegment></a:PaxSegmentList>
  </a:DataLists>
  <a:Order><c:BookingRef><c:BookingID>XYZ789</c:BookingID></c:BookingRef>
    <c:OrderItem>
      <c:FareDetail><c:FareComponent><c:FareBasisCode>OTHER</c:FareBasisCode>
        <c:PaxSegmentRefID>SEG1</c:PaxSegmentRefID></c:FareComponent><c:PaxRefID>PAX2</c:PaxRefID>
      </c:FareDetail>
      <c:FareDetail><c:FareComponent><c:FareBasisCode>YLOW</c:FareBasisCode>
        <c:PaxSegmentRefID>SEG1</c:PaxSegmentRefID><c:RBD><c:RBD_Code>Y</c:RBD_Code></c:RBD>
        </c:FareComponent><c:PaxRefID>PAX1</c:PaxRefID></c:FareDetail></c:OrderItem></a:Order>
</a:Response></a:IATA_OrderViewRS>"""

OPENTRAVEL = b"""<OTA_AirBookRQ xmlns="http://www.opentravel.org/OTA/2003/05" Version="2.001">
  <AirItinerary><OriginDestinationOptions><OriginDestinationOption>
    <FlightSegment RPH="1" DepartureDateTime="2027-02-21T10:00:00" FlightNumber="117"
        ResBookDesigCode="J">
      <DepartureAirport LocationCode="LHR"/><ArrivalAirport LocationCode="JFK"/>
      <OperatingAirline Code="BA"/><MarketingAirline Code="AA"/></FlightSegment>
  </OriginDestinationOption></OriginDestinationOptions></AirItinerary>
  <PriceInfo><FareBasisCodes><FareBasisCode FlightSegmentRPH="1">JFLEX</FareBasisCode>
    </FareBasisCodes></PriceInfo>
  <TravelerInfo>
    <AirTraveler><PersonName><GivenName>Ginny</GivenName><Surname>Woolf</Surname></PersonName>
      <CustLoyalty ProgramID="PLATINUM5" MembershipID="8943112" LoyalLevel="VIP" TravelSector="1"/>
    </AirTraveler>
    <AirTraveler><PersonName><Surname>Bukowski</Surname></PersonName><CustLoyalty/>
      <CustLoyalty ProgramID="" MembershipID="" /><CustLoyalty ProgramID="ZR"/></AirTraveler>
  </TravelerInfo>
  <BookingReferenceID Type="14" ID="AB12CD"/>
</OTA_AirBookRQ>"""


def test_ndc_of_2017() -> None:
    """In a message of 17.2 each account comes with its passenger and the flights."""
    assert list(read_ndc(read_markup(NDC_17_2))) == [
        (
            11,
            LoyaltyElement(
                number="12345678",
                surname="Flyer",
                given_name="Frequent",
                carrier="BA",
                record_locator="AB12CD",
                segments=(Segment("AA", "6135", "BA", "J", None, "LHR", "JFK", date(2027, 2, 21)),),
            ),
        )
    ]


def test_ndc_of_2021() -> None:
    """In a message of 21.3 flights have the passenger's own fares, and an account that names no
    program is told as bad."""
    good, bad = read_ndc(read_markup(NDC_21_3))
    assert good == (
        6,
        LoyaltyElement(
            number="IB 331-234",
            surname="García",
            given_name="María",
            carrier="IB",
            program="IBPLUS",
            record_locator="XYZ789",
            segments=(Segment("BA", "0482", None, "Y", "YLOW", "LHR", "BCN", date(2027, 6, 1)),),
        ),
    )
    assert (bad[0], str(bad[1])) == (9, "neither a carrier nor a program is named")


def test_opentravel() -> None:
    """Empty accounts are passed over; one with half of what it needs is told as bad."""
    good, bad = read_opentravel(read_markup(OPENTRAVEL))
    assert good == (
        12,
        LoyaltyElement(
            number="8943112",
            surname="Woolf",
            given_name="Ginny",
            program="PLATINUM5",
            status="VIP",
            sector="1",
            record_locator="AB12CD",
            segments=(Segment("AA", "117", "BA", "J", "JFLEX", "LHR", "JFK", date(2027, 2, 21)),),
        ),
    )
    assert (bad[0], str(bad[1])) == (15, "there is no number")


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


CARRIERS = form("[A-Z0-9]{2,3}")
SEGMENTS = st.builds(
    Segment,
    carrier=CARRIERS,
    flight=st.none() | form("[0-9]{1,4}[A-Z]?"),
    operating_carrier=st.none() | CARRIERS,
    booking_class=st.none() | form("[A-Z][A-Z0-9]?"),
    fare_basis=st.none() | form("[A-Z0-9][A-Z0-9/*-]{0,19}"),
    origin=st.none() | form("[A-Z]{3}"),
    destination=st.none() | form("[A-Z]{3}"),
    departs=st.none() | st.dates(),
)
ELEMENTS = st.builds(
    LoyaltyElement,
    number=words(60),
    surname=words(60),
    given_name=st.none() | words(60),
    carrier=CARRIERS,
    program=st.none() | words(30).map(lambda text: text + " club"),
    status=st.none() | words(30),
    sector=st.none() | form("[0-9]{1,2}"),
    record_locator=st.none() | form("[A-Z0-9]{5,8}"),
    segments=st.lists(SEGMENTS, max_size=4).map(tuple),
)


@given(ELEMENTS)
def test_what_is_written_is_read_as_it_was(element: LoyaltyElement) -> None:
    """Reading what was written gives the same element; NDC has no place for status and sector."""
    ((_, read),) = read_opentravel(read_markup(write_opentravel(element)))
    assert read == element
    ((_, read),) = read_ndc(read_markup(write_ndc(element)))
    assert isinstance(read, LoyaltyElement)
    assert (read.number, read.surname, read.given_name) == (
        element.number,
        element.surname,
        element.given_name,
    )
    assert (read.carrier, read.program) == (element.carrier, element.program)
    assert (read.record_locator, read.segments) == (element.record_locator, element.segments)
    assert (read.status, read.sector) == (None, None)


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


@given(
    st.sampled_from([NDC_17_2, NDC_21_3, OPENTRAVEL]),
    st.lists(
        st.tuples(st.integers(0, 3_000), st.binary(max_size=6), st.integers(0, 40)), max_size=3
    ),
)
def test_damaged_messages_can_be_read(
    document: bytes, damages: list[tuple[int, bytes, int]]
) -> None:
    """A message in which bytes are changed, put in or lost is read or refused."""
    for place, put_in, lost in damages:
        document = document[:place] + put_in + document[place + lost :]
    assert all(isinstance(each, LoyaltyElement | BadElement) for each in read_all(document))


TAGS = ["Pax", "Passenger", "LoyaltyProgramAccount", "AccountNumber", "Individual", "Surname"]
TAGS += ["PaxSegment", "FlightSegment", "FareDetail", "FareComponent", "PaxRefID", "PersonName"]
TREES = st.recursive(
    st.sampled_from(["", "x", "2027-13-01", "1"]),
    lambda inside: st.builds(
        lambda tag, children: f'<{tag} PassengerID="1" RPH="1">{"".join(children)}</{tag}>',
        st.sampled_from([*TAGS, "Dep", "AircraftScheduledDateTime", "CustLoyalty", "BookingRef"]),
        st.lists(inside, max_size=4),
    ),
    max_leaves=25,
)


@given(TREES)
def test_any_tree_of_known_names_can_be_read(tree: str) -> None:
    """However the elements are put together, each account is an element or told as bad."""
    contents = list(read_all(f"<a>{tree}</a>".encode()))
    assert all(isinstance(each, LoyaltyElement | BadElement) for each in contents)
