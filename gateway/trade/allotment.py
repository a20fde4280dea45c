"""Which of a traveller's loyalty numbers has which of her flights and stays.

A flight is credited to one program. Where a message gives a traveller several numbers, each flight
goes to one of them: that of its own airline, else the first that is for flights; and so the stays.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from gateway.trade.loyalty_elements import BadElement, LoyaltyElement, Segment, Stay, fitting

AIR = "1"
HOTEL = "3"
"""Branches of the trade, as OpenTravel numbers them."""

_Facts = TypeVar("_Facts", Segment, Stay)


@dataclass(frozen=True, slots=True)
class Traveller:
    """Somebody in a message, with what she has booked."""

    surname: str | None
    given_name: str | None
    record_locator: str | None
    segments: tuple[Segment, ...] = ()
    stays: tuple[Stay, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """A loyalty number as it stands at a line of a message."""

    line: int
    number: str | None
    carrier: str | None = None
    program: str | None = None
    status: str | None = None
    sector: str | None = None
    airline: str | None = None
    """The only airline on whose flights it is to be used."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """A number that is good, and for what it may be used."""

    account: Account
    element: LoyaltyElement

    @property
    def same(self) -> tuple[str | None, str | None, str]:
        """What is equal where a number is given twice."""
        return self.element.carrier, self.element.program, self.element.number

    def is_of(self, company: str | None) -> bool:
        """Whether its program is called so."""
        program = (self.element.program or "").upper()
        return company is not None and company in (self.element.carrier, program)

    def may_have_flight(self, flight: Segment) -> bool:
        """Whether a flight may be credited to it."""
        return self.element.sector in (None, AIR) and self.account.airline in (None, flight.carrier)

    def may_have_stay(self, _stay: Stay) -> bool:
        """Whether a stay may be credited to it."""
        return self.element.sector in (None, HOTEL)


def elements_of(
    traveller: Traveller, accounts: Iterable[Account]
) -> list[tuple[int, LoyaltyElement | BadElement]]:
    """Each number with its line and with what is booked for it, or what is wrong with it; by their
    lines."""
    found: list[tuple[int, LoyaltyElement | BadElement]] = []
    holders = []
    for account in accounts:
        try:
            holders.append(_Holder(account, _element(traveller, account)))
        except BadElement as bad:
            found.append((account.line, bad))
    flights = [_holder_of_flight(holders, flight) for flight in traveller.segments]
    stays = [_holder_of_stay(holders, stay) for stay in traveller.stays]
    for holder in holders:
        segments = _hers(holder, traveller.segments, flights)
        nights = _hers(holder, traveller.stays, stays)
        found.append((holder.account.line, _with(holder, traveller, segments, nights)))
    return sorted(found, key=lambda each: each[0])


def _with(
    holder: _Holder, traveller: Traveller, segments: tuple[Segment, ...], stays: tuple[Stay, ...]
) -> LoyaltyElement:
    """The number with what is credited to it; if there is nothing that could be, with a note."""
    notes = list(holder.element.notes)
    if not segments and any(map(holder.may_have_flight, traveller.segments)):
        notes.append("another number has its flights")
    if not stays and any(map(holder.may_have_stay, traveller.stays)):
        notes.append("another number has its stays")
    if not segments and not stays and (traveller.segments or traveller.stays):
        notes = list(map(str, notes))  # there was something, and what is left out is not missed
    return replace(holder.element, segments=segments, stays=stays, notes=tuple(notes))


def _element(traveller: Traveller, account: Account) -> LoyaltyElement:
    """The number with all that she has booked. Raises `BadElement`."""
    notes = list(traveller.notes)
    carrier = account.carrier
    if account.program is not None:
        carrier = fitting("carrier", carrier, notes)
    return LoyaltyElement(
        number=account.number or "",
        surname=traveller.surname or "",
        given_name=traveller.given_name,
        carrier=carrier,
        program=None if account.program == carrier else account.program,
        status=fitting("status", account.status, notes),
        sector=fitting("sector", account.sector, notes),
        record_locator=fitting("record_locator", traveller.record_locator, notes),
        segments=traveller.segments,
        stays=traveller.stays,
        notes=tuple(notes),
    )


def _holder_of_flight(holders: Sequence[_Holder], flight: Segment) -> _Holder | None:
    able = [holder for holder in holders if holder.may_have_flight(flight)]
    return (
        _first(able, lambda holder: holder.is_of(flight.operating_carrier))
        or _first(able, lambda holder: holder.is_of(flight.carrier))
        or _first(able, lambda holder: True)
    )


def _holder_of_stay(holders: Sequence[_Holder], stay: Stay) -> _Holder | None:
    able = [holder for holder in holders if holder.may_have_stay(stay)]
    return _first(able, lambda holder: holder.is_of(stay.chain)) or _first(able, lambda _: True)


def _first(holders: Iterable[_Holder], is_it: Callable[[_Holder], bool]) -> _Holder | None:
    return next(filter(is_it, holders), None)


def _hers(
    holder: _Holder, facts: Sequence[_Facts], holders: Sequence[_Holder | None]
) -> tuple[_Facts, ...]:
    pairs = zip(facts, holders, strict=True)
    return tuple(each for each, has in pairs if has is not None and has.same == holder.same)
