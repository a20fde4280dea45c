"""The loyalty element of OpenTravel messages, `CustLoyalty`, read and written.

It stands with a customer, traveller or guest, in messages for air, hotels and cars, of all versions
of the 2003/05 namespace; dialects that have taken it over are read too. So is the `Membership` of
hotel reservations. Written are an `OTA_AirBookRQ` and an `OTA_HotelResRQ`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from gateway.trade.allotment import Account, Traveller, elements_of
from gateway.trade.hotel_stays import RESERVATION_NUMBER, HotelReservation
from gateway.trade.loyalty_elements import BadElement, LoyaltyElement, Segment, code, plain
from gateway.trade.markup import Element, write_markup
from gateway.trade.opentravel_flights import Flights

ACCOUNT = "CustLoyalty"
MEMBERSHIP = "Membership"

_NAMESPACE = "http://www.opentravel.org/OTA/2003/05"
_TRAVELLER = "1"
_HOTEL_CODE = re.compile(r"[A-Z0-9]{1,16}")
_WHICH_NAME = "several travellers are named beside it: its NameNumber is to say whose it is"
_WHICH_GUEST = "the reservation has several guests: it is to stand with the one whose it is"
_NONE = Element("", 0)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an account stands: the elements around it."""

    holder: Element | None = None
    """The nearest that has a name in it, or several."""

    traveller: Element | None = None
    """The traveller of flights, or the guest of a hotel."""

    reservation: Element | None = None

    def inside(self, element: Element) -> "_Place":
        """The place that is inside an element at this one."""
        place = self
        if element.first("PersonName") is not None:
            place = replace(place, holder=element)
        if element.name in ("AirTraveler", "ResGuest"):
            place = replace(place, traveller=element)
        elif element.name == "HotelReservation":
            place = _Place(reservation=element)
        return place


@dataclass(frozen=True, slots=True)
class _Whose:
    """Whose an account is."""

    name: Element
    traveller: Element
    reservation: Element | None

    @property
    def key(self) -> tuple[int, int, int]:
        """What tells one from the other."""
        return id(self.name), id(self.traveller), id(self.reservation)


def read_opentravel(message: Element) -> Iterator[tuple[int, LoyaltyElement | BadElement]]:
    """Each loyalty account of the message, with its line; or what is wrong with it. One without
    program and number is no account: many systems write it empty."""
    found: list[tuple[int, LoyaltyElement | BadElement]] = []
    bookings = _Bookings(message)
    accounts: dict[tuple[int, int, int], tuple[_Whose, list[Account]]] = {}
    for place, element in _elements(message):
        account = _account(element)
        if account.number is None and account.program is None:
            continue
        try:
            whose = bookings.whose(element, place)
        except BadElement as bad:
            found.append((account.line, bad))
        else:
            accounts.setdefault(whose.key, (whose, []))[1].append(account)
    for whose, hers in accounts.values():
        found += elements_of(bookings.of(whose), hers)
    yield from sorted(found, key=lambda each: each[0])


def write_opentravel(element: LoyaltyElement) -> bytes:
    """A message with the parts that carry the element: for stays of a hotel reservation, else of
    one for flights. Raises `BadElement` for both, which are two messages."""
    if element.segments and element.stays:
        raise BadElement("flights and stays are two messages of OpenTravel")
    kind = "OTA_HotelResRQ" if element.stays else "OTA_AirBookRQ"
    root = ElementTree.Element(kind, {"xmlns": _NAMESPACE, "Version": "1.0"})
    if element.stays:
        _write_reservation(root, element)
    else:
        _write_flights(root, element)
    return write_markup(root)


