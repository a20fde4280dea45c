"""Publishing what the whole coalition goes by: its brands, and what their points are worth."""

import asyncio
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from secrets import token_bytes
from typing import Any

from brands import bounds
from brands.accounts import open_brand_accounts
from brands.actions import Action, record
from brands.callers import Caller
from brands.clock import Micros, from_micros, to_micros
from brands.coalition import Coalition
from brands.database import Transaction
from brands.errors import (
    BrandCodeTaken,
    InvalidInput,
    NotPermitted,
    ValuationInPast,
    ValuationOutOfSequence,
)
from brands.ids import new_id
from brands.ledger.commands import Revalue, Shortfall
from brands.money import MAX_BALANCE
from brands.moving.arbitrage import require_no_gain
from brands.naming.numbers import NumberFormat, format_to_text
from brands.registry import Brand, BrandStatus, Snapshot, raise_epoch
from brands.rejections import AmountTooLarge
from brands.valuations import Rates, Valuation


@dataclass(frozen=True, slots=True)
class NewBrand:
    """What is said of a brand when it joins; `rates` are in force from that moment."""

    code: str
    name: str
    points_name: str
    time_zone: str
    rates: Rates
    number_format: NumberFormat = field(default_factory=NumberFormat)
    clawback: Shortfall = Shortfall.REJECT


@dataclass(frozen=True, slots=True)
class BrandChanges:
    """What of a brand is to be otherwise; None leaves it as it is."""

    name: str | None = None
    points_name: str | None = None
    clawback: Shortfall | None = None
    status: BrandStatus | None = None


async def create_brand(coalition: Coalition, caller: Caller, new: NewBrand) -> Brand:
    """Takes a brand into the coalition: its accounts in every book and its first valuation.

    For the operator. Raises `NotPermitted`, `InvalidInput`, `BrandCodeTaken`, and
    `TransferCycleGains` if the new brand opens a way round pairs that are closed.
    """
    caller.require_operator()
    code = bounds.code(new.code)
    name = bounds.text(new.name, "name", bounds.MAX_NAME)
    points_name = bounds.text(new.points_name, "pointsName", bounds.MAX_NAME)
    time_zone = bounds.time_zone(new.time_zone)
    async with coalition.database.transaction() as tx:
        known = await coalition.registry.lock(tx)
        if any(brand.code == code for brand in known.brands):
            raise BrandCodeTaken(path="code", code=code)
        now = await tx.now()
        brand = Brand(
            id=new_id(0),
            code=code,
            name=name,
            points_name=points_name,
            time_zone=time_zone,
            status=BrandStatus.ACTIVE,
            number_format=new.number_format,
            created_at=from_micros(now),
            clawback=new.clawback,
            number_key=token_bytes(32),
        )
        valuation = Valuation(brand.id, new.rates, brand.created_at, None)
        joined = known.having(brands=[brand], valuations=[valuation])
        await asyncio.to_thread(require_no_gain, joined, brand.created_at)
        await _insert_brand(tx, brand)
        await open_brand_accounts(tx, brand.id, coalition.books, new.rates.redemption_rate, now)
        await _insert_valuation(tx, valuation, now)
        await record(tx, caller, now, [Action("brand.create", code, asdict(new.rates))])
        await raise_epoch(tx)
    await coalition.registry.refresh()
    return brand


async def update_brand(
    coalition: Coalition, caller: Caller, brand_code: str, changes: BrandChanges
) -> Brand:
    """Changes what is said of a brand; what is so already changes nothing.

    For the operator, and for the brand all but its status. Raises `BrandNotFound`, `NotPermitted`,
    `InvalidInput`. It holds from the next request on, in every process.

    Two things are not to be changed. The time zone: the months of limits and the windows of claims
    are counted in it, and would begin or end anew. The number format: the numbers that members have
    are read by it, and by another would be malformed.
    """
    await coalition.registry.refresh()
    brand = coalition.registry.snapshot.brand(brand_code, path="brand")
    if not caller.acts_for_brand(brand.id):
        raise NotPermitted
    if changes.status is not None and not caller.is_operator:
        raise NotPermitted(path="status")
    asked = _asked(changes)
    async with coalition.database.transaction() as tx:
        known = (await coalition.registry.lock(tx)).brand_by_id(brand.id)
        changed = replace(known, **asked)
        if changed == known:
            return known
        await tx.fetch(
            "UPDATE brands SET name = $2, points_name = $3, clawback = $4, status = $5"
            " WHERE id = $1",
            *(brand.id, changed.name, changed.points_name),
            *(changed.clawback.value, changed.status.value),
        )
        details = {
            name: {"from": getattr(known, name), "to": value}
            for name, value in asked.items()
            if value != getattr(known, name)
        }
        await record(tx, caller, await tx.now(), [Action("brand.update", brand.code, details)])
        await raise_epoch(tx)
    await coalition.registry.refresh()
    return changed


def _asked(changes: BrandChanges) -> dict[str, Any]:
    """What is to be so, in due form, by the fields of a brand."""
    return {
        field: value
        for field, value in (
            ("name", bounds.optional_text(changes.name, "name", bounds.MAX_NAME)),
            (
                "points_name",
                bounds.optional_text(changes.points_name, "pointsName", bounds.MAX_NAME),
            ),
            ("clawback", changes.clawback),
            ("status", changes.status),
        )
        if value is not None
    }


