"""The loyalty element of NDC messages, of each version as airlines send them."""

from datetime import date

import pytest

from gateway.trade.loyalty_elements import BadElement, LoyaltyElement, Segment, Stay
from gateway.trade.markup import read_markup
from gateway.trade.ndc import read_ndc, write_ndc
from tests.gateway.booking_messages import NDC_17_2, NDC_19_2, NDC_21_3


def elements(document: bytes) -> list[LoyaltyElement]:
    """The elements of a message in which nothing is bad."""
    found = [content for _, content in read_ndc(read_markup(document))]
    assert not [each for each in found if isinstance(each, BadElement)]
    return [each for each in found if isinstance(each, LoyaltyElement)]


def test_ndc_of_2017() -> None:
    """In a message of 17.2 each passenger has her own fare and ticket; a document for a service is
    no ticket, and a company's account is nobody's."""
    flight = Segment(
        "SU", "12", "FV", "N", "NVOR", "SVO", "LED", date(2027, 12, 12), "6012", "5557208883536"
    )
    child = Segment("SU", "12", "FV", "N", "NVOR/CH25", "SVO", "LED", date(2027, 12, 12), "6012")
    assert list(read_ndc(read_markup(NDC_17_2))) == [
        (
            25,
            LoyaltyElement(
                number="12345678",
                surname="LVOV",
                given_name="SEMEN",
                carrier="SU",
                record_locator="TRJPCT",
                segments=(flight,),
            ),
        ),
        (
            32,
            LoyaltyElement(
                number="9",
                surname="LVOVA",
                given_name="ANNA",
                program="SU",
                record_locator="TRJPCT",
                segments=(child,),
            ),
        ),
    ]


def test_ndc_of_2019() -> None:
    """Of several orders each passenger has her own, with its record locator and flights; and an
    account that names no program is told as bad."""
    garcia, bad, berg = (content for _, content in read_ndc(read_markup(NDC_19_2)))
    assert garcia == LoyaltyElement(
        number="IB 331-234",
        surname="García",
        given_name="María",
        carrier="IB",
        program="IBPLUS",
        status="GOLD",
        record_locator="AAA-111",
        segments=(Segment("BA", "482", "VY", "Y", "YLOW", "LHR", "BCN", date(2027, 6, 1), "7821"),),
    )
    assert str(bad) == "neither a carrier nor a program is named"
    assert berg == LoyaltyElement(
        number="77",
        surname="Berg",
        carrier="BA",
        record_locator="BBB222",
        segments=(Segment("DX", "5078", None, "Q", "QLOW", "OSL", None, date(2027, 6, 2)),),
    )


