"""What a transfer posts: the points that leave and arrive, and the money that goes with them.

Both sides may be of one book, and of one transaction, or of two: then a carrier, an account of the
coalition, holds the money of the points that have left until they arrive. Pure.
"""

from uuid import UUID

from brands.figures import ConversionRates, Figures
from brands.ledger.chart import COALITION, MONEY, AccountKind, stripe
from brands.ledger.commands import Posting


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
    brand = rates.source_brand
    margin = stripe(book, COALITION, AccountKind.MARGIN)
    settlement = stripe(book, brand, AccountKind.SETTLEMENT)
    sponsors = stripe(book, sponsor, AccountKind.SETTLEMENT)
    pool = stripe(book, brand, AccountKind.POOL)
    gone = stripe(book, brand, AccountKind.CONVERTED)
    return _real(
        Posting(brand, source, gone, figures.points_out),
        Posting(MONEY, pool, margin, figures.points_out * rates.source_value),
        Posting(MONEY, sponsors, margin, figures.sponsored),
        Posting(MONEY, settlement, margin, figures.fee),
        Posting(MONEY, margin, carrier, figures.points_in * rates.destination_value),
    )


def arrival(
    book: int, destination: UUID, rates: ConversionRates, figures: Figures, carrier: UUID
) -> tuple[Posting, ...]:
    """The points arrive; the carrier hands over the money behind them."""
    brand = rates.destination_brand
    pool = stripe(book, brand, AccountKind.POOL)
    come = stripe(book, brand, AccountKind.CONVERTED)
    return _real(
        Posting(brand, come, destination, figures.points_in),
        Posting(MONEY, carrier, pool, figures.points_in * rates.destination_value),
    )


def _real(*postings: Posting) -> tuple[Posting, ...]:
    """Those that move something from one account to another."""
    return tuple(each for each in postings if each.amount and each.source != each.destination)
