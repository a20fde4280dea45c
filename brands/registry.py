"""The brands, their valuations and rules, kept in memory until the epoch says they changed.

Every change to them raises `coalition.epoch` in its own transaction, and every request learns the
epoch when it is authenticated: so a snapshot costs no statement of its own, and is never staler
than the request. Rules are only ever added, so that only those of newer epochs are read.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import groupby, pairwise
from operator import attrgetter
from uuid import UUID

from brands.clock import from_micros, now
from brands.database import Database, Reader, Row, Transaction, as_uuid
from brands.errors import BrandNotFound
from brands.ledger.commands import Shortfall
from brands.naming.numbers import NumberFormat, format_from_text
from brands.program_terms import Program, Programs, terms_from_text
from brands.rule_texts import rule_terms_from_text
from brands.rules import Pair, TransferRule, by_beginning, in_force
from brands.valuations import Rates, Valuation

_AT_A_TIME = 1_000
"""So many rules are read from their rows before others have their turn."""


class BrandStatus(StrEnum):
    """Whether a brand takes part."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


@dataclass(frozen=True, slots=True)
class Brand:
    """A partner of the coalition. `time_zone` is an IANA name; its days are counted there.

    `clawback` is what happens when points that it gave are taken back and are spent already.
    `number_key` is the secret of its generated numbers.
    """

    id: UUID
    code: str
    name: str
    points_name: str
    time_zone: str
    status: BrandStatus
    number_format: NumberFormat
    created_at: datetime
    clawback: Shortfall = Shortfall.REJECT
    number_key: bytes = field(default=b"", repr=False)


class Snapshot:
    """Every brand, valuation and rule as of one epoch. Immutable; brands are in order of codes.

    `rules` are those that are new since the snapshot `before`, whose own are kept.
    """

    def __init__(
        self,
        epoch: int,
        brands: Iterable[Brand],
        valuations: Iterable[Valuation],
        rules: Iterable[TransferRule] = (),
        before: "Snapshot | None" = None,
        programs: Programs | None = None,
    ) -> None:
        self.epoch = epoch
        self.programs: Programs = programs or (before.programs if before else Programs())
        """What the brands lay down for travel."""
        self.brands = tuple(sorted(brands, key=attrgetter("code")))
        self._by_code = {brand.code: brand for brand in self.brands}
        self._by_id = {brand.id: brand for brand in self.brands}
        self._valuations = {
            brand_id: tuple(sorted(of_brand, key=attrgetter("effective_from")))
            for brand_id, of_brand in groupby(
                sorted(valuations, key=attrgetter("brand_id")), key=attrgetter("brand_id")
            )
        }
        self._rules: Mapping[Pair, tuple[TransferRule, ...]] = before._rules if before else {}
        self._rules_by_id: Mapping[UUID, TransferRule] = before._rules_by_id if before else {}
        self.last_published: datetime | None = before.last_published if before else None
        """When the last rule was published, if there is one."""
        self._add(list(rules))

    def _add(self, rules: list[TransferRule]) -> None:
        if not rules:
            return
        self.last_published = max(
            [rule.published_at for rule in rules]
            + ([] if self.last_published is None else [self.last_published])
        )
        self._rules_by_id = {**self._rules_by_id, **{rule.id: rule for rule in rules}}
        added: dict[Pair, list[TransferRule]] = {}
        for rule in rules:
            added.setdefault(rule.pair, list(self._rules.get(rule.pair, ()))).append(rule)
        histories = {
            pair: tuple(sorted(history, key=by_beginning)) for pair, history in added.items()
        }
        self._rules = {**self._rules, **histories}

    def having(
        self,
        *,
        brands: Iterable[Brand] = (),
        valuations: Iterable[Valuation] = (),
        rules: Iterable[TransferRule] = (),
    ) -> "Snapshot":
        """What this would be with these published too."""
        known = (each for of_brand in self._valuations.values() for each in of_brand)
        return Snapshot(
            self.epoch, (*self.brands, *brands), (*known, *valuations), rules, before=self
        )

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

    def rules(self, pair: Pair) -> tuple[TransferRule, ...]:
        """Every rule published for a pair, the first to begin first; future ones included."""
        return self._rules.get(pair, ())

    def rule(self, pair: Pair, at: datetime | None = None) -> TransferRule | None:
        """The rule in force for a pair at an instant (now, if none is given), if there is one.

        Exactly this pair: where a household has no rule of its own, that says nothing of others.
        """
        return in_force(self.rules(pair), at or now())

    def rule_by_id(self, rule_id: UUID) -> TransferRule | None:
        """The rule of this id, if there is one."""
        return self._rules_by_id.get(rule_id)

    def histories(self) -> Iterable[tuple[Pair, tuple[TransferRule, ...]]]:
        """The pairs that have rules, in no order, each with `rules` of it."""
        return self._rules.items()

    def pairs(self) -> tuple[Pair, ...]:
        """The pairs that have rules, in the order of codes: source, destination, household last."""
        return self._pairs

    def rules_of_brand(self, brand_id: UUID) -> tuple[Pair, ...]:
        """Those `pairs` of which the brand is either side."""
        return self._pairs_by_brand.get(brand_id, ())

    @cached_property
    def _pairs(self) -> tuple[Pair, ...]:
        places = {brand.id: place for place, brand in enumerate(self.brands)}
        return tuple(
            sorted(
                self._rules,
                key=lambda pair: (
                    places[pair.source_brand],
                    places[pair.destination_brand],
                    pair.household,
                ),
            )
        )

    @cached_property
    def _pairs_by_brand(self) -> Mapping[UUID, tuple[Pair, ...]]:
        found: dict[UUID, list[Pair]] = {}
        for pair in self._pairs:
            for brand_id in {pair.source_brand, pair.destination_brand}:
                found.setdefault(brand_id, []).append(pair)
        return {brand_id: tuple(pairs) for brand_id, pairs in found.items()}


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
                    await self._load(self._database)
        return self.snapshot

    async def lock(self, tx: Transaction) -> Snapshot:
        """The snapshot that holds until the transaction ends: whoever else publishes waits.

        To be taken before any other lock. Postings lock no such thing, and go on.
        """
        lock = "" if self._database.is_sqlite else " FOR UPDATE"  # there, the transaction is one
        (row,) = await tx.fetch(f"SELECT epoch FROM coalition WHERE id = 1{lock}")
        if row["epoch"] > self.snapshot.epoch:
            # Not behind `_loading`: on SQLite, whoever is there waits for this transaction.
            await self._load(tx)
        return self.snapshot

    async def _load(self, reader: Reader) -> None:
        known = self.snapshot
        # The epoch first: what is read after it is at least as new, and never marked newer than it
        # is. Valuations after brands: a brand is never read without its own.
        epoch = await _stored_epoch(reader)
        brands = [_brand(row) for row in await reader.fetch("SELECT * FROM brands")]
        rows = await reader.fetch("SELECT * FROM valuations ORDER BY brand_id, effective_from")
        rules = await reader.fetch(
            "SELECT * FROM transfer_rules WHERE epoch > $1 AND epoch <= $2", known.epoch, epoch
        )
        terms = await reader.fetch("SELECT * FROM program_terms")
        loaded = Snapshot(
            epoch,
            brands,
            valuations_of(rows),
            await _rules_patiently(rules),
            before=known,
            programs=Programs(map(_program, terms)),
        )
        if epoch > self.snapshot.epoch:  # else somebody else was faster
            self.snapshot = loaded