def test_ndc_of_2021() -> None:
    """A message of 21.3 has its flights in two lists, which are followed by reference; what cannot
    be a booking class is left out, and told."""
    assert elements(NDC_21_3) == [
        LoyaltyElement(
            number="4711",
            surname="Wayne",
            given_name="Bruce",
            carrier="W2",
            record_locator="CSHUNH",
            segments=(
                Segment(
                    "W2", "500", "DX", None, None, "KRP", "CPH", date(2027, 5, 27), "5500",
                    "2772770026753",
                ),
            ),
            notes=('booking class "W2" is left out',),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("order_id", "locator", "notes"),
    [
        ("ORD-1", "ORD-1", ()),
        ("d14a8d0c-74a6-4c3c-801b-8f9e17cf21c6", None, ("D14A8D0C-74A6-4C3C-801B-8F9E17CF21C6",)),
    ],
)
def test_an_order_without_a_booking_is_known_by_its_own_number(
    order_id: str, locator: str | None, notes: tuple[str, ...]
) -> None:
    """Without a reference of a booking, the order's number is the record locator if it has the
    form of one; else it is left out, and told."""
    start, end = NDC_21_3.index(b"<BookingRef>"), NDC_21_3.index(b"</BookingRef>")
    bare = NDC_21_3[:start] + NDC_21_3[end + len(b"</BookingRef>") :]
    old = b"d14a8d0c-74a6-4c3c-801b-8f9e17cf21c6"
    (element,) = elements(bare.replace(old, order_id.encode()))
    assert element.record_locator == locator
    told = [note for note in element.notes if note.startswith("record locator")]
    assert told == [f'record locator "{each}" is left out' for each in notes]


def message(*, accounts: str = "", flights: str = "", orders: str = "") -> bytes:
    """A message with one passenger."""
    pax = f"<Pax><Individual><Surname>Wolf</Surname></Individual>{accounts}<PaxID>P1</PaxID></Pax>"
    return f"<Response><DataLists>{pax}{flights}</DataLists>{orders}</Response>".encode()


def account(carrier: str, number: str) -> str:
    """An account of 18.1."""
    return (
        f"<LoyaltyProgramAccount><AccountNumber>{number}</AccountNumber><LoyaltyProgram><Carrier>"
        f"<AirlineDesigCode>{carrier}</AirlineDesigCode></Carrier></LoyaltyProgram>"
        "</LoyaltyProgramAccount>"
    )


def flight(name: str, carrier: str, number: str, operating: str = "") -> str:
    """A flight of 18.1."""
    flown = f"<OperatingCarrierInfo>{operating}</OperatingCarrierInfo>"
    return (
        f"<PaxSegment>{flown if operating else ''}<MarketingCarrierInfo><CarrierDesigCode>{carrier}"
        f"</CarrierDesigCode><MarketingCarrierFlightNumberText>{number}"
        "</MarketingCarrierFlightNumberText></MarketingCarrierInfo>"
        f"<PaxSegmentID>{name}</PaxSegmentID></PaxSegment>"
    )


def test_each_flight_goes_to_one_number() -> None:
    """Of several numbers each flight goes to that of the airline which operates it, else sells it,
    else to the first; a number that gets none is told so."""
    document = message(
        accounts=account("IB", "1") + account("BA", "2") + account("QF", "3"),
        flights=flight("A", "BA", "10")
        + flight("B", "BA", "20", "<CarrierDesigCode>IB</CarrierDesigCode>")
        + flight("C", "LH", "30"),
    )
    first, second, third = elements(document)
    assert [each.flight for each in first.segments] == ["20", "30"]
    assert [each.flight for each in second.segments] == ["10"]
    assert third.segments == ()
    assert (first.notes, second.notes) == ((), ())
    assert third.notes == ("another number has its flights",)


def test_an_odd_flight_spoils_no_other() -> None:
    """A flight that cannot be read is left out, and told; the others are there."""
    odd = flight("A", "BA", "OPEN") + flight("B", "BA", "AA12") + flight("C", "BA", "7")
    (element,) = elements(message(accounts=account("BA", "1"), flights=odd))
    assert [each.flight for each in element.segments] == ["7"]
    assert element.notes == (
        'flight BAOPEN is left out: "OPEN" is no flight',
        'flight BAAA12 is left out: "AA12" is no flight of BA',
    )


def test_flights_that_name_nobody_are_all_passengers_unless_somebody_is_named() -> None:
    """Where an order names others with flights, a passenger it does not name has none; and what is
    nobody's is told."""
    flights = flight("A", "BA", "1") + flight("B", "BA", "2")
    item = "<Order><OrderItem><Service><PaxRefID>{}</PaxRefID>{}</Service></OrderItem></Order>"
    said = "<PaxSegmentRefID>A</PaxSegmentRefID>"
    found = {
        case: elements(message(accounts=account("BA", "1"), flights=flights, orders=orders))[0]
        for case, orders in {
            "no order": "",
            "no flights": item.format("P1", ""),
            "hers": item.format("P1", said),
            "another's": item.format("P2", said),
            "two orders": item.format("P2", said) * 2,
        }.items()
    }
    numbers = {case: [each.flight for each in one.segments] for case, one in found.items()}
    assert numbers == {
        "no order": ["1", "2"],
        "no flights": ["1", "2"],
        "hers": ["1"],
        "another's": [],
        "two orders": [],
    }
    assert found["hers"].notes == ("nobody is named for flight BA2",)
    assert found["another's"].notes[0] == "no flight is named as hers"
    assert found["two orders"].notes == ("no order names the traveller",)


WRITTEN = """<?xml version='1.0' encoding='utf-8'?>
<m:IATA_OrderViewRS xmlns="http://www.iata.org/IATA/2015/EASD/00/IATA_OffersAndOrdersCommonTypes" \
xmlns:m="http://www.iata.org/IATA/2015/EASD/00/IATA_OffersAndOrdersMessage">
  <m:Response>
    <DataLists>
      <DatedMarketingSegmentList>
        <DatedMarketingSegment>
          <Arrival>
            <IATA_LocationCode>LHR</IATA_LocationCode>
          </Arrival>
          <CarrierDesigCode>AE</CarrierDesigCode>
          <DatedMarketingSegmentId>MKT1</DatedMarketingSegmentId>
          <DatedOperatingSegmentRefId>OPR1</DatedOperatingSegmentRefId>
          <Dep>
            <AircraftScheduledDateTime>2027-02-21T00:00:00</AircraftScheduledDateTime>
            <IATA_LocationCode>LIS</IATA_LocationCode>
          </Dep>
          <MarketingCarrierFlightNumberText>117</MarketingCarrierFlightNumberText>
        </DatedMarketingSegment>
      </DatedMarketingSegmentList>
      <DatedOperatingSegmentList>
        <DatedOperatingSegment>
          <CarrierDesigCode>TP</CarrierDesigCode>
          <DatedOperatingSegmentId>OPR1</DatedOperatingSegmentId>
          <OperatingCarrierFlightNumberText>8117</OperatingCarrierFlightNumberText>
        </DatedOperatingSegment>
      </DatedOperatingSegmentList>
      <PaxList>
        <Pax>
          <Individual>
            <Surname>Moreno</Surname>
          </Individual>
          <LoyaltyProgramAccount>
            <AccountNumber>18</AccountNumber>
            <LoyaltyProgram>
              <ProgramCode>AERO</ProgramCode>
            </LoyaltyProgram>
          </LoyaltyProgramAccount>
          <PaxID>PAX1</PaxID>
        </Pax>
      </PaxList>
      <PaxSegmentList>
        <PaxSegment>
          <DatedMarketingSegmentRefId>MKT1</DatedMarketingSegmentRefId>
          <MarketingCarrierRBD_Code>J</MarketingCarrierRBD_Code>
          <PaxSegmentID>SEG1</PaxSegmentID>
        </PaxSegment>
      </PaxSegmentList>
    </DataLists>
    <Order>
      <OrderID>AB12CD</OrderID>
      <OrderItem>
        <FareDetail>
          <FareComponent>
            <FareBasisCode>JFLEX</FareBasisCode>
            <PaxSegmentRefID>SEG1</PaxSegmentRefID>
          </FareComponent>
          <PaxRefID>PAX1</PaxRefID>
        </FareDetail>
        <Service>
          <BookingRef>
            <BookingID>AB12CD</BookingID>
          </BookingRef>
          <OrderServiceAssociation>
            <PaxSegmentRef>
              <PaxSegmentRefID>SEG1</PaxSegmentRefID>
            </PaxSegmentRef>
          </OrderServiceAssociation>
          <PaxRefID>PAX1</PaxRefID>
        </Service>
      </OrderItem>
    </Order>
  </m:Response>
</m:IATA_OrderViewRS>
"""


def test_what_is_written_has_the_shape_of_21_3() -> None:
    """The message is of the namespaces of 21.3, its elements in the order that its schema lays
    down; a stay cannot be said in it."""
    flown = Segment("AE", "117", "TP", "J", "JFLEX", "LIS", "LHR", date(2027, 2, 21), "8117")
    element = LoyaltyElement(
        "18", "Moreno", program="AERO", record_locator="AB12CD", segments=(flown,)
    )
    assert write_ndc(element).decode() == WRITTEN
    stay = Stay("LISBON 1", date(2027, 2, 21), date(2027, 2, 24))
    with pytest.raises(BadElement):
        write_ndc(LoyaltyElement("18", "Moreno", program="AERO", stays=(stay,)))