class _Bookings:
    """What a message says of all its travellers, looked up once: a message may have many."""

    def __init__(self, message: Element) -> None:
        self._flights = Flights(message)
        self._reference = _reference(message)
        self._reservations: dict[int, HotelReservation] = {}
        self._names: dict[int, Mapping[str | None, Sequence[Element]]] = {}

    def whose(self, account: Element, place: _Place) -> _Whose:
        """Whose an account is. Raises `BadElement` where it may be several persons'."""
        holder, traveller = place.holder, place.traveller
        if holder is None and place.reservation is not None:
            guests = self._reservation(place.reservation).guests
            if len(guests) > 1:
                raise BadElement(_WHICH_GUEST)
            traveller = guests[0] if guests else None
            holder = self._reservation(place.reservation).holder
        if holder is None:
            return _Whose(_NONE, traveller or _NONE, place.reservation)
        if id(holder) not in self._names:
            self._names[id(holder)] = _names(holder)
        numbered = self._names[id(holder)]
        names = numbered.get(_name_number(account) if len(numbered) > 1 else None, ())
        if len(names) != 1:
            raise BadElement(_WHICH_NAME)
        return _Whose(names[0], traveller or holder, place.reservation)

    def of(self, whose: _Whose) -> Traveller:
        """Somebody with what she has booked: in a hotel reservation the stays, else the flights."""
        surname = (whose.name.text_at("SurnamePrefix"), whose.name.text_at("Surname"))
        nobody = Traveller(
            surname=plain(" ".join(filter(None, surname))),
            given_name=plain(whose.name.text_at("GivenName")),
            record_locator=self._reference,
        )
        if whose.reservation is None:
            segments, notes = self._flights.of(whose.traveller)
            return replace(nobody, segments=segments, notes=notes)
        reservation = self._reservation(whose.reservation)
        stays, notes = reservation.of(whose.traveller.attribute_at("ResGuestRPH"))
        locator = code(reservation.record_locator) or self._reference
        return replace(nobody, record_locator=locator, stays=stays, notes=notes)

    def _reservation(self, element: Element) -> HotelReservation:
        if id(element) not in self._reservations:
            self._reservations[id(element)] = HotelReservation(element)
        return self._reservations[id(element)]


def _elements(message: Element) -> Iterator[tuple[_Place, Element]]:
    """Each account with its place."""
    waiting = [(_Place(), message)]
    while waiting:
        around, element = waiting.pop()
        place = around.inside(element)
        if element.name == ACCOUNT or (element.name == MEMBERSHIP and place.reservation):
            yield place, element
        waiting += [(place, child) for child in reversed(element.children)]


def _names(holder: Element) -> Mapping[str | None, Sequence[Element]]:
    """The names that an account beside them may mean, by the number of a name that it has."""
    found: dict[str | None, list[Element]] = {None: []}
    for name in holder.children:
        if name.name == "PersonName":
            found[None].append(name)
            if (number := _name_number(name)) is not None:
                found.setdefault(number, []).append(name)
    return found


def _name_number(element: Element) -> str | None:
    """Which passenger of a reservation system it is of: 2.1, also written 02.01."""
    written = element.attribute_at("NameNumber")
    return written and ".".join(part.lstrip("0") for part in written.split("."))


def _account(element: Element) -> Account:
    vendors = (code(element.attribute_at("VendorCode")) or "").split()
    return Account(
        line=element.line,
        number=plain(element.attribute_at("MembershipID") or element.attribute_at("AccountID")),
        carrier=vendors[0] if vendors else None,
        program=plain(element.attribute_at("ProgramID") or element.attribute_at("ProgramCode")),
        status=plain(element.attribute_at("LoyalLevel")),
        sector=plain(element.attribute_at("TravelSector")),
        airline=code(element.attribute_at("TravelingCarrierCode")),
    )


def _reference(message: Element) -> str | None:
    """The booking's reference: that of the reservation, or else the first."""
    found = [each for each in message.all("BookingReferenceID") if each.attribute_at("ID")]
    numbered = [each for each in found if each.attribute_at("Type") == RESERVATION_NUMBER]
    return next((code(each.attribute_at("ID")) for each in (*numbered, *found)), None)


