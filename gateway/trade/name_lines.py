"""The passengers of a booking as reservation systems show it, and its record locator.

A remark may name its passenger by a number alone: `/P1` at Amadeus, `M.P1/` at Galileo, `-1.1` at
Sabre. Whose that is stands in the lines at the head of the booking.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.trade.loyalty_elements import BadElement
from gateway.trade.remarks import NAME, FrequentTravellerRemark, Passenger

_ITEM = re.compile(
    rf"([0-9]{{1,2}})\.([0-9]{{0,2}})({NAME})((?:/{NAME})+)(?: ?\([^)]*\))*(?: ?\*[A-Z0-9-]+)?"
)
"""`1.GARCIA/MARIA MS`, `1.2SMITH/JOHN MR/JANE MRS`, `2.1DOE/A MISS*C05`, `1.DOE/A(INFDOE/B)`."""

_BETWEEN_ITEMS = re.compile(r"\s+(?=[0-9]{1,2}\.)")
_LOCATORS = (
    re.compile(r"RP/\S+ .*\b([A-Z0-9]{6})"),  # Amadeus
    re.compile(r"([A-Z0-9]{6})/[A-Z0-9]{2} .*"),  # Galileo
    re.compile(r"1P-([A-Z0-9]{6})"),  # Worldspan
    re.compile(r"([A-Z0-9]{6})"),  # Sabre
)
_RULE = re.compile(r"--- [A-Z0-9 ]+ ---")
"""How Amadeus begins a booking: `--- RLR ---`."""


@dataclass(frozen=True, slots=True)
class Names:
    """Who travels in a booking: by the number of the element and of the name in it, in order."""

    record_locator: str | None = None
    passengers: Mapping[tuple[int, int], Passenger] = field(default_factory=dict)

    def passenger_of(self, remark: FrequentTravellerRemark) -> Passenger:
        """Whom a remark is of. Raises `BadElement` where that is not told."""
        if remark.passenger is not None:
            return remark.passenger
        if remark.name_item is not None:
            found = self.passengers.get(remark.name_item)
        elif remark.passengers:
            found = self._numbered(remark.passengers)
        else:
            found = next(iter(self.passengers.values())) if len(self.passengers) == 1 else None
        if found is None:
            raise BadElement(
                "the remark does not name the passenger: write -1SMITH/JOHN, or her booking above"
            )
        return found

    def _numbered(self, numbers: tuple[int, ...]) -> Passenger | None:
        if len(numbers) > 1:
            raise BadElement("the remark names more than one passenger")
        return dict(enumerate(self.passengers.values(), start=1)).get(numbers[0])


class NameLines:
    """Reads the heads of bookings, one after another. A head that begins behind something else
    is another booking's."""

    def __init__(self) -> None:
        self.names: Names | None = None
        """Of the booking that is being read, if it is told."""
        self._in_head = False

    def end(self) -> None:
        """The head ends here."""
        self._in_head = False

    def take(self, line: str) -> bool:
        """Whether it is a line of a head; anything else ends the head."""
        text = line.strip().upper()
        locator = _locator(text)
        passengers = dict(_passengers(text))
        is_head = bool(locator or passengers or _RULE.fullmatch(text))
        if is_head:
            before = (self.names if self._in_head else None) or Names()
            merged = {**before.passengers, **passengers}
            self.names = Names(locator or before.record_locator, merged)
        self._in_head = is_head
        return is_head


def _locator(text: str) -> str | None:
    found = (form.fullmatch(text) for form in _LOCATORS)
    return next((match[1] for match in found if match), None)


def _passengers(text: str) -> Iterator[tuple[tuple[int, int], Passenger]]:
    """The names of a line; none where anything in it is no name."""
    items = [_ITEM.fullmatch(piece) for piece in _BETWEEN_ITEMS.split(text)]
    for item in items:
        if item is None or None in items:
            return
        names = item[4].split("/")[1:]
        if len(names) != int(item[2] or 1):
            return
        for place, name in enumerate(names, start=1):
            yield (int(item[1]), place), Passenger(item[3], name)
