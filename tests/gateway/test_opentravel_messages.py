"""The loyalty element of OpenTravel messages, for flights and for hotels."""

from datetime import date

import pytest

from gateway.trade.loyalty_elements import BadElement, LeftOut, LoyaltyElement, Segment, Stay
from gateway.trade.markup import read_markup
from gateway.trade.opentravel import read_opentravel, write_opentravel
from tests.gateway.booking_messages import FLIGHTS, HOTEL, SABRE


def read(document: bytes) -> list[LoyaltyElement | str]:
    """The elements of a message, and what is told of the bad ones."""
    found = (content for _, content in read_opentravel(read_markup(document)))
    return [str(each) if isinstance(each, BadElement) else each for each in found]


def test_flights() -> None:
    """Each traveller has the fare of her type, and none where it is not known which is hers, her
    ticket, and of several carriers the first; empty accounts are passed over."""
    day = date(2027, 2, 21)
    adult = Segment("AA", "117", "BA", "J", "JFLEX", "LHR", "JFK", day, "178", "0012345678901")
    child = Segment("AA", "117", "BA", "J", "JFLEX/CH25", "LHR", "JFK", day, "178")
    unknown = Segment("AA", "117", "BA", "J", None, "LHR", "JFK", day, "178")
    assert read(FLIGHTS) == [
        LoyaltyElement(
            number="8943112",
            surname="van der Woolf",
            given_name="Ginny",
            program="PLATINUM5",
            status="VIP",
            sector="1",
            record_locator="AB-12",
            segments=(adult,),
        ),
        "there is no number",
        LoyaltyElement("3", "Bukowski", carrier="BA", record_locator="AB-12", segments=(child,)),
        LoyaltyElement("4", "Foe", carrier="HILTON", record_locator="AB-12", segments=(unknown,)),
    ]


def test_hotel_stays() -> None:
    """A guest has the stays that name her and those that name nobody, two rooms being one stay;
    only a number for hotels has them; and a membership is the only guest's, or nobody's."""
    nights = Stay("1154286", date(2027, 5, 23), date(2027, 5, 26), "HH", "113712A")
    assert read(HOTEL) == [
        LoyaltyElement(
            "71",
            "Doe",
            "John",
            program="HONORS",
            sector="3",
            record_locator="13335517",
            stays=(nights,),
        ),
        LoyaltyElement("72", "Doe", "John", program="AERO", sector="1", record_locator="13335517"),
        LoyaltyElement(
            "73",
            "Roe",
            program="HONORS",
            record_locator="13335517",
            stays=(
                Stay("1154286", date(2027, 5, 23), date(2027, 5, 26), "HH"),
                Stay("Grand Park", date(2027, 5, 26), date(2027, 5, 30)),
            ),
        ),
        "the reservation has several guests: it is to stand with the one whose it is",
        LoyaltyElement(
            "1111111",
            "DOE",
            "JANE",
            program="HotelLoyaltyProgram",
            record_locator="AG1405",
            stays=(Stay("Concur Inn", date(2027, 5, 1), date(2027, 5, 2)),),
        ),
    ]


@pytest.mark.parametrize(
    ("span", "why"),
    [
        (b'Start="9999-12-31" Duration="P4D"', "the calendar ends before it"),
        (b'Start="2027-05-26" Duration="P1M"', "it has no days"),
        (b'Start="05-26" Duration="P4D"', '"05-26" is not a date like 2026-12-31'),
    ],
)
def test_an_odd_stay_spoils_no_other(span: bytes, why: str) -> None:
    """A stay of which the days cannot be read is left out, and told to those whose it is."""
    document = HOTEL.replace(b'Start="2027-05-26" Duration="P4D"', span)
    doe, _, roe, *_ = (each for each in read(document) if isinstance(each, LoyaltyElement))
    assert (len(doe.stays), doe.notes) == (1, ())
    assert (len(roe.stays), roe.notes) == (1, (f"a stay is left out: {why}",))


