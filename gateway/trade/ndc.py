"""The loyalty element of NDC messages (IATA's New Distribution Capability), read and written.

Read are the passengers of a message, in the form of 17.2 (`Passenger`, `Airline/AirlineDesignator`)
and in those of 18.1 and later (`Pax`, `LoyaltyProgram/Carrier/AirlineDesigCode`), each with her own
flights. Written is an `IATA_OrderViewRS` of 21.3.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from xml.etree import ElementTree

from gateway.trade.allotment import Account, Traveller, elements_of
from gateway.trade.flight_reading import (
    FlightReader,
    Ticket,
    WrittenFlight,
    ticket_for,
    ticket_number,
)
from gateway.trade.loyalty_elements import (
    BadElement,
    LoyaltyElement,
    Segment,
    code,
    fitting,
    plain,
)
from gateway.trade.markup import Element, write_markup
from gateway.trade.ndc_orders import Order, booking_reference, read_orders
from gateway.trade.ndc_segments import ENOUGH, read_flights, read_journeys

ACCOUNT = "LoyaltyProgramAccount"

_MESSAGE = "http://www.iata.org/IATA/2015/EASD/00/IATA_OffersAndOrdersMessage"
_COMMON = "http://www.iata.org/IATA/2015/EASD/00/IATA_OffersAndOrdersCommonTypes"
"""The namespaces of 21.3: that of the message, and that of what all messages are made of."""

_TRAVELLER = "PAX1"

_CORPORATE = ("CLID", "CORPORATE_ID")
"""Programs of the company that pays: their numbers are nobody's."""

_TICKETS = ("T", "702")
"""Types of documents that are tickets; the others are receipts for services."""


def read_ndc(message: Element) -> Iterator[tuple[int, LoyaltyElement | BadElement]]:
    """Each loyalty account of each passenger, with its line; or what is wrong with it. A passenger
    of several orders has her accounts in each."""
    passengers = list(message.all("Pax", "Passenger"))
    bookings = _Bookings(message, frozenset(map(_name_of, passengers)))
    for passenger in passengers:
        accounts = [
            _account(each)
            for each in passenger.children
            if each.name == ACCOUNT and not _is_corporate(each)
        ]
        if accounts:
            for traveller in bookings.of(passenger):
                yield from elements_of(traveller, accounts)


def write_ndc(element: LoyaltyElement) -> bytes:
    """The parts of an `IATA_OrderViewRS` of 21.3 that carry the element. There is no place in it
    for the sector. Raises `BadElement` for stays, which NDC does not know."""
    if element.stays:
        raise BadElement("NDC has no stays")
    root = ElementTree.Element("m:IATA_OrderViewRS", {"xmlns": _COMMON, "xmlns:m": _MESSAGE})
    response = _new(root, "m:Response")
    lists = _put(response, "DataLists")
    for number, segment in enumerate(element.segments, start=1):
        _write_flight(lists, segment, number)
    _write_traveller(_put(lists, "PaxList", "Pax"), element)
    for number, segment in enumerate(element.segments, start=1):
        written = _new(_put(lists, "PaxSegmentList"), "PaxSegment")
        _write(written, f"MKT{number}", "DatedMarketingSegmentRefId")
        _write(written, segment.booking_class, "MarketingCarrierRBD_Code")
        _write(written, f"SEG{number}", "PaxSegmentID")
    _write_order(response, element)
    for ticket in dict.fromkeys(segment.ticket for segment in element.segments):
        if ticket is not None:
            _write_ticket(_new(response, "TicketDocInfo"), ticket, element)
    return write_markup(root)


