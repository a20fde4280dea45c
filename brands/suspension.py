"""What it is for a brand to be suspended: nothing begins there.

Nobody earns its points or spends them, sends them away or receives them, becomes a member of it, or
is looked up by one of its numbers; and the brand's own credentials are nobody's. What has begun
goes on, so that a suspension can be wound down and the books stay right: points arrive that are
under way, holds are captured, voided or expire, lots expire, pools are revalued. So does all that
takes something back, what the operator adjusts by hand, and all reading.

It holds from the next request on. Each service in which something begins asks here; credentials and
the numbers that agencies verify see to it themselves (`brands.authentication`,
`brands.verification`).
"""

from brands.ledger.commands import Command, PlaceHold, Post, Refuse
from brands.registry import Brand, BrandStatus
from brands.rejections import BrandSuspended


def suspension(brand: Brand, path: str | None = None) -> BrandSuspended | None:
    """The refusal of what would begin at a brand, if that is suspended; `path` is the input field
    that leads to it."""
    if brand.status is BrandStatus.ACTIVE:
        return None
    return BrandSuspended(path=path, brand=brand.code)


def require_active(brand: Brand, path: str | None = None) -> None:
    """Raises `BrandSuspended` if the brand is."""
    refusal = suspension(brand, path)
    if refusal is not None:
        raise refusal


def unless_suspended(brand: Brand, command: Post | PlaceHold) -> Command:
    """A command by which something begins on a membership of a brand; while the brand is suspended
    the refusal, for good, with the path `membership`.

    A key that was used before the suspension is answered as it was then.
    """
    refusal = suspension(brand, "membership")
    if refusal is None:
        return command
    assert command.claim is not None  # what begins is asked for
    return Refuse(command.id, command.claim, refusal)
