"""Publishing what the whole coalition goes by: its brands, and what their points are worth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from tortoise.exceptions import IntegrityError

from brands import bounds
from brands.accounts import open_brand_accounts
from brands.actions import Action, record
from brands.callers import Caller
from brands.clock import Micros, from_micros, to_micros
from brands.coalition import Coalition
from brands.database import Row, Transaction
from brands.errors import (
    BrandCodeTaken,
    InvalidInput,
    NotPermitted,
    ValuationInPast,
    ValuationOutOfSequence,
)
from brands.ids import new_id
from brands.ledger.commands import Revalue
from brands.numbers import NumberFormat, format_to_text
from brands.registry import Brand, BrandStatus, valuations_of
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


async def create_brand(coalition: Coalition, caller: Caller, new: NewBrand) -> Brand:
    """Takes a brand into the coalition: its accounts in every book and its first valuation.

    For the operator. Raises `NotPermitted`, `InvalidInput`, `BrandCodeTaken`.
    """
    caller.require_operator()
    code = bounds.brand_code(new.code)
    name = bounds.text(new.name, "name", bounds.MAX_NAME)
    points_name = bounds.text(new.points_name, "pointsName", bounds.MAX_NAME)
    time_zone = bounds.time_zone(new.time_zone)
    try:
        async with coalition.database.transaction() as tx:
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
            )
            await _insert_brand(tx, brand)
            v = new.rates.redemption_rate
            await open_brand_accounts(tx, brand.id, coalition.books, v, now)
            await _insert_valuation(tx, brand, new.rates, now, now)
            await record(tx, caller, now, [Action("brand.create", code, asdict(new.rates))])
            await _raise_epoch(tx)
    except IntegrityError:
        # Only the code can be taken; but ask, rather than guess from the words of a database.
        if await coalition.database.fetch("SELECT id FROM brands WHERE code = $1", code):
            raise BrandCodeTaken(path="code", code=code) from None
        raise
    await coalition.registry.refresh()
    return brand


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
    `ValuationOutOfSequence`. Once the valuation is in force the pools are brought to it, here or
    by whoever posts next.
    """
    await coalition.registry.refresh()
    brand = coalition.registry.snapshot.brand(brand_code, path="brand")
    if not caller.acts_for_brand(brand.id):
        raise NotPermitted
    if effective_from is not None and effective_from.tzinfo is None:
        raise InvalidInput(path="effectiveFrom", reason="A time has an offset.")
    asked = None if effective_from is None else to_micros(effective_from)
    async with coalition.database.transaction() as tx:
        now = await _lock_pools(tx, brand, is_sqlite=coalition.database.is_sqlite)
        rows = await tx.fetch(
            "SELECT * FROM valuations WHERE brand_id = $1 ORDER BY effective_from", brand.id
        )
        if _is_latest(rows, rates, asked, now):
            return valuations_of(rows)[-1]
        begins = now if asked is None else asked
        _check_order(begins, now, rows)
        await _insert_valuation(tx, brand, rates, begins, now)
        details = {**asdict(rates), "effective_from": from_micros(begins)}
        await record(tx, caller, now, [Action("valuation.publish", brand.code, details)])
        await _raise_epoch(tx)
    await coalition.registry.refresh()
    if begins <= now:
        # Should this not come to pass, the next posting of each book revalues before it posts.
        await coalition.ledger.submit_many(
            [Revalue(new_id(book), brand.id) for book in range(coalition.books)]
        )
    return Valuation(brand.id, rates, from_micros(begins), None)


async def _lock_pools(tx: Transaction, brand: Brand, *, is_sqlite: bool) -> Micros:
    """Locks the brand's pools against posting, and tells an instant after all that was posted.

    Not the mere present: a clock that was set back would put the new value before postings made
    at the old one.
    """
    lock = "" if is_sqlite else " FOR NO KEY UPDATE"  # there, the transaction is a lock on it all
    pools = await tx.fetch(
        "SELECT posted_at FROM accounts WHERE owner_id = $1 AND kind = 'POOL'"
        f" ORDER BY book, id{lock}",
        brand.id,
    )
    await tx.fetch(  # so that no writer goes by a value it remembers
        "UPDATE accounts SET revision = revision + 1 WHERE owner_id = $1 AND kind = 'POOL'",
        brand.id,
    )
    return max([await tx.now(), *(int(pool["posted_at"]) + 1 for pool in pools)])


def _is_latest(rows: Sequence[Row], rates: Rates, asked: Micros | None, now: Micros) -> bool:
    """Whether the newest valuation says just this already, so that a retry finds it done."""
    latest = valuations_of(rows)[-1]
    begins = to_micros(latest.effective_from)
    return latest.rates == rates and (begins <= now if asked is None else begins == asked)


def _check_order(begins: Micros, now: Micros, rows: Sequence[Row]) -> None:
    if begins < now:
        raise ValuationInPast(
            path="effectiveFrom", effective_from=from_micros(begins), now=from_micros(now)
        )
    latest = rows[-1]["effective_from"]
    if begins <= latest:
        raise ValuationOutOfSequence(path="effectiveFrom", latest=from_micros(latest))


async def _insert_brand(tx: Transaction, brand: Brand) -> None:
    await tx.fetch(
        "INSERT INTO brands (id, code, name, points_name, time_zone, status, number_format,"
        " next_number, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)",
        *(brand.id, brand.code, brand.name, brand.points_name, brand.time_zone),
        *(brand.status.value, format_to_text(brand.number_format), to_micros(brand.created_at)),
    )


async def _insert_valuation(
    tx: Transaction, brand: Brand, rates: Rates, begins: Micros, now: Micros
) -> None:
    await tx.fetch(
        "INSERT INTO valuations (id, brand_id, redemption_rate, issue_price, transfer_out_rate,"
        " transfer_in_rate, effective_from, published_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(new_id(0), brand.id, rates.redemption_rate, rates.issue_price),
        *(rates.transfer_out_rate, rates.transfer_in_rate, begins, now),
    )


async def _raise_epoch(tx: Transaction) -> None:
    """Last in its transaction: whoever else publishes waits for this row, so not for long."""
    await tx.fetch("UPDATE coalition SET epoch = epoch + 1 WHERE id = 1")
