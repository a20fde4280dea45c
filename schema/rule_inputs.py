"""A transfer rule as it is given: by clients, and by files of rules, which have the same fields."""

from datetime import datetime
from decimal import Decimal

import strawberry

from brands.errors import InvalidInput
from brands.money import RATE_DECIMALS, scaled
from brands.moving.rulebook import NewRule
from brands.rules import (
    BlockBonus,
    BlockFee,
    Direction,
    Fee,
    Limit,
    LotExpiry,
    PercentBonus,
    Period,
    Ratio,
    RuleTerms,
)
from schema.enums import described
from schema.limits import LimitDirection, LimitPeriod
from schema.scalars import Points

PERCENT_DECIMALS = 4
"""With these a percentage is a whole number of millionths."""

described(
    LotExpiry,
    "When points that have arrived expire.",
    {
        LotExpiry.FRESH: "By the policy of the brand they arrive at, as if newly earned.",
        LotExpiry.KEEP_EARLIEST: "With the earliest to expire of the points that left.",
    },
)

_CURRENCY = "In units of the settlement currency, at most six decimals."


@strawberry.input(description="A ratio that holds in place of the rates.")
class TransferRatioInput:
    """See `brands.rules.Ratio`."""

    from_: Points = strawberry.field(name="from", description="For so many points that leave ...")
    to: Points = strawberry.field(description="... so many arrive.")


@strawberry.input(description="A bonus for every so many points that leave.")
class BlockBonusInput:
    """See `brands.rules.BlockBonus`."""

    every: Points = strawberry.field(description="For every so many points that leave ...")
    bonus: Points = strawberry.field(description="... so many more arrive.")


@strawberry.input(description="A fee for every so many points that leave, or part of them.")
class BlockFeeInput:
    """See `brands.rules.BlockFee`."""

    every: Points = strawberry.field(description="For every so many points, or part of them ...")
    amount: Decimal = strawberry.field(description=f"... so much. {_CURRENCY}")


@strawberry.input(
    description="What a transfer costs: the sum of the parts in money, at most the cap; and a "
    "share of the points."
)
class TransferFeeInput:
    """See `brands.rules.Fee`."""

    flat: Decimal | None = strawberry.field(description=f"For each transfer. {_CURRENCY}")
    per_point: Decimal | None = strawberry.field(
        description=f"For each point that leaves. {_CURRENCY}"
    )
    per_block: BlockFeeInput | None = strawberry.field(
        description="For every so many points that leave, or part of them."
    )
    cap: Decimal | None = strawberry.field(
        description=f"The most that the parts in money come to; open if left out. {_CURRENCY}"
    )
    points_share: Decimal | None = strawberry.field(
        description='The fraction of the points that leave which does not arrive: "0.1" is a '
        "tenth, rounded up to whole points. At most six decimals."
    )

    def fee(self) -> Fee:
        """The fee in micro-units and millionths. Raises `InvalidInput`."""
        block = self.per_block
        return Fee(
            flat=_amount(self.flat, "fee.flat") or 0,
            per_point=_amount(self.per_point, "fee.perPoint") or 0,
            per_block=(
                BlockFee(
                    block.every,
                    scaled(block.amount, RATE_DECIMALS, path="fee.perBlock.amount"),
                )
                if block
                else None
            ),
            cap=_amount(self.cap, "fee.cap"),
            points_share=_amount(self.points_share, "fee.pointsShare") or 0,
        )


@strawberry.input(
    description="How much may be transferred by a rule in a calendar month or year, out of one "
    "membership or into one: points, transfers, or both."
)
class TransferLimitInput:
    """See `brands.rules.Limit`."""

    period: Period = strawberry.field(graphql_type=LimitPeriod, description="What it counts over.")
    direction: Direction = strawberry.field(
        graphql_type=LimitDirection, description="Which side of a transfer it counts."
    )
    points: Points | None = strawberry.field(description="The most points; open if left out.")
    count: int | None = strawberry.field(description="The most transfers; open if left out.")


