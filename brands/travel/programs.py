"""Publishing what a brand lays down for travel, and telling what a journey would earn by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from brands import bounds
from brands.actions import Action, record
from brands.callers import Caller
from brands.clock import Micros, from_micros, now, to_micros
from brands.coalition import Coalition
from brands.database import Transaction
from brands.errors import (
    CarrierTaken,
    InvalidInput,
    NotPermitted,
    ProgramTermsInPast,
)
from brands.ids import new_id
from brands.intents import MAX_WORDING
from brands.itineraries import (
    FURTHEST,
    Facts,
    Flight,
    Stay,
    booking_class,
    checked_flight,
    checked_stay,
    designator,
    fare_code,
)
from brands.moving.rule_bounds import aware
from brands.program_terms import (
    NO_TERMS,
    ChartRow,
    Earned,
    Program,
    ProgramTerms,
    TermsChange,
    terms_to_text,
)
from brands.registry import Brand, Snapshot, raise_epoch

MAX_CARRIERS = 20
MAX_ROWS = 100
MAX_CLASSES = 52
MAX_CLAIM_WINDOW_MONTHS = 120
MAX_EARNED = 1_000_000_000
"""The most that one segment or night may earn by a chart."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a flight or stay would earn at a program; None where nothing can be said of it."""

    facts: Facts
    earned: Earned | None


@dataclass(frozen=True, slots=True)
class Journey:
    """Flights and stays, as a client gives them."""

    flights: tuple[Flight, ...] = ()
    stays: tuple[Stay, ...] = ()


async def publish_terms(
    coalition: Coalition,
    caller: Caller,
    brand_code: str,
    terms: ProgramTerms | TermsChange,
    effective_from: datetime | None,
) -> Program:
    """Publishes a brand's terms of travel from `effective_from` on; None means from now. What a
    change does not speak of stays as the terms have it that hold until then. What was published to
    begin at that instant or later is withdrawn.

    For the operator and the brand. Publishing what holds by then already changes nothing. Raises
    `BrandNotFound`, `NotPermitted`, `InvalidInput`, `ProgramTermsInPast`, `CarrierTaken`.
    """
    await coalition.registry.refresh()
    brand = coalition.registry.snapshot.brand(brand_code, path="brand")
    if not caller.acts_for_brand(brand.id):
        raise NotPermitted
    aware(effective_from, "effectiveFrom")
    change = _checked(terms)
    async with coalition.database.transaction() as tx:
        known = await coalition.registry.lock(tx)
        published = known.programs.of_brand(brand.id)
        instant = await tx.now()
        begins = _begins(effective_from, instant)
        held = [each for each in published if each.effective_from <= begins]
        asked = change.made_to(held[-1].terms if held else NO_TERMS)
        if held and held[-1].terms == asked and effective_from in (None, held[-1].effective_from):
            return held[-1]  # so that whoever asks again, however late, finds it done
        _require_free(known, brand, asked, begins)
        made = Program(new_id(0), brand.id, asked, begins, known.epoch + 1)
        await _insert(tx, caller, made, instant)
        details = {"carriers": asked.carriers, "effective_from": begins, "rows": len(asked.chart)}
        await record(tx, caller, instant, [Action("program.publish", brand.code, details)])
        await raise_epoch(tx)
    await coalition.registry.refresh()
    return made


def estimate(coalition: Coalition, brand_code: str, journey: Journey) -> list[Estimate]:
    """What each flight, and then each stay, would earn at a brand's program by its chart now.

    For whoever asks: a chart is public. Raises `BrandNotFound`, `InvalidInput`.
    """
    snapshot = coalition.registry.snapshot
    brand = snapshot.brand(brand_code, path="brand")
    if not 1 <= len(journey.flights) + len(journey.stays) <= bounds.MAX_LIST:
        reason = f"Give 1 to {bounds.MAX_LIST} flights and stays."
        raise InvalidInput(path="segments", reason=reason)
    terms = snapshot.programs.terms(brand.id, now())
    checked: list[Facts] = [
        *(checked_flight(each, f"segments.{n}") for n, each in enumerate(journey.flights)),
        *(checked_stay(each, f"stays.{n}") for n, each in enumerate(journey.stays)),
    ]
    return [Estimate(each, terms.earned(each)) for each in checked]