def reservation(numbers: str, globally: str = "") -> LoyaltyElement:
    """The element of a reservation with these numbers of its own."""
    document = (
        f"<OTA_HotelResRQ><HotelReservation>{numbers}<RoomStays><RoomStay/></RoomStays>"
        "<ResGuests><ResGuest><PersonName><Surname>Doe</Surname></PersonName>"
        '<CustLoyalty ProgramID="HONORS" MembershipID="7"/></ResGuest></ResGuests>'
        f"<ResGlobalInfo>{globally}</ResGlobalInfo></HotelReservation></OTA_HotelResRQ>"
    )
    (element,) = read(document.encode())
    assert isinstance(element, LoyaltyElement)
    return element


def test_what_is_said_of_the_whole_reservation() -> None:
    """Property and days may stand with the reservation only; without a property the stay is left
    out, and that is a loss."""
    days = '<TimeSpan Start="2027-05-01" End="2027-05-02"/>'
    found = reservation("", days + '<BasicPropertyInfo HotelCode="8"/>')
    assert found.stays == (Stay("8", date(2027, 5, 1), date(2027, 5, 2)),)
    lost = reservation("", days)
    assert (lost.stays, lost.notes) == ((), ("a stay is left out: the stay has no property",))
    assert isinstance(lost.notes[0], LeftOut)


def test_the_number_of_a_reservation() -> None:
    """It is the one that is called so; else one that is not called anything; else another
    system's, but for that of the cancellation."""
    other = '<HotelReservationID ResID_Type="15" ResID_Value="C1"/>'
    other += '<HotelReservationID ResID_Type="10"/>'
    assert reservation(other).record_locator is None
    other += '<HotelReservationID ResID_Type="10" ResID_Value="A1"/>'
    assert reservation(other).record_locator == "A1"
    unnamed = '<UniqueID Type="1" ID="G1"/><UniqueID ID="B1"/>' + other
    assert reservation(unnamed).record_locator == "B1"
    named = '<HotelReservationID ResID_Type="14" ResID_Value="D1"/>'
    assert reservation(unnamed + named).record_locator == "D1"


def test_names_of_a_reservation_system() -> None:
    """Where several names stand beside each other, the account is that one's whose number it has;
    without one, and with one that nobody has, it is not told whose it is; and a number may be for
    the flights of one airline only."""
    first, second, *others = read(SABRE)
    assert isinstance(first, LoyaltyElement)
    assert isinstance(second, LoyaltyElement)
    assert (first.surname, first.number) == ("IVANOV", "1234567890")
    assert [each.flight for each in first.segments] == ["10"]
    assert (second.surname, second.number) == ("IVANOVA", "0987654321")
    assert [each.flight for each in second.segments] == ["10", "20"]
    why = "several travellers are named beside it: its NameNumber is to say whose it is"
    assert others == [why] * 2


def air(accounts: str, *, named: str = "", others: str = "") -> bytes:
    """A message with a traveller and two flights, of BA and of IB."""
    return (
        '<OTA_AirBookRQ><FlightSegment RPH="1" FlightNumber="1"><MarketingAirline Code="BA"/>'
        '</FlightSegment><FlightSegment RPH="2" FlightNumber="2"><MarketingAirline Code="IB"/>'
        f"</FlightSegment><AirTraveler><PersonName><Surname>Wolf</Surname></PersonName>{accounts}"
        f"{named}</AirTraveler>{others}</OTA_AirBookRQ>"
    ).encode()


def flights_of(document: bytes) -> dict[str, list[str | None]]:
    """The flights of each number of a message."""
    found = [each for each in read(document) if isinstance(each, LoyaltyElement)]
    return {each.number: [flight.flight for flight in each.segments] for each in found}