@strawberry.input(
    description="A transfer rule to publish. What it leaves out is as without a rule; it takes "
    "nothing over from the rule before it."
)
class TransferRulePublishInput:
    """See `brands.rules.RuleTerms`."""

    from_: str = strawberry.field(name="from", description="The code of the brand points leave.")
    to: str = strawberry.field(
        description="The code of the brand points arrive at; the same brand for its gifts."
    )
    household: bool | None = strawberry.field(
        description="Whether the rule is for transfers within a household only, in place of the "
        "general one. False if left out."
    )
    ratio: TransferRatioInput | None = strawberry.field(
        description="The ratio; by the rates of the brands if left out, one to one within a brand."
    )
    minimum: Points | None = strawberry.field(description="The fewest points that may leave.")
    maximum: Points | None = strawberry.field(
        description="The most points that may leave in one transfer."
    )
    increment: Points | None = strawberry.field(description="Points leave in multiples of so many.")
    block_bonus: BlockBonusInput | None = strawberry.field(
        description="A bonus for every so many points that leave."
    )
    percent_bonus: Decimal | None = strawberry.field(
        description='So many percent of the points more arrive: "25" is a quarter more. At most '
        "four decimals."
    )
    percent_bonus_from: datetime | None = strawberry.field(
        description="When that bonus begins; with the rule if left out."
    )
    percent_bonus_to: datetime | None = strawberry.field(
        description="When it ends; with the rule if left out."
    )
    fee: TransferFeeInput | None = strawberry.field(
        description="What a transfer costs; nothing if left out. None within a household."
    )
    limits: list[TransferLimitInput] | None = strawberry.field(
        description="How much may be transferred in a month or a year: at most one limit for each "
        "period and direction."
    )
    membership_age_days: int | None = strawberry.field(
        description="How many days ago the membership that points leave must have been opened."
    )
    recipient_age_days: int | None = strawberry.field(
        description="The same of the membership that they arrive at."
    )
    arrives_after_seconds: int | None = strawberry.field(
        description="How long the points are on their way. Until they arrive, the transfer can be "
        "cancelled. They arrive at once if left out."
    )
    lot_expiry: LotExpiry | None = strawberry.field(
        description="When the points that have arrived expire. KEEP_EARLIEST within a brand and "
        "FRESH between two, if left out."
    )
    sponsor: str | None = strawberry.field(
        description="The code of the brand that pays for what the rule gives beyond the rates; "
        "the brand that the points leave if left out."
    )
    closed: bool | None = strawberry.field(
        description="Whether there are no transfers at all; such a rule has no other terms. False "
        "if left out."
    )
    allow_cycle: bool | None = strawberry.field(
        description="Whether a cycle of transfers may gain by this rule, at its sponsor's expense, "
        "who must be named. False if left out: a rule by which points could be multiplied is "
        "refused."
    )
    effective_from: datetime | None = strawberry.field(
        description="When the rule takes effect; at once if left out. Not in the past."
    )
    effective_to: datetime | None = strawberry.field(
        description="When it ends, and the rule that it superseded goes on; open if left out."
    )

    def new_rule(self) -> NewRule:
        """The rule as the domain has it. Raises `InvalidInput` for what is no exact amount."""
        limits = self.limits or []
        terms = RuleTerms(
            ratio=Ratio(self.ratio.from_, self.ratio.to) if self.ratio else None,
            minimum=self.minimum,
            maximum=self.maximum,
            increment=self.increment,
            block_bonus=(
                BlockBonus(self.block_bonus.every, self.block_bonus.bonus)
                if self.block_bonus
                else None
            ),
            percent_bonus=self._percent_bonus(),
            fee=self.fee.fee() if self.fee else Fee(),
            limits=tuple(Limit(it.period, it.direction, it.points, it.count) for it in limits),
            membership_age_days=self.membership_age_days or 0,
            recipient_age_days=self.recipient_age_days or 0,
            arrives_after_seconds=self.arrives_after_seconds or 0,
            lot_expiry=self.lot_expiry,
            closed=bool(self.closed),
            allow_cycle=bool(self.allow_cycle),
        )
        return NewRule(
            source=self.from_,
            destination=self.to,
            terms=terms,
            household=bool(self.household),
            sponsor=self.sponsor,
            effective_from=self.effective_from,
            effective_to=self.effective_to,
        )

    def _percent_bonus(self) -> PercentBonus | None:
        if self.percent_bonus is not None:
            millionths = scaled(self.percent_bonus, PERCENT_DECIMALS, path="percentBonus")
            return PercentBonus(millionths, self.percent_bonus_from, self.percent_bonus_to)
        if self.percent_bonus_from is not None or self.percent_bonus_to is not None:
            raise InvalidInput(path="percentBonus", reason="A window has a bonus.")
        return None


def _amount(value: Decimal | None, path: str) -> int | None:
    return None if value is None else scaled(value, RATE_DECIMALS, path=path)
