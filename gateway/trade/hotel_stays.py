"""The hotel reservations of an OpenTravel message: guests, stays and record locators."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TypeVar

from gateway.trade.loyalty_elements import (
    MAX_SEGMENTS,
    BadElement,
    LeftOut,
    Stay,
    code,
    day_of,
    fitting,
    plain,
)
from gateway.trade.markup import Element

RESERVATION_NUMBER = "14"
"""OpenTravel's code of what a number identifies: a reservation."""

_CANCELLATION_NUMBER = "15"

_Kept = TypeVar("_Kept", Stay, str)

_NIGHTS = re.compile(r"P([0-9]{1,3})[DN]")
_NONE = Element("", 0)


_ALL = ""
"""No guest has this number: it stands for what names none."""


class HotelReservation:
    """A reservation, looked up once: it may have many guests."""

    def __init__(self, root: Element) -> None:
        self.guests = list(root.all("ResGuest"))
        self.holder = _holder(self.guests[0]) if self.guests else None
        """What has the name of the first guest in it."""
        self.record_locator = _record_locator(root)
        """Its own number."""
        self._place = (
            root.first("BasicPropertyInfo")
            or root.first("ResGlobalInfo", "BasicPropertyInfo")
            or _NONE
        )
        self._span = root.first("ResGlobalInfo", "TimeSpan") or _NONE
        self._stays: dict[str, dict[Stay, int]] = {}
        self._notes: dict[str, dict[str, int]] = {}
        for place, written in enumerate(root.all("RoomStay")):
            self._read(place, written)

    def of(self, guest: str | None) -> tuple[tuple[Stay, ...], tuple[str, ...]]:
        """The stays of a guest, by her number in it, and notes of what is left out. A stay that
        names no guest is all guests'; two rooms for the same nights are one stay."""
        stays, notes = dict(self._stays.get(_ALL, {})), dict(self._notes.get(_ALL, {}))
        stays |= self._stays.get(guest or _ALL, {})
        notes |= self._notes.get(guest or _ALL, {})
        rooms: dict[tuple[str, date, date], Stay] = {}
        for stay in sorted(stays, key=stays.__getitem__):
            rooms.setdefault((stay.property, stay.check_in, stay.check_out), stay)
        return tuple(rooms.values()), tuple(notes)

    def _read(self, place: int, written: Element) -> None:
        """A room, for the guests that it names; for all, if there is one alone."""
        notes: list[str] = []
        found: list[Stay] = []
        try:
            found.append(self._stay(written, notes))
        except BadElement as bad:
            notes.append(LeftOut(f"a stay is left out: {bad}"))
        named = _guests(written) if len(self.guests) > 1 else ()
        for guest in named or (_ALL,):
            _keep(self._stays.setdefault(guest, {}), found, place)
            _keep(self._notes.setdefault(guest, {}), notes, place)

    def _stay(self, written: Element, notes: list[str]) -> Stay:
        """Raises `BadElement` for what a stay cannot be without."""
        place = written.first("BasicPropertyInfo") or self._place
        span = written.first("TimeSpan") or self._span
        check_in, check_out = _days(span)
        rate = code(written.attribute_at("RatePlans", "RatePlan", "RatePlanCode"))
        return Stay(
            property=plain(place.attribute_at("HotelCode") or place.attribute_at("HotelName"))
            or "",
            check_in=check_in,
            check_out=check_out,
            chain=fitting("chain", code(place.attribute_at("ChainCode")), notes),
            rate_code=fitting("rate_code", rate, notes),
        )


def _keep(kept: dict[_Kept, int], found: Iterable[_Kept], place: int) -> None:
    """Keeps what is new, with its place, and no more than shows that there is too much."""
    for each in found:
        if len(kept) <= MAX_SEGMENTS:
            kept.setdefault(each, place)


def _record_locator(root: Element) -> str | None:
    """The number of the reservation; where none is called so, one that is not called anything, or
    else a number of another system for it."""
    own = [
        (each.attribute_at("Type"), each.attribute_at("ID"))
        for each in root.children
        if each.name == "UniqueID"
    ]
    others = [
        (each.attribute_at("ResID_Type"), each.attribute_at("ResID_Value"))
        for each in root.all("HotelReservationID")
    ]
    named = [number for kind, number in (*own, *others) if kind == RESERVATION_NUMBER]
    unnamed = [number for kind, number in own if kind is None]
    rest = [number for kind, number in others if kind != _CANCELLATION_NUMBER]
    return next(filter(None, (*named, *unnamed, *rest)), None)


def _holder(guest: Element) -> Element | None:
    waiting = [guest]
    while waiting:
        found = waiting.pop()
        if found.first("PersonName") is not None:
            return found
        waiting += reversed(found.children)
    return None


def _guests(stay: Element) -> frozenset[str]:
    """The numbers of the guests that a stay names."""
    lists = [each for each in stay.children if each.name == "ResGuestRPHs"]
    references = [inside for each in lists for inside in (each, *each.children)]
    texts = [f"{each.text} {each.attributes.get('RPH', '')}" for each in references]
    return frozenset(name for text in texts for name in text.split())


def _days(span: Element) -> tuple[date, date]:
    """The first day and the last. Raises `BadElement`."""
    check_in, check_out = day_of(span.attribute_at("Start")), day_of(span.attribute_at("End"))
    nights = _NIGHTS.fullmatch(span.attribute_at("Duration") or "")
    if check_in is not None and check_out is None and nights is not None:
        try:
            check_out = check_in + timedelta(days=int(nights[1]))
        except OverflowError:
            raise BadElement("the calendar ends before it") from None
    if check_in is None or check_out is None:
        raise BadElement("it has no days")
    return check_in, check_out
