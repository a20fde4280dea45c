"""What a transfer posts: the points that leave and arrive, and the money that goes with them.

Both sides may be of one book, and of one transaction, or of two: then a carrier, an account of the
coalition, holds the money of the points that have left until they arrive. Pure.
"""

from uuid import UUID

from brands.ledger.chart import COALITION, MONEY, AccountKind, stripe
from brands.ledger.commands import Posting
from brands.moving.figures import ConversionRates, Figures


def conversion(
    book: int,
    source: UUID,
    destination: UUID,
    rates: ConversionRates,
    figures: Figures,
    sponsor: UUID,
) -> tuple[Posting, ...]:
    """Both sides in one transaction; `sponsor` is the brand that pays what the rates do not."""
    margin = stripe(book, COALITION, AccountKind.MARGIN)
    return (
        *departure(book, source, rates, figures, sponsor, margin),
        *arrival(book, destination, rates, figures, margin),
    )


def departure(
    book: int,
    source: UUID,
    rates: ConversionRates,
    figures: Figures,
    sponsor: UUID,
    carrier: UUID,
) -> tuple[Posting, ...]:
    """The points leave; what will stand behind those that arrive is left with the carrier.

    The margin takes what the source's pool gives up, what the sponsor pays and the fee, which the
    source brand collects from the member; it keeps what the destination's pool does not need.
    """
    brand, points = rates.source_brand, figures.points_out
    margin = stripe(book, COALITION, AccountKind.MARGIN)
    pool = stripe(book, brand, AccountKind.POOL)
    postings = [
        Posting(brand, source, stripe(book, brand, AccountKind.CONVERTED), points),
        Posting(MONEY, pool, margin, points * rates.source_value),
    ]
    if figures.sponsored:
        pays = stripe(book, sponsor, AccountKind.SETTLEMENT)
        postings.append(Posting(MONEY, pays, margin, figures.sponsored))
    if figures.fee:
        collects = stripe(book, brand, AccountKind.SETTLEMENT)
        postings.append(Posting(MONEY, collects, margin, figures.fee))
    if carrier != margin:
        behind = figures.points_in * rates.destination_value
        postings.append(Posting(MONEY, margin, carrier, behind))
    return tuple(postings)


def arrival(
    book: int, destination: UUID, rates: ConversionRates, figures: Figures, carrier: UUID
) -> tuple[Posting, ...]:
    """The points arrive; the carrier hands over the money behind them."""
    brand, points = rates.destination_brand, figures.points_in
    pool = stripe(book, brand, AccountKind.POOL)
    return (
        Posting(brand, stripe(book, brand, AccountKind.CONVERTED), destination, points),
        Posting(MONEY, carrier, pool, points * rates.destination_value),
    )
