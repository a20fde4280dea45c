"""The orders of an NDC message: whom each names, with which flights, fares and record locator."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from gateway.trade.loyalty_elements import agreed
from gateway.trade.markup import Element
from gateway.trade.ndc_segments import ENOUGH, Journeys, named

_PARTS = ("Service", "FareDetail")
"""Parts of an order's items that name passengers with their flights."""

_REFERENCES = ("BookingRef", "BookingReference")
_PASSENGERS = ("PaxRefID", "PassengerRefs", "PassengerRef")
_FLIGHTS = (
    "PaxSegmentRefID", "SegmentRefs", "SegmentRef", "PaxJourneyRefID", "FlightRefs",
)  # fmt: skip

_ALL = ""
_ELSE = " "
"""Names that no passenger has: they stand for what names none, and for what names strangers."""


@dataclass(frozen=True, slots=True)
class Fare:
    """What was paid for on a flight."""

    booking_class: str | None = None
    fare_basis: str | None = None


_Fares: TypeAlias = Mapping[str, Fare]
"""The fares of a `FareDetail`, by the names of flights."""


class Order:
    """An order; or a whole message, if it has none."""

    def __init__(self, root: Element, passengers: AbstractSet[str], journeys: Journeys) -> None:
        self._journeys = journeys
        self._flights: dict[str, list[Sequence[str]]] = {}
        self._fares: dict[str, list[_Fares]] = {}
        self._locators: dict[str, str] = {}
        self.passengers: set[str] = set()
        """Those who are named."""
        self.mentioned: dict[str, None] = {}
        """The names of all flights that stand in it."""
        for part in root.all(*_PARTS, *_REFERENCES):
            whose: AbstractSet[str] = {_ALL}
            if part.name in _PARTS:
                whose = _passengers(part, passengers)
                self.passengers |= whose - {_ALL, _ELSE}
                self._read_part(part, whose)
            locator = _locator(part)
            if locator is not None:
                for passenger in whose:
                    self._locators.setdefault(passenger, locator)
        self.order_id = _order_id(root)
        """The number of the order itself."""
        self._names_flights = bool(self._flights.keys() - {_ALL})
        self._fares_of_all = _merged(self._fares.get(_ALL, ()))

    def flights(self, passenger: str, otherwise: Sequence[str]) -> Sequence[str]:
        """The names of a passenger's flights, which are `otherwise` hers if nobody is named with
        any."""
        if not self._names_flights:
            return otherwise
        return list(_united(self._flights.get(passenger, ())))

    def fare(self, passenger: str, flight: str) -> Fare:
        """What a passenger pays for on a flight, so far as it is told without contradiction."""
        own = [fares[flight] for fares in self._fares.get(passenger, ()) if flight in fares]
        return _agreed(own) if own else self._fares_of_all.get(flight, Fare())

    def record_locator(self, passenger: str) -> str | None:
        """The reference of the booking that a passenger is in, if it has one."""
        return self._locators.get(passenger) or self._locators.get(_ALL)

    def _read_part(self, part: Element, whose: AbstractSet[str]) -> None:
        flights = _flights(part, self._journeys)
        fares = _fares(part, self._journeys)
        self.mentioned.update(dict.fromkeys(flights))
        for passenger in whose:
            if flights:
                self._flights.setdefault(passenger, []).append(flights)
            if fares:
                self._fares.setdefault(passenger, []).append(fares)


def read_orders(
    message: Element, passengers: AbstractSet[str], journeys: Journeys
) -> Sequence[Order]:
    """The orders that have items; the whole message, if there are none."""
    roots = [order for order in message.all("Order") if next(order.all("OrderItem"), None)]
    return [Order(root, passengers, journeys) for root in roots or [message]]


def booking_reference(message: Element) -> str | None:
    """The first reference of a booking that stands outside the orders."""
    found = (_locator(each) for each in message.all("Order", *_REFERENCES) if each.name != "Order")
    return next(filter(None, found), None)


def _passengers(part: Element, known: AbstractSet[str]) -> AbstractSet[str]:
    """Whom a part of an order names."""
    names = {name for found in part.all(*_PASSENGERS) for name in found.text.split()}
    return (names & known or {_ELSE}) if names else {_ALL}


def _flights(part: Element, journeys: Journeys) -> Sequence[str]:
    names = named(part, _FLIGHTS, journeys)
    return list(_united(journeys[name] for name in names))


def _united(parts: Iterable[Iterable[str]]) -> Mapping[str, None]:
    """Names of flights, each once, and no more than are enough."""
    names: dict[str, None] = {}
    for part in parts:
        names.update(dict.fromkeys(part))
        if len(names) >= ENOUGH:
            break
    return names


def _fares(detail: Element, journeys: Journeys) -> _Fares:
    found: dict[str, list[Fare]] = {}
    for component in detail.all("FareComponent"):
        booking_class = (
            component.text_at("RBD", "RBD_Code")
            or component.text_at("FareBasis", "RBD")
            or component.text_at("ClassOfService", "Code")
        )
        fare_basis = (
            component.text_at("FareBasisCode")
            or component.text_at("FareBasisCode", "Code")
            or component.text_at("FareBasis", "FareBasisCode", "Code")
        )
        for flight in _flights(component, journeys):
            found.setdefault(flight, []).append(Fare(booking_class, fare_basis))
    return {flight: _agreed(fares) for flight, fares in found.items()}


def _merged(details: Iterable[_Fares]) -> _Fares:
    found: dict[str, list[Fare]] = {}
    for detail in details:
        for flight, fare in detail.items():
            found.setdefault(flight, []).append(fare)
    return {flight: _agreed(fares) for flight, fares in found.items()}


def _agreed(fares: Sequence[Fare]) -> Fare:
    return Fare(
        agreed(fare.booking_class for fare in fares), agreed(fare.fare_basis for fare in fares)
    )


def _order_id(root: Element) -> str | None:
    texts = [root.attribute_at("OrderID")]
    texts += [found.text.strip() for found in root.all("OrderID")]
    texts += [found.attribute_at("OrderID") for found in root.all("Order")]
    return next(filter(None, texts), None)


def _locator(part: Element) -> str | None:
    """The reference that is a part of an order, or stands in it."""
    references = [part] if part.name in _REFERENCES else part.all(*_REFERENCES)
    for reference in references:
        for name in ("BookingID", "BookingRefID", "ID"):
            if found := reference.text_at(name):
                return found
    return None
