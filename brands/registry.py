"""The brands and their valuations, kept in memory until the registry's epoch says they changed.

Every change to them raises `coalition.epoch` in its own transaction, and every request learns the
epoch when it is authenticated: so a snapshot costs no statement of its own, and is never staler
than the request.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby, pairwise
from operator import attrgetter
from uuid import UUID

from brands.clock import from_micros, now
from brands.database import Database, Reader, Row, as_uuid
from brands.errors import BrandNotFound
from brands.numbers import NumberFormat, format_from_text
from brands.valuations import Rates, Valuation


class BrandStatus(StrEnum):
    """Whether a brand takes part."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


@dataclass(frozen=True, slots=True)
class Brand:
    """A partner of the coalition. `time_zone` is an IANA name; its days are counted there."""

    id: UUID
    code: str
    name: str
    points_name: str
    time_zone: str
    status: BrandStatus
    number_format: NumberFormat
    created_at: datetime


class Snapshot:
    """Every brand and valuation as of one epoch. Immutable; brands are in the order of codes."""

    def __init__(
        self, epoch: int, brands: Iterable[Brand], valuations: Iterable[Valuation]
    ) -> None:
        self.epoch = epoch
        self.brands = tuple(sorted(brands, key=attrgetter("code")))
        self._by_code = {brand.code: brand for brand in self.brands}
        self._by_id = {brand.id: brand for brand in self.brands}
        self._valuations = {
            brand_id: tuple(sorted(of_brand, key=attrgetter("effective_from")))
            for brand_id, of_brand in groupby(
                sorted(valuations, key=attrgetter("brand_id")), key=attrgetter("brand_id")
            )
        }

    def brand(self, code: str, *, path: str | None = None) -> Brand:
        """The brand of this code, which the input field at `path` gave. Raises `BrandNotFound`."""
        if code not in self._by_code:
            raise BrandNotFound(path=path, name=code[:64])
        return self._by_code[code]

    def brand_by_id(self, brand_id: UUID) -> Brand:
        """The brand of this id. Raises `BrandNotFound`."""
        if brand_id not in self._by_id:
            raise BrandNotFound(name=str(brand_id))
        return self._by_id[brand_id]

    def valuations(self, brand_id: UUID) -> tuple[Valuation, ...]:
        """A brand's valuations, the first to take effect first; future ones included."""
        return self._valuations[self.brand_by_id(brand_id).id]

    def valuation(self, brand_id: UUID, at: datetime | None = None) -> Valuation:
        """The valuation in force at an instant (now, if none is given); before the first: that."""
        known = self.valuations(brand_id)
        later = bisect_right(known, at or now(), key=attrgetter("effective_from"))
        return known[max(later - 1, 0)]


class Registry:
    """The newest snapshot that this process knows of."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loading = asyncio.Lock()
        self.snapshot = Snapshot(0, (), ())

    async def refresh(self, epoch: int | None = None) -> Snapshot:
        """The snapshot, read again if it is older than `epoch`, or than the stored epoch.

        With an epoch that the snapshot has reached this takes no statement.
        """
        if epoch is None:
            epoch = await _stored_epoch(self._database)
        if epoch > self.snapshot.epoch:
            async with self._loading:
                if epoch > self.snapshot.epoch:
                    self.snapshot = await _load(self._database)
        return self.snapshot


async def _stored_epoch(reader: Reader) -> int:
    rows = await reader.fetch("SELECT epoch FROM coalition WHERE id = 1")
    return int(rows[0]["epoch"]) if rows else 0


async def _load(reader: Reader) -> Snapshot:
    # The epoch first: what is read after it is at least as new, and never marked newer than it is.
    # Valuations last: a brand is never read without its own.
    epoch = await _stored_epoch(reader)
    brands = [_brand(row) for row in await reader.fetch("SELECT * FROM brands")]
    rows = await reader.fetch("SELECT * FROM valuations ORDER BY brand_id, effective_from")
    return Snapshot(epoch, brands, valuations_of(rows))


def valuations_of(rows: Iterable[Row]) -> list[Valuation]:
    """Valuations from their rows, in the order of brands and beginnings; one ends with the next."""
    padded = pairwise((*rows, None))
    return [_valuation(row, following) for row, following in padded if row is not None]


def _valuation(row: Row, following: Row | None) -> Valuation:
    same = following is not None and following["brand_id"] == row["brand_id"]
    return Valuation(
        brand_id=as_uuid(row["brand_id"]),
        rates=Rates(
            redemption_rate=row["redemption_rate"],
            issue_price=row["issue_price"],
            transfer_out_rate=row["transfer_out_rate"],
            transfer_in_rate=row["transfer_in_rate"],
        ),
        effective_from=from_micros(row["effective_from"]),
        effective_to=from_micros(following["effective_from"]) if following and same else None,
    )


def _brand(row: Row) -> Brand:
    return Brand(
        id=as_uuid(row["id"]),
        code=row["code"],
        name=row["name"],
        points_name=row["points_name"],
        time_zone=row["time_zone"],
        status=BrandStatus(row["status"]),
        number_format=format_from_text(row["number_format"]),
        created_at=from_micros(row["created_at"]),
    )
