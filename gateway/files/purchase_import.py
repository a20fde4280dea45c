"""Loading a file of purchases into the books, a block of lines at a time.

While one block is committed the next is read and its customers are looked up. Nothing is kept of a
block once its answers are in, so memory does not grow with the file. Killed at any point and run
again, an import ends with the same books: every purchase carries an idempotency key of its own.
"""

import asyncio
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeAlias
from zoneinfo import ZoneInfo

from brands import purchases
from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.errors import DomainError, IdempotencyKeyReused
from brands.purchases import Answer, Fate, Purchase
from brands.rejections import Rejection
from gateway.files.purchase_file import BadLine, FileRefused, Line, read_purchases

BLOCK = 2_000
"""Lines read, and commands in flight, at a time."""

BLOCK_BYTES = 64 * 1024

Complain: TypeAlias = Callable[[int, str], None]
"""Told the number of a line and what is wrong with it."""

_GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class Counts:
    """What became of the lines of a file, and the points that were loaded."""

    loaded: int = 0
    already_there: int = 0
    no_points: int = 0
    refused: int = 0
    bad: int = 0
    points: int = 0

    @property
    def lines(self) -> int:
        """The lines counted so far."""
        return self.loaded + self.already_there + self.no_points + self.refused + self.bad


class PurchaseFile:
    """An open file of purchases, plain or gzip, that knows how far it has been read."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self.size = size
        self._raw = raw
        self._digest = blake2b(digest_size=16)
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        self._text: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=raw) if packed else raw

    @property
    def position(self) -> int:
        """Bytes of the file read so far, of `size`."""
        return self._raw.tell()

    @property
    def digest(self) -> str:
        """What the text read so far is known by."""
        return self._digest.hexdigest()

    def readline(self, limit: int = -1, /) -> bytes:
        """The next line, of at most so many bytes. Raises `FileRefused` where it is damaged."""
        try:
            line = self._text.readline(limit)
        except (OSError, EOFError, zlib.error) as error:
            raise FileRefused(f"the file cannot be read any further: {error}") from error
        self._digest.update(line)
        return line


@contextmanager
def open_purchases(path: Path) -> Iterator[PurchaseFile]:
    """Opens a file of purchases. Raises `OSError`."""
    with path.open("rb") as raw:
        yield PurchaseFile(raw, path.stat().st_size)


def digest_of(path: Path) -> str:
    """What a file's text is known by. Raises `OSError`, `FileRefused`."""
    with open_purchases(path) as file:
        while file.readline(BLOCK_BYTES):
            pass
        return file.digest


def importer_of(coalition: Coalition, brand_code: str) -> Caller:
    """The caller as whom a brand's files are loaded: the brand, in a namespace of its own, so that
    no client's idempotency keys meet an import's. Raises `BrandNotFound`."""
    brand = coalition.registry.snapshot.brand(brand_code)
    return Caller(CallerKind.BRAND, f"import/{brand.code}", brand_id=brand.id)


async def import_purchases(
    coalition: Coalition,
    brand_code: str,
    file: PurchaseFile,
    *,
    enrol: bool,
    complain: Complain,
    advance: Callable[[int], None] = lambda _: None,
) -> Counts:
    """Loads every purchase of a file; what is wrong with a line is told and the rest goes on.

    `advance` is told how many bytes more are done. Raises `FileRefused`, `BrandNotFound`,
    `BrandSuspended` (before the next block, if it is on its way), `LedgerUnavailable`; whatever was
    loaded by then stays loaded.
    """
    caller = importer_of(coalition, brand_code)
    time_zone = ZoneInfo(coalition.registry.snapshot.brand(brand_code).time_zone)
    run = _Run(coalition, caller, brand_code, complain, advance)
    with closing(read_purchases(file, time_zone)) as lines:
        try:
            while block := list(islice(lines, BLOCK)):
                await run.take(block, file.position, enrol=enrol)
        finally:
            await run.finish()
    counts = run.counts
    await purchases.note_import(coalition, caller, brand_code, file.digest, asdict(counts))
    return counts


class _Run:
    """One import on its way: at most one block is being committed at a time."""

    def __init__(
        self,
        coalition: Coalition,
        caller: Caller,
        brand_code: str,
        complain: Complain,
        advance: Callable[[int], None],
    ) -> None:
        self.counts = Counts()
        self._coalition = coalition
        self._caller = caller
        self._brand_code = brand_code
        self._complain = complain
        self._advance = advance
        self._position = 0
        self._committing: asyncio.Task[None] | None = None

    async def take(self, block: Sequence[Line], position: int, *, enrol: bool) -> None:
        """Identifies the customers of a block, and leaves it to be committed."""
        bought = [line.content for line in block if isinstance(line.content, Purchase)]
        if self._coalition.database.is_sqlite:
            await self.finish()  # one writer there: enrolling would but wait for the commit
        buyers = await purchases.identify(
            self._coalition, self._caller, self._brand_code, bought, enrol=enrol
        )
        await self.finish()
        self._committing = asyncio.create_task(self._commit(block, bought, buyers, position))

    async def finish(self) -> None:
        """Waits until what was taken is committed and counted."""
        if self._committing is not None:
            await self._committing

    async def _commit(
        self,
        block: Sequence[Line],
        bought: Sequence[Purchase],
        buyers: purchases.Buyers,
        position: int,
    ) -> None:
        answers = iter(
            await purchases.load(self._coalition, self._caller, self._brand_code, bought, buyers)
        )
        for line in block:
            if isinstance(line.content, BadLine):
                self.counts.bad += 1
                self._complain(line.number, str(line.content))
            else:
                self._count(line.number, line.content, next(answers))
        self._advance(position - self._position)
        self._position = position

    def _count(self, number: int, purchase: Purchase, answer: Answer) -> None:
        match answer:
            case Fate.LOADED:
                self.counts.loaded += 1
                self.counts.points += purchases.points_of(purchase)
            case Fate.ALREADY_THERE:
                self.counts.already_there += 1
            case Fate.NO_POINTS:
                self.counts.no_points += 1
            case DomainError():
                self._refuse(number, purchase, answer)

    def _refuse(self, number: int, purchase: Purchase, why: DomainError) -> None:
        if isinstance(why, Rejection | IdempotencyKeyReused):
            self.counts.refused += 1
        else:
            self.counts.bad += 1
        if isinstance(why, IdempotencyKeyReused):
            self._complain(number, f"{purchase.reference} is the reference of another purchase.")
        else:
            self._complain(number, why.message)
