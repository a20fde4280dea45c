"""A giver and a recipient, for tests of transfers between members and of those that take time."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from brands.clock import now_micros
from brands.coalition import Coalition
from brands.ledger.commands import Shortfall
from brands.moving import transferring
from brands.moving.quotes import quote
from brands.moving.routes import TransferRequest
from brands.moving.transferring import create
from brands.moving.transfers import Transfer, transfers_by_id
from brands.registry import Brand
from brands.rules import RuleTerms
from tests.brands.stage import (
    OPERATOR,
    Person,
    balances,
    enrol,
    enrol_beside,
    give,
    key,
    lay_down,
    open_brands,
)

HOUR = 3_600
SLOW = RuleTerms(arrives_after_seconds=HOUR)

places = pytest.mark.parametrize("apart", [False, True], ids=["one book", "two books"])


@dataclass(frozen=True)
class Scene:
    """Ada, who has 1,000 points at AERO, and Bea, who has none."""

    brands: dict[str, Brand]
    ada: Person
    bea: Person

    def gift(self, points: int = 100, to: str = "AERO") -> TransferRequest:
        """So many of Ada's points for Bea."""
        source, named = self.ada.at["AERO"], self.bea.named[to]
        return TransferRequest(source, None, points_out=points, recipient=named)

    def conversion(self, points: int = 100) -> TransferRequest:
        """So many of Ada's points for her own membership at HOTEL."""
        return TransferRequest(self.ada.at["AERO"], self.ada.at["HOTEL"], points_out=points)

    def accounts(self, to: str) -> list[UUID]:
        """Ada's at AERO, and Bea's where the points go."""
        return [self.ada.at["AERO"], self.bea.at[to]]


async def scene(
    coalition: Coalition, *, apart: bool = True, clawback: Shortfall = Shortfall.REJECT
) -> Scene:
    """The scene, set: their books are two if `apart`, where there are two."""
    brands = await open_brands(coalition, clawback)
    ada = await enrol(coalition, "AERO", "HOTEL", surname="Lovelace")
    bea = await enrol_beside(coalition, ada, "AERO", "HOTEL", surname="O'Brien-Müller", apart=apart)
    await give(coalition, ada, "AERO", 1_000)
    return Scene(brands, ada, bea)


async def slow_scene(coalition: Coalition, terms: RuleTerms = SLOW) -> Scene:
    """The scene, where points take an hour from AERO to HOTEL, or what the terms say."""
    it = await scene(coalition)
    await lay_down(coalition, "AERO", "HOTEL", terms)
    return it


async def sent(coalition: Coalition, it: Scene, request: TransferRequest | None = None) -> Transfer:
    """A transfer that Ada has made just now: 100 points for Bea at HOTEL, unless another is
    given."""
    order = request or it.gift(to="HOTEL")
    return (await create(coalition, it.ada.caller, order, None, key())).transfer


async def sent_an_hour_ago(
    coalition: Coalition, it: Scene, request: TransferRequest | None = None
) -> Transfer:
    """The same of a transfer that is due by now."""
    offer = await quote(coalition, it.ada.caller, request or it.gift(to="HOTEL"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transferring, "now_micros", lambda: now_micros() - HOUR * 1_000_000)
        return (await create(coalition, it.ada.caller, offer.id, None, key())).transfer


async def read(coalition: Coalition, transfer: Transfer) -> Transfer:
    """A transfer as it stands now."""
    return (await transfers_by_id(coalition, OPERATOR, [transfer.id]))[transfer.id]


async def points(coalition: Coalition, it: Scene, to: str = "HOTEL") -> list[int]:
    """What Ada has at AERO, and Bea where the points go."""
    return await balances(coalition, it.accounts(to))


async def waiting(coalition: Coalition) -> int:
    """How many arrivals are on the list of those that are to come."""
    rows = await coalition.database.fetch("SELECT count(*) AS n FROM pending_arrivals")
    return int(rows[0]["n"])