class _Bookings:
    """What a message says of all its passengers, looked up once: a message may have many."""

    def __init__(self, message: Element, passengers: frozenset[str]) -> None:
        self._flights = read_flights(message)
        self._places = {name: place for place, name in enumerate(self._flights)}
        self._all = tuple(islice(self._flights, ENOUGH))
        self._orders = read_orders(message, passengers, read_journeys(message, self._flights))
        self._reference = booking_reference(message)
        self._tickets = _tickets(message)
        named = {name for order in self._orders for name in order.mentioned}
        self._nobodys = [name for name in self._all if named and name not in named]
        self._reader = FlightReader()
        self._of: dict[str, list[Order]] = {}
        for order in self._orders:
            for name in order.passengers:
                self._of.setdefault(name, []).append(order)

    def of(self, passenger: Element) -> Iterator[Traveller]:
        """A passenger in each of her orders; in the only order also if it does not name her."""
        name = _name_of(passenger)
        person = passenger.first("Individual") or passenger.first("Name") or passenger
        nobody = Traveller(
            surname=plain(person.text_at("Surname")),
            given_name=plain(person.text_at("GivenName") or person.text_at("Given")),
            record_locator=None,
        )
        orders = self._of.get(name, self._orders)
        if name not in self._of and len(orders) > 1:
            yield replace(nobody, notes=("no order names the traveller",))
            return
        for order in orders:
            yield self._booked(nobody, name, order)

    def _booked(self, nobody: Traveller, name: str, order: Order) -> Traveller:
        is_only = len(self._orders) == 1
        notes: list[str] = []
        locator = order.record_locator(name) or (self._reference if is_only else None)
        locator = fitting("record_locator", code(locator), notes)
        if locator is None:
            locator = fitting("record_locator", code(order.order_id), notes)
        otherwise = self._all if is_only else tuple(islice(order.mentioned, ENOUGH))
        hers = sorted(order.flights(name, otherwise), key=self._places.__getitem__)
        if self._flights and not hers:
            notes.append("no flight is named as hers")
        if is_only and self._nobodys and len(hers) < len(self._all):
            notes.append(
                f"nobody is named for flight {', '.join(map(self._called, self._nobodys))}"
            )
        segments, said = self._reader.read(self._flight(each, name, order) for each in hers)
        return replace(nobody, record_locator=locator, segments=segments, notes=(*notes, *said))

    def _called(self, name: str) -> str:
        flight = self._flights[name]
        return f"{flight.carrier or ''}{flight.number or name}"[:40]

    def _flight(self, flight: str, passenger: str, order: Order) -> WrittenFlight:
        written, fare = self._flights[flight], order.fare(passenger, flight)
        return replace(
            written,
            booking_class=fare.booking_class or written.booking_class,
            fare_basis=fare.fare_basis,
            ticket=ticket_for(flight, self._tickets.get(passenger, ())),
        )


def _account(account: Element) -> Account:
    program = account.first("LoyaltyProgram") or account
    carrier = (
        program.text_at("Carrier", "AirlineDesigCode")
        or account.text_at("Carrier", "AirlineDesigCode")
        or account.text_at("Airline", "AirlineDesignator")
        or account.text_at("CarrierCode")
    )
    return Account(
        line=account.line,
        number=plain(account.text_at("AccountNumber")),
        carrier=code(carrier),
        program=plain(next(_programs(account), None)),
        status=plain(account.text_at("TierCode") or account.text_at("TierName")),
    )


def _programs(account: Element) -> Iterator[str]:
    """What its program is called: the code first."""
    for name in ("ProgramCode", "ProgramName"):
        for found in (account.text_at("LoyaltyProgram", name), account.text_at(name)):
            if found is not None:
                yield found


def _is_corporate(account: Element) -> bool:
    return any(name.upper() in _CORPORATE for name in _programs(account))


def _name_of(passenger: Element) -> str:
    return passenger.attribute_at("PassengerID") or passenger.text_at("PaxID") or ""


def _tickets(message: Element) -> dict[str, list[Ticket]]:
    """The tickets of each passenger."""
    found: dict[str, list[Ticket]] = {}
    for document in message.all("TicketDocInfo"):
        tickets = list(islice(_tickets_of(document), ENOUGH))
        for reference in document.all("PaxRefID", "PassengerReference"):
            for name in reference.text.split():
                found.setdefault(name, []).extend(tickets)
    return found


def _tickets_of(document: Element) -> Iterator[Ticket]:
    for ticket in document.all("Ticket", "TicketDocument"):
        kind = (
            ticket.text_at("TicketDocTypeCode")
            or ticket.text_at("Type", "Code")
            or ticket.text_at("Type")
        )
        number = ticket_number(ticket.text_at("TicketNumber") or ticket.text_at("TicketDocNbr"))
        if number is not None and kind in (None, *_TICKETS):
            flights = {name for each in ticket.all("PaxSegmentRefID") for name in each.text.split()}
            yield Ticket(number, frozenset(flights))