def _write_reservation(root: ElementTree.Element, element: LoyaltyElement) -> None:
    reservation = _put(_put(root, "HotelReservations"), "HotelReservation")
    if element.record_locator is not None:
        _put(reservation, "UniqueID", Type=RESERVATION_NUMBER, ID=element.record_locator)
    rooms = _put(reservation, "RoomStays")
    for stay in element.stays:
        room = _put(rooms, "RoomStay")
        if stay.rate_code is not None:
            _put(_put(room, "RatePlans"), "RatePlan", RatePlanCode=stay.rate_code)
        _put(room, "TimeSpan", Start=str(stay.check_in), End=str(stay.check_out))
        is_code = _HOTEL_CODE.fullmatch(stay.property) is not None
        _put(
            room,
            "BasicPropertyInfo",
            ChainCode=stay.chain,
            HotelCode=stay.property if is_code else None,
            HotelName=None if is_code else stay.property,
        )
        _put(_put(room, "ResGuestRPHs"), "ResGuestRPH", RPH=_TRAVELLER)
    guest = _put(_put(reservation, "ResGuests"), "ResGuest", ResGuestRPH=_TRAVELLER)
    profile = _put(_put(_put(guest, "Profiles"), "ProfileInfo"), "Profile", ProfileType="1")
    _write_traveller(_put(profile, "Customer"), element)


def _write_flights(root: ElementTree.Element, element: LoyaltyElement) -> None:
    if element.segments:
        options = _put(_put(root, "AirItinerary"), "OriginDestinationOptions")
        option = _put(options, "OriginDestinationOption")
        for number, segment in enumerate(element.segments, start=1):
            _write_flight(option, segment, str(number))
    traveller = _put(_put(root, "TravelerInfo"), "AirTraveler")
    _write_traveller(traveller, element)
    _put(traveller, "TravelerRefNumber", RPH=_TRAVELLER)
    for number, segment in enumerate(element.segments, start=1):
        if segment.ticket is not None:
            _put(
                root,
                "Ticketing",
                FlightSegmentRefNumber=str(number),
                TravelerRefNumber=_TRAVELLER,
                eTicketNumber=segment.ticket,
            )
    if element.record_locator is not None:
        _put(root, "BookingReferenceID", Type=RESERVATION_NUMBER, ID=element.record_locator)


def _write_flight(option: ElementTree.Element, segment: Segment, name: str) -> None:
    flight = _put(
        option,
        "FlightSegment",
        RPH=name,
        DepartureDateTime=None if segment.departs is None else f"{segment.departs}T00:00:00",
        FlightNumber=segment.flight,
        ResBookDesigCode=segment.booking_class,
        FareBasisCode=segment.fare_basis,
    )
    _put(flight, "DepartureAirport", LocationCode=segment.origin)
    _put(flight, "ArrivalAirport", LocationCode=segment.destination)
    _put(
        flight,
        "OperatingAirline",
        Code=segment.operating_carrier,
        FlightNumber=segment.operating_flight,
    )
    _put(flight, "MarketingAirline", Code=segment.carrier)


def _write_traveller(traveller: ElementTree.Element, element: LoyaltyElement) -> None:
    person = _put(traveller, "PersonName")
    if element.given_name is not None:
        _put(person, "GivenName").text = element.given_name
    _put(person, "Surname").text = element.surname
    _put(
        traveller,
        ACCOUNT,
        ProgramID=element.program or element.carrier,
        MembershipID=element.number,
        LoyalLevel=element.status,
        TravelSector=element.sector,
        VendorCode=element.carrier,
    )


def _put(parent: ElementTree.Element, name: str, **attributes: str | None) -> ElementTree.Element:
    """A new child with the attributes that have a value."""
    given: Mapping[str, str] = {key: value for key, value in attributes.items() if value}
    return ElementTree.SubElement(parent, name, dict(given))
