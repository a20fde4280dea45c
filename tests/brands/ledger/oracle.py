"""What the books should answer and hold, worked out plainly: dicts, sorting, no batches."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

from brands.clock import Micros
from brands.ledger.commands import Cap, Shortfall

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
        self.used: Counter[tuple[UUID, str, str]] = Counter()
        """Points and times, by account and the name of a limit."""

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

    def give(
        self,
        id: UUID,
        arrival: UUID,
        account: UUID,
        points: int,
        target: UUID,
        arrive: int,
        caps: Sequence[Cap],
    ) -> Verdict:
        """Points leave for another account; `land` says that they are there."""
        for cap in caps:
            for unit, most, more in (
                ("points", cap.max_points, cap.points),
                ("times", cap.max_count, cap.count),
            ):
                if most is not None and self.used[account_of(cap, unit)] + more > most:
                    return "TransferLimitReached"
        refused = self.spend(id, account, points)
        if refused is None:
            what = self.posted[id]
            what |= {"arrival": arrival, "to": (target, arrive), "caps": caps, "where": "under way"}
            for cap in caps:
                self.used[account_of(cap, "points")] += cap.points
                self.used[account_of(cap, "times")] += cap.count
        return refused

    def land(self, id: UUID, expires: Micros, earned: Micros, *, earliest: bool = False) -> Verdict:
        """Points that have left arrive, with the earliest expiry of those that left if wished."""
        what = self.posted[id]
        if what["where"] != "under way":
            return "TokenSpent"
        what["where"], what["credit"] = "there", what["to"]
        if earliest:
            expires = min(lot["expires"] for lot, _ in what["uses"].values())
        account, arrive = what["credit"]
        self._credit(what["arrival"], account, arrive, expires, earned)
        return None

    def call_off(self, id: UUID) -> Verdict:
        """Points that have left come back, all of them."""
        what = self.posted[id]
        if what["where"] != "under way":
            return "TokenSpent"
        what["where"] = "called off"
        account, points = what["debit"]
        self._give_back(account, points, what["uses"])
        what["done"] = points
        for cap in what["caps"]:
            self.used[account_of(cap, "points")] -= cap.points
            self.used[account_of(cap, "times")] -= cap.count
        return None

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
        if what.get("where", "there") != "there":
            return "NotReversible"
        total = (what["debit"] or what["credit"])[1]
        left = total - what["done"]
        if left == 0:
            return "AlreadyReversed"
        points = left if points is None else points
        if points > left:
            return "ReversalExceedsOriginal"
        if what["credit"]:
            points = self._claw_back(what, what.get("arrival", original), points, policy)
            if points == 0:
                return "InsufficientPoints"
        if what["debit"]:
            self._give_back(what["debit"][0], points, what["uses"])
        for cap in what.get("caps", ()):
            self._make_room(cap, what, points)
        what["done"] += points
        return None

    def _claw_back(self, what: dict[str, Any], origin: UUID, points: int, policy: Shortfall) -> int:
        """Takes what had arrived for so many points; of how many that was possible."""
        account, _ = what["credit"]
        done = self._cost(what, 0)
        back = self._cost(what, points) - done
        own = next((lot for lot in self.lots[account] if lot["origin"] == origin), None)
        taken = self._take(account, back, own)
        if taken is None and policy is Shortfall.UP_TO_BALANCE:
            available = self.spendable(account)
            points = max(k for k in range(points) if self._cost(what, k) - done <= available)
            taken = self._take(account, self._cost(what, points) - done, own)
        elif taken is None and policy is Shortfall.ALLOW_NEGATIVE:
            taken = self._take_at_most(account, back)
            self.debts[account] += back - sum(amount for _, amount in taken)
        if taken is None:
            return 0
        if points:
            self._use(taken)
        return points

    def _make_room(self, cap: Cap, what: dict[str, Any], points: int) -> None:
        """What a part gives back of a limit: points in step, and the count with the last."""
        account, total = what["debit"]
        done, after, whole = what["done"], what["done"] + points, total
        if cap.account != account:
            done, after, whole = self._cost(what, 0), self._cost(what, points), what["credit"][1]
        back = cap.points * after // whole - cap.points * done // whole
        self.used[account_of(cap, "points")] -= back
        if what["done"] + points == total:
            self.used[account_of(cap, "times")] -= cap.count

    @staticmethod
    def _cost(what: dict[str, Any], points: int) -> int:
        """What has arrived that is taken back in all, once so many more points are reversed."""
        _, total = what["debit"] or what["credit"]
        return int(-(-what["credit"][1] * (what["done"] + points) // total))

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


def account_of(cap: Cap, unit: str) -> tuple[UUID, str, str]:
    """Under what the use of a limit is counted."""
    return cap.account, cap.name, unit