def test_each_flight_goes_to_one_number() -> None:
    """A traveller's numbers share out her flights: a hotel's has none, an airline's its own, and
    the first the rest; so that none of them replaces another."""
    assert flights_of(
        air(
            '<CustLoyalty ProgramID="AERO" MembershipID="1" TravelSector="1"/>'
            '<CustLoyalty ProgramID="HOTEL" MembershipID="2" TravelSector="3"/>'
        )
    ) == {"1": ["1", "2"], "2": []}
    assert flights_of(
        air(
            '<CustLoyalty ProgramID="AERO" MembershipID="1"/>'
            '<CustLoyalty ProgramID="IB" MembershipID="2"/>'
            '<CustLoyalty ProgramID="QF" MembershipID="3"/>'
        )
    ) == {"1": ["1"], "2": ["2"], "3": []}


def test_a_number_that_is_given_twice_has_its_flights_twice() -> None:
    """The same number again is the same: nothing is kept from it."""
    (first, again) = read(air('<CustLoyalty ProgramID="BA" MembershipID="1"/>' * 2))
    assert first == again
    assert isinstance(first, LoyaltyElement)
    assert len(first.segments) == 2


def test_a_traveller_has_the_flights_that_she_is_named_with() -> None:
    """Where travellers are named with flights, each has hers; where none is, all have all."""
    number = '<CustLoyalty ProgramID="BA" MembershipID="1"/>'
    rph = "<FlightSegmentRPHs><FlightSegmentRPH>2</FlightSegmentRPH></FlightSegmentRPHs>"
    other = f"<AirTraveler>{rph}</AirTraveler>"
    assert flights_of(air(number)) == {"1": ["1", "2"]}
    assert flights_of(air(number, named=rph)) == {"1": ["2"]}
    assert flights_of(air(number, others=other)) == {"1": []}


def test_an_odd_flight_spoils_no_other() -> None:
    """A flight without a number that can be read is left out, and told."""
    document = air('<CustLoyalty ProgramID="BA" MembershipID="1"/>')
    (element,) = read(document.replace(b'FlightNumber="2"', b'FlightNumber="OPEN"'))
    assert isinstance(element, LoyaltyElement)
    assert [each.flight for each in element.segments] == ["1"]
    assert element.notes == ('flight IBOPEN is left out: "OPEN" is no flight',)


WRITTEN = """<?xml version='1.0' encoding='utf-8'?>
<OTA_HotelResRQ xmlns="http://www.opentravel.org/OTA/2003/05" Version="1.0">
  <HotelReservations>
    <HotelReservation>
      <UniqueID Type="14" ID="AB12CD" />
      <RoomStays>
        <RoomStay>
          <RatePlans>
            <RatePlan RatePlanCode="FLEX" />
          </RatePlans>
          <TimeSpan Start="2027-02-21" End="2027-02-24" />
          <BasicPropertyInfo ChainCode="STAY" HotelName="LISBON 1" />
          <ResGuestRPHs>
            <ResGuestRPH RPH="1" />
          </ResGuestRPHs>
        </RoomStay>
      </RoomStays>
      <ResGuests>
        <ResGuest ResGuestRPH="1">
          <Profiles>
            <ProfileInfo>
              <Profile ProfileType="1">
                <Customer>
                  <PersonName>
                    <GivenName>Ada</GivenName>
                    <Surname>Moreno</Surname>
                  </PersonName>
                  <CustLoyalty ProgramID="HOTEL" MembershipID="18" />
                </Customer>
              </Profile>
            </ProfileInfo>
          </Profiles>
        </ResGuest>
      </ResGuests>
    </HotelReservation>
  </HotelReservations>
</OTA_HotelResRQ>
"""


def test_stays_are_written_as_a_hotel_reservation() -> None:
    """Stays have a message of their own; with flights beside them there is none for both."""
    stay = Stay("LISBON 1", date(2027, 2, 21), date(2027, 2, 24), "STAY", "FLEX")
    element = LoyaltyElement(
        "18", "Moreno", "Ada", program="HOTEL", record_locator="AB12CD", stays=(stay,)
    )
    assert write_opentravel(element).decode() == WRITTEN
    flight = Segment("AE", "117")
    with pytest.raises(BadElement):
        write_opentravel(
            LoyaltyElement("18", "Moreno", program="HOTEL", segments=(flight,), stays=(stay,))
        )
