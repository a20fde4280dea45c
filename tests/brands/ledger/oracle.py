"""What the books should answer and hold, worked out plainly: dicts, sorting, no batches."""

from typing import Any, TypeAlias
from uuid import UUID

from brands.clock import Micros
from brands.ledger.commands import Shortfall

Verdict: TypeAlias = str | None
"""The class name of a rejection, or None for accepted."""

Lot: TypeAlias = dict[str, Any]


class Oracle:
    """Points accounts, lots, holds and what can be reversed; `now` is set from outside."""

    def __init__(self, accounts: list[UUID]) -> None:
        self.now: Micros = 0
        self.lots: dict[UUID, list[Lot]] = {account: [] for account in accounts}
        self.debts: dict[UUID, int] = dict.fromkeys(accounts, 0)
        self.holds: dict[UUID, dict[str, Any]] = {}
        self.posted: dict[UUID, dict[str, Any]] = {}

    def balance(self, account: UUID) -> int:
        return int(sum(lot["left"] for lot in self.lots[account])) - self.debts[account]

    def held(self, account: UUID) -> int:
        return int(sum(lot["held"] for lot in self.lots[account]))

    def spendable(self, account: UUID) -> int:
        free = sum(
            lot["left"] - lot["held"] for lot in self.lots[account] if lot["expires"] > self.now
        )
        return max(0, int(free) - self.debts[account])

    # What can be asked.

    def earn(
        self, id: UUID, account: UUID, points: int, expires: Micros, earned: Micros
    ) -> Verdict:
        self._credit(id, account, points, expires, earned)
        self.posted[id] = {"credit": (account, points), "debit": None, "uses": {}, "done": 0}
        return None

    def spend(self, id: UUID, account: UUID, points: int) -> Verdict:
        taken = self._take(account, points)
        if taken is None:
            return "InsufficientPoints"
        self.posted[id] = {
            "debit": (account, points), "credit": None, "uses": self._use(taken), "done": 0
        }  # fmt: skip
        return None

    def convert(
        self, id: UUID, account: UUID, points: int, target: UUID, arrive: int, earned: Micros
    ) -> Verdict:
        refused = self.spend(id, account, points)
        if refused is None and arrive:
            self.posted[id]["credit"] = (target, arrive)
            self._credit(id, target, arrive, 2**63 - 1, earned)
        return refused

    def hold(self, id: UUID, account: UUID, points: int, expires: Micros) -> Verdict:
        taken = self._take(account, points)
        if taken is None:
            return "InsufficientPoints"
        for lot, amount in taken:
            lot["held"] += amount
        self.holds[id] = {
            "account": account, "points": points, "expires": expires, "parts": taken, "open": True
        }  # fmt: skip
        return None

    def capture(self, id: UUID, hold: UUID, points: int) -> Verdict:
        held = self.holds.get(hold)
        if held is None or not held["open"] or held["expires"] <= self.now:
            return "HoldNotPending"
        if points > held["points"]:
            return "CaptureExceedsHold"
        self._release(held)
        taken = []
        rest = points
        for lot, amount in sorted(held["parts"], key=lambda part: _order(part[0])):
            taken.append((lot, min(amount, rest)))
            rest -= taken[-1][1]
        self.posted[id] = {
            "debit": (held["account"], points), "credit": None, "uses": self._use(taken), "done": 0
        }  # fmt: skip
        return None

    def end(self, hold: UUID, *, expiry: bool) -> Verdict:
        held = self.holds[hold]
        if not held["open"] or (expiry and held["expires"] > self.now):
            return "HoldNotPending"
        self._release(held)
        return None

    def expire(self, id: UUID, account: UUID) -> None:
        expired = [lot for lot in self._open(account) if lot["expires"] <= self.now]
        taken = [(lot, lot["left"] - lot["held"]) for lot in expired if lot["left"] > lot["held"]]
        if taken:
            points = sum(amount for _, amount in taken)
            self.posted[id] = {
                "debit": (account, points), "credit": None, "uses": self._use(taken), "done": 0
            }  # fmt: skip

    def reverse(self, original: UUID, points: int | None, policy: Shortfall) -> Verdict:
        what = self.posted[original]
        total = (what["debit"] or what["credit"])[1]
        left = total - what["done"]
        if left == 0:
            return "AlreadyReversed"
        points = left if points is None else points
        if points > left:
            return "ReversalExceedsOriginal"
        if what["credit"]:
            account, arrived = what["credit"]
            back = -(-arrived * (what["done"] + points) // total) + (
                -arrived * what["done"] // total
            )
            own = next((lot for lot in self.lots[account] if lot["origin"] == original), None)
            taken = self._take(account, back, own)
            available = self.spendable(account)
            if taken is None and policy is Shortfall.UP_TO_BALANCE:
                if what["debit"] or not available:
                    return "InsufficientPoints"
                points = back = available
                taken = self._take(account, back, own)
            elif taken is None and policy is Shortfall.ALLOW_NEGATIVE:
                taken = self._take_at_most(account, back)
                self.debts[account] += back - sum(amount for _, amount in taken)
            if taken is None:
                return "InsufficientPoints"
            self._use(taken)
        if what["debit"]:
            self._give_back(what["debit"][0], points, what["uses"])
        what["done"] += points
        return None

    # Lots.

    def _open(self, account: UUID) -> list[Lot]:
        return sorted((lot for lot in self.lots[account] if lot["left"]), key=_order)

    def _credit(
        self, id: UUID, account: UUID, points: int, expires: Micros, earned: Micros
    ) -> None:
        paid = min(points, self.debts[account])
        self.debts[account] -= paid
        lot = {"origin": id, "left": points - paid, "held": 0, "expires": expires, "earned": earned}
        self.lots[account].append(lot)

    def _take(
        self, account: UUID, points: int, own: Lot | None = None
    ) -> list[tuple[Lot, int]] | None:
        if points > self.spendable(account):
            return None
        live = [lot for lot in self._open(account) if lot["expires"] > self.now]
        live.sort(key=lambda lot: lot is not own)
        return self._from(live, points)

    def _take_at_most(self, account: UUID, points: int) -> list[tuple[Lot, int]]:
        return self._from(self._open(account), points)

    @staticmethod
    def _from(lots: list[Lot], points: int) -> list[tuple[Lot, int]]:
        taken = []
        for lot in lots:
            amount = min(lot["left"] - lot["held"], points)
            taken.append((lot, amount))
            points -= amount
        return [(lot, amount) for lot, amount in taken if amount]

    @staticmethod
    def _use(taken: list[tuple[Lot, int]]) -> dict[UUID, tuple[Lot, int]]:
        for lot, amount in taken:
            lot["left"] -= amount
        return {lot["origin"]: (lot, amount) for lot, amount in taken}

    @staticmethod
    def _release(held: dict[str, Any]) -> None:
        held["open"] = False
        for lot, amount in held["parts"]:
            lot["held"] -= amount

    def _give_back(self, account: UUID, points: int, uses: dict[UUID, tuple[Lot, int]]) -> None:
        for lot, used in sorted(uses.values(), key=lambda use: _order(use[0]), reverse=True):
            part = min(used, points)
            points -= part
            paid = min(part, self.debts[account])
            self.debts[account] -= paid
            lot["left"] += part - paid
            uses[lot["origin"]] = (lot, used - (part - paid))
        assert points == 0


def _order(lot: Lot) -> tuple[Micros, Micros, int]:
    return lot["expires"], lot["earned"], lot["origin"].int