def _checked(terms: ProgramTerms | TermsChange) -> TermsChange:
    """The same in due form."""
    named, chart = terms.carriers or (), terms.chart or ()
    _at_most(named, "carriers", MAX_CARRIERS)
    _at_most(chart, "chart", MAX_ROWS)
    if terms.claim_window_months is not None:
        _between(terms.claim_window_months, "claimWindowMonths", 0, MAX_CLAIM_WINDOW_MONTHS)
    carriers = [designator(each, f"carriers.{place}") for place, each in enumerate(named)]
    rows = [_row(row, f"chart.{place}") for place, row in enumerate(chart)]
    return TermsChange(
        carriers=None if terms.carriers is None else tuple(dict.fromkeys(carriers)),
        claim_window_months=terms.claim_window_months,
        pending_shown=terms.pending_shown,
        chart=None if terms.chart is None else tuple(rows),
    )


def _row(row: ChartRow, path: str) -> ChartRow:
    if (row.per_segment is None) == (row.per_night is None):
        reason = "Give exactly one of pointsPerSegment and pointsPerNight."
        raise InvalidInput(path=path, reason=reason)
    points, name = (
        (row.per_segment, "pointsPerSegment")
        if row.per_segment is not None
        else (row.per_night, "pointsPerNight")
    )
    _between(points or 0, f"{path}.{name}", 0, MAX_EARNED)
    if points == 0 and row.reason is None:
        raise InvalidInput(path=f"{path}.reason", reason="Say why it earns nothing.")
    _at_most(row.booking_classes, f"{path}.bookingClasses", MAX_CLASSES)
    classes = [
        booking_class(each, f"{path}.bookingClasses.{place}")
        for place, each in enumerate(row.booking_classes)
    ]
    return row._replace(
        carrier=None if row.carrier is None else designator(row.carrier, f"{path}.carrier"),
        booking_classes=tuple(classes),
        fare_prefix=None
        if row.fare_prefix is None
        else fare_code(row.fare_prefix, f"{path}.fareBasisPrefix"),
        reason=bounds.optional_text(row.reason, f"{path}.reason", MAX_WORDING),
    )


def _at_most(rows: Sequence[object], path: str, most: int) -> None:
    if len(rows) > most:
        raise InvalidInput(path=path, reason=f"Give at most {most}, not {len(rows)}.")


def _between(value: int, path: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidInput(path=path, reason=f"Give {least} to {most}, not {value}.")


def _begins(asked: datetime | None, instant: Micros) -> datetime:
    present = from_micros(instant)
    begins = present if asked is None else asked
    if begins < present:
        raise ProgramTermsInPast(path="effectiveFrom", effective_from=begins, now=present)
    if begins - present > FURTHEST:
        reason = f"Terms begin within {FURTHEST.days} days."
        raise InvalidInput(path="effectiveFrom", reason=reason)
    return begins


def _require_free(known: Snapshot, brand: Brand, terms: ProgramTerms, begins: datetime) -> None:
    """Raises `CarrierTaken` if another brand is, or is to be, called by one of the names."""
    for place, carrier in enumerate(terms.carriers):
        owner = known.programs.claimed_by(carrier, begins, but=brand.id)
        if owner is not None:
            code = known.brand_by_id(owner).code
            raise CarrierTaken(path=f"carriers.{place}", carrier=carrier, brand=code)


async def _insert(tx: Transaction, caller: Caller, made: Program, instant: Micros) -> None:
    await tx.fetch(
        "INSERT INTO program_terms (id, brand_id, terms, effective_from, published_at, epoch,"
        " client) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        *(made.id, made.brand_id, terms_to_text(made.terms), to_micros(made.effective_from)),
        *(instant, made.epoch, caller.client),
    )