async def publish(
    coalition: Coalition,
    caller: Caller,
    brand_code: str,
    rates: Rates,
    effective_from: datetime | None,
) -> Valuation:
    """Publishes what a brand's points are worth from `effective_from` on; None means from now.

    For the operator and the brand. Publishing the newest valuation again changes nothing. Raises
    `BrandNotFound`, `NotPermitted`, `InvalidInput` (no offset), `ValuationInPast`,
    `ValuationOutOfSequence`, `TransferCycleGains`, `AmountTooLarge` (more value outstanding than
    the books can hold). Once the valuation is in force the pools are
    brought to it, here or by whoever posts next.
    """
    await coalition.registry.refresh()
    brand = coalition.registry.snapshot.brand(brand_code, path="brand")
    if not caller.acts_for_brand(brand.id):
        raise NotPermitted
    if effective_from is not None and effective_from.tzinfo is None:
        raise InvalidInput(path="effectiveFrom", reason="A time has an offset.")
    asked = None if effective_from is None else to_micros(effective_from)
    async with coalition.database.transaction() as tx:
        known = await coalition.registry.lock(tx)
        now = await _after_postings(tx, brand)
        latest = known.valuations(brand.id)[-1]
        if _is_the_same(latest, rates, asked, now):
            return latest
        # Looked at while postings still go on: it takes a while.
        await _require_no_gain(known, Valuation(brand.id, rates, _begins(asked, now, latest), None))
        now = await _lock_pools(tx, brand, is_sqlite=coalition.database.is_sqlite)
        await _require_room(tx, brand, rates)
        new = Valuation(brand.id, rates, _begins(asked, now, latest), None)
        await _insert_valuation(tx, new, now)
        details = {**asdict(rates), "effective_from": new.effective_from}
        await record(tx, caller, now, [Action("valuation.publish", brand.code, details)])
        await raise_epoch(tx)
    await coalition.registry.refresh()
    if new.effective_from <= from_micros(now):
        # Should this not come to pass, the next posting of each book revalues before it posts.
        await coalition.ledger.submit_many(
            [Revalue(new_id(book), brand.id) for book in range(coalition.books)]
        )
    return new


async def _require_no_gain(known: Snapshot, new: Valuation) -> None:
    await asyncio.to_thread(require_no_gain, known.having(valuations=[new]), new.effective_from)


async def _lock_pools(tx: Transaction, brand: Brand, *, is_sqlite: bool) -> Micros:
    """Locks the brand's pools against posting, and tells an instant after all that was posted."""
    lock = "" if is_sqlite else " FOR NO KEY UPDATE"  # there, the transaction is a lock on it all
    await tx.fetch(
        f"SELECT id FROM accounts WHERE owner_id = $1 AND kind = 'POOL' ORDER BY book, id{lock}",
        brand.id,
    )
    await tx.fetch(  # so that no writer goes by a value it remembers
        "UPDATE accounts SET revision = revision + 1 WHERE owner_id = $1 AND kind = 'POOL'",
        brand.id,
    )
    return await _after_postings(tx, brand)


async def _require_room(tx: Transaction, brand: Brand, rates: Rates) -> None:
    """Raises `AmountTooLarge` if the books could not hold what is out there at its new value."""
    rows = await tx.fetch(
        "SELECT p.balance, p.rate, s.balance AS settlement FROM accounts p"
        " JOIN accounts s ON s.book = p.book AND s.owner_id = p.owner_id AND s.kind = 'SETTLEMENT'"
        " WHERE p.owner_id = $1 AND p.kind = 'POOL'",
        brand.id,
    )
    for row in rows:
        pool = row["balance"] // row["rate"] * rates.redemption_rate
        settlement = row["settlement"] - (pool - row["balance"])
        if max(abs(pool), abs(settlement)) > MAX_BALANCE:
            raise AmountTooLarge(path="redemptionRate")


async def _after_postings(tx: Transaction, brand: Brand) -> Micros:
    """An instant after everything that was posted to the brand's pools.

    Not the mere present: a clock that was set back would put the new value before postings made
    at the old one.
    """
    (row,) = await tx.fetch(
        "SELECT max(posted_at) AS posted_at FROM accounts WHERE owner_id = $1 AND kind = 'POOL'",
        brand.id,
    )
    return max(await tx.now(), int(row["posted_at"]) + 1)


def _is_the_same(latest: Valuation, rates: Rates, asked: Micros | None, now: Micros) -> bool:
    """Whether the newest valuation says just this already, so that a retry finds it done."""
    begins = to_micros(latest.effective_from)
    return latest.rates == rates and (begins <= now if asked is None else begins == asked)


def _begins(asked: Micros | None, now: Micros, latest: Valuation) -> datetime:
    """When a new valuation begins: as asked, or now; after every other and not in the past."""
    begins = from_micros(now if asked is None else asked)
    if begins < from_micros(now):
        raise ValuationInPast(path="effectiveFrom", effective_from=begins, now=from_micros(now))
    if begins <= latest.effective_from:
        raise ValuationOutOfSequence(path="effectiveFrom", latest=latest.effective_from)
    return begins


async def _insert_brand(tx: Transaction, brand: Brand) -> None:
    await tx.fetch(
        "INSERT INTO brands (id, code, name, points_name, time_zone, status, number_format,"
        " next_number, created_at, clawback, number_key)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10)",
        *(brand.id, brand.code, brand.name, brand.points_name, brand.time_zone),
        *(brand.status.value, format_to_text(brand.number_format), to_micros(brand.created_at)),
        *(brand.clawback.value, brand.number_key),
    )


async def _insert_valuation(tx: Transaction, new: Valuation, now: Micros) -> None:
    await tx.fetch(
        "INSERT INTO valuations (id, brand_id, redemption_rate, issue_price, transfer_out_rate,"
        " transfer_in_rate, effective_from, published_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(new_id(0), new.brand_id, new.rates.redemption_rate, new.rates.issue_price),
        *(new.rates.transfer_out_rate, new.rates.transfer_in_rate),
        *(to_micros(new.effective_from), now),
    )