async def raise_epoch(tx: Transaction) -> None:
    """Lets every process learn that the registry has changed."""
    await tx.fetch("UPDATE coalition SET epoch = epoch + 1 WHERE id = 1")


async def _stored_epoch(reader: Reader) -> int:
    rows = await reader.fetch("SELECT epoch FROM coalition WHERE id = 1")
    return int(rows[0]["epoch"]) if rows else 0


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
        clawback=Shortfall(row["clawback"]),
        number_key=bytes(row["number_key"] or b""),
    )


def _program(row: Row) -> Program:
    return Program(
        id=as_uuid(row["id"]),
        brand_id=as_uuid(row["brand_id"]),
        terms=terms_from_text(row["terms"]),
        effective_from=from_micros(row["effective_from"]),
        epoch=row["epoch"],
    )


async def _rules_patiently(rows: Sequence[Row]) -> list[TransferRule]:
    """Rules from their rows; whoever else is being served goes on meanwhile."""
    rules = []
    for place, row in enumerate(rows, 1):
        rules.append(_rule(row))
        if place % _AT_A_TIME == 0:
            await asyncio.sleep(0)
    return rules


def _rule(row: Row) -> TransferRule:
    ends = row["effective_to"]
    return TransferRule(
        id=as_uuid(row["id"]),
        pair=Pair(
            as_uuid(row["source_brand"]),
            as_uuid(row["destination_brand"]),
            bool(row["household"]),
        ),
        terms=rule_terms_from_text(row["terms"]),
        effective_from=from_micros(row["effective_from"]),
        effective_to=None if ends is None else from_micros(ends),
        published_at=from_micros(row["published_at"]),
    )