def _write_traveller(traveller: ElementTree.Element, element: LoyaltyElement) -> None:
    _write(traveller, element.given_name, "Individual", "GivenName")
    _write(traveller, element.surname, "Individual", "Surname")
    account = _put(traveller, ACCOUNT)
    _write(account, element.number, "AccountNumber")
    _write(account, element.carrier, "LoyaltyProgram", "Carrier", "AirlineDesigCode")
    _write(account, element.program, "LoyaltyProgram", "ProgramCode")
    _write(account, element.status, "TierCode")
    _write(traveller, _TRAVELLER, "PaxID")


def _write_flight(lists: ElementTree.Element, segment: Segment, number: int) -> None:
    """As it is sold; and as it is flown, if that is known."""
    sold = _new(_put(lists, "DatedMarketingSegmentList"), "DatedMarketingSegment")
    _write(sold, segment.destination, "Arrival", "IATA_LocationCode")
    _write(sold, segment.carrier, "CarrierDesigCode")
    _write(sold, f"MKT{number}", "DatedMarketingSegmentId")
    if segment.operating_carrier is not None:
        _write(sold, f"OPR{number}", "DatedOperatingSegmentRefId")
        flown = _new(_put(lists, "DatedOperatingSegmentList"), "DatedOperatingSegment")
        _write(flown, segment.operating_carrier, "CarrierDesigCode")
        _write(flown, f"OPR{number}", "DatedOperatingSegmentId")
        _write(flown, segment.operating_flight, "OperatingCarrierFlightNumberText")
    if segment.departs is not None:
        _write(sold, f"{segment.departs}T00:00:00", "Dep", "AircraftScheduledDateTime")
    _write(sold, segment.origin, "Dep", "IATA_LocationCode")
    _write(sold, segment.flight, "MarketingCarrierFlightNumberText")


def _write_order(response: ElementTree.Element, element: LoyaltyElement) -> None:
    """The order of which the flights are, with their fares and its record locator."""
    if element.record_locator is None and not element.segments:
        return
    order = _put(response, "Order")
    _write(order, element.record_locator, "OrderID")
    item = _put(order, "OrderItem")
    for number, segment in enumerate(element.segments, start=1):
        if segment.fare_basis is not None:
            fare = _new(item, "FareDetail")
            _write(fare, segment.fare_basis, "FareComponent", "FareBasisCode")
            _write(fare, f"SEG{number}", "FareComponent", "PaxSegmentRefID")
            _write(fare, _TRAVELLER, "PaxRefID")
    service = _put(item, "Service")
    _write(service, element.record_locator, "BookingRef", "BookingID")
    for number, _ in enumerate(element.segments, start=1):
        flights = _put(service, "OrderServiceAssociation", "PaxSegmentRef")
        _new(flights, "PaxSegmentRefID").text = f"SEG{number}"
    _write(service, _TRAVELLER, "PaxRefID")


def _write_ticket(document: ElementTree.Element, ticket: str, element: LoyaltyElement) -> None:
    _write(document, _TRAVELLER, "PaxRefID")
    written = _put(document, "Ticket")
    for number, segment in enumerate(element.segments, start=1):
        if segment.ticket == ticket:
            flight = _put(_new(written, "Coupon"), "CurrentCouponFlightInfoRef")
            _write(flight, f"SEG{number}", "CurrentAirlinePaxSegmentRef", "PaxSegmentRefID")
    _write(written, ticket, "TicketNumber")


def _write(parent: ElementTree.Element, text: str | None, *path: str) -> None:
    if text is not None:
        _put(parent, *path).text = text


def _put(parent: ElementTree.Element, *path: str) -> ElementTree.Element:
    """The element at a path of names of children; those that are missing are made."""
    for name in path:
        found = parent.find(name)
        parent = _new(parent, name) if found is None else found
    return parent


def _new(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, name)
