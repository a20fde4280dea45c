"""Transfer rules: those in force, those that were and will be, and publishing one."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.errors import BrandNotFound, DomainError
from brands.money import decimal_of
from brands.moving.rulebook import publish_rule
from brands.registry import Brand
from brands.rules import Direction, LotExpiry, Pair, Period, TransferRule
from schema.connections import (
    After,
    Before,
    Connection,
    First,
    Last,
    PageInfo,
    slice_of,
    window,
)
from schema.context import Info
from schema.errors import UserError, told
from schema.fields import derived, mutation, resolved
from schema.nodes import Node, Tag, global_id
from schema.rule_inputs import TransferRulePublishInput
from schema.scalars import Points

if TYPE_CHECKING:
    from schema.brands import BrandType

_BRAND = Annotated["BrandType", strawberry.lazy("schema.brands")]
_CURRENCY = "In units of the settlement currency."

From = Annotated[
    str, strawberry.argument(name="from", description="The code of the brand points leave.")
]
To = Annotated[str, strawberry.argument(description="The code of the brand points arrive at.")]
Household = Annotated[
    bool,
    strawberry.argument(description="Whether it is the rule for transfers within a household."),
]


@strawberry.type(description="A ratio that holds in place of the rates.")
class TransferRatio:
    """Resolved on `brands.rules.Ratio`."""

    from_: Points = derived(
        lambda ratio: ratio.from_points,
        name="from",
        description="For so many points that leave ...",
    )
    to: Points = derived(lambda ratio: ratio.to_points, description="... so many arrive.")


@strawberry.type(name="BlockBonus", description="A bonus for every so many points that leave.")
class BlockBonusType:
    """Resolved on `brands.rules.BlockBonus`."""

    every: Points = strawberry.field(description="For every so many points that leave ...")
    bonus: Points = strawberry.field(description="... so many more arrive.")


@strawberry.type(
    name="BlockFee", description="A fee for every so many points that leave, or part of them."
)
class BlockFeeType:
    """Resolved on `brands.rules.BlockFee`."""

    every: Points = strawberry.field(description="For every so many points, or part of them ...")
    amount: Decimal = derived(
        lambda block: decimal_of(block.amount), description=f"... so much. {_CURRENCY}"
    )


@strawberry.type(
    description="What a transfer costs: the sum of the parts in money, at most the cap; and a "
    "share of the points."
)
class TransferFee:
    """Resolved on `brands.rules.Fee`."""

    flat: Decimal = derived(
        lambda fee: decimal_of(fee.flat), description=f"For each transfer. {_CURRENCY}"
    )
    per_point: Decimal = derived(
        lambda fee: decimal_of(fee.per_point),
        description=f"For each point that leaves. {_CURRENCY}",
    )
    per_block: BlockFeeType | None = strawberry.field(
        description="For every so many points that leave, or part of them."
    )
    cap: Decimal | None = derived(
        lambda fee: None if fee.cap is None else decimal_of(fee.cap),
        description=f"The most that the parts in money come to; null if that is open. {_CURRENCY}",
    )
    points_share: Decimal = derived(
        lambda fee: decimal_of(fee.points_share),
        description="The fraction of the points that leave which does not arrive, rounded up to "
        "whole points.",
    )


@strawberry.type(
    description="How much may be transferred by a rule in a calendar month or year, out of one "
    "membership or into one: points, transfers, or both."
)
class TransferLimit:
    """Resolved on `brands.rules.Limit`."""

    period: Period = strawberry.field(description="What it counts over.")
    direction: Direction = strawberry.field(description="Which side of a transfer it counts.")
    points: Points | None = strawberry.field(description="The most points; null if that is open.")
    count: int | None = strawberry.field(description="The most transfers; null if that is open.")


def _window(rule: TransferRule, end: str) -> datetime | None:
    bonus = rule.terms.percent_bonus
    return None if bonus is None else getattr(bonus, end)


@strawberry.type(
    name="TransferRule",
    description="What holds for points that move from one brand to another, or between members of "
    "one brand. A rule is never changed, only superseded by one that begins later; where that one "
    "ends, the earlier one goes on.",
)
class TransferRuleType(Node):
    """Resolved on `brands.rules.TransferRule`."""

    id: strawberry.ID = derived(
        lambda rule: global_id(Tag.RULE, rule.id), description="The rule's global id."
    )
    household: bool = derived(
        lambda rule: rule.pair.household,
        description="Whether it is for transfers within a household only, in place of the general "
        "rule.",
    )
    ratio: TransferRatio | None = derived(
        lambda rule: rule.terms.ratio,
        description="The ratio; null if it follows from the rates of the brands, or is one to one "
        "within a brand.",
    )
    minimum: Points | None = derived(
        lambda rule: rule.terms.minimum, description="The fewest points that may leave."
    )
    maximum: Points | None = derived(
        lambda rule: rule.terms.maximum, description="The most points that may leave at once."
    )
    increment: Points | None = derived(
        lambda rule: rule.terms.increment, description="Points leave in multiples of so many."
    )
    block_bonus: BlockBonusType | None = derived(
        lambda rule: rule.terms.block_bonus,
        description="A bonus for every so many points that leave.",
    )
    percent_bonus: Decimal | None = derived(
        lambda rule: (
            rule.terms.percent_bonus and decimal_of(rule.terms.percent_bonus.millionths * 100)
        ),
        description="So many percent of the points more arrive.",
    )
    percent_bonus_from: datetime | None = derived(
        lambda rule: _window(rule, "begins"),
        description="When that bonus begins; null if with the rule.",
    )
    percent_bonus_to: datetime | None = derived(
        lambda rule: _window(rule, "ends"), description="When it ends; null if with the rule."
    )
    fee: TransferFee = derived(lambda rule: rule.terms.fee, description="What a transfer costs.")
    limits: list[TransferLimit] = derived(
        lambda rule: rule.terms.limits,
        description="How much may be transferred in a month or a year.",
    )
    membership_age_days: int = derived(
        lambda rule: rule.terms.membership_age_days,
        description="How many days ago the membership that points leave must have been opened.",
    )
    recipient_age_days: int = derived(
        lambda rule: rule.terms.recipient_age_days,
        description="The same of the membership that they arrive at.",
    )
    arrives_after_seconds: int = derived(
        lambda rule: rule.terms.arrives_after_seconds,
        description="How long the points are on their way. Until they arrive, the transfer can be "
        "cancelled.",
    )
    lot_expiry: LotExpiry | None = derived(
        lambda rule: rule.terms.lot_expiry,
        description="When the points that have arrived expire; null is KEEP_EARLIEST within a "
        "brand, and FRESH between two.",
    )
    closed: bool = derived(
        lambda rule: rule.terms.closed, description="Whether there are no transfers at all."
    )
    allow_cycle: bool = derived(
        lambda rule: rule.terms.allow_cycle,
        description="Whether a cycle of transfers may gain by this rule, at its sponsor's expense.",
    )
    effective_from: datetime = strawberry.field(description="When it takes effect.")
    effective_to: datetime | None = strawberry.field(
        description="When it ends by itself; null if it holds until a later rule begins."
    )
    published_at: datetime = strawberry.field(description="When it was published.")

    @resolved(graphql_type=_BRAND, name="from", description="The brand that points leave.")
    @staticmethod
    def from_(root: TransferRule, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.pair.source_brand)

    @resolved(graphql_type=_BRAND, description="The brand that points arrive at.")
    @staticmethod
    def to(root: TransferRule, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.pair.destination_brand)

    @resolved(
        graphql_type=_BRAND,
        description="The brand that pays for what the rule gives beyond the rates: the one that "
        "points leave, unless another was named.",
    )
    @staticmethod
    def sponsor(root: TransferRule, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.terms.sponsor or root.pair.source_brand)

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether an object is a rule."""
        return isinstance(value, TransferRule)


@strawberry.type(name="TransferRuleEdge", description="A transfer rule in a list.")
class TransferRuleEdge:
    """Resolved on `schema.connections.Edge`."""

    node: TransferRuleType = strawberry.field(description="The rule.")
    cursor: str = strawberry.field(description="Where it stands in the list.")


@strawberry.type(
    name="TransferRuleConnection", description="Transfer rules, the last to take effect first."
)
class TransferRuleConnection:
    """Resolved on `schema.connections.Connection`."""

    edges: list[TransferRuleEdge] = strawberry.field(description="The rules of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page begins and ends.")


@strawberry.type(description="The answer to `transferRulePublish`.")
class TransferRulePublishPayload:
    """Either a rule or errors."""

    rule: TransferRule | None = strawberry.field(
        default=None,
        graphql_type=TransferRuleType | None,
        description="The rule; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


def _pair(info: Info, source: str, destination: str, household: bool) -> Pair:
    brand = info.context.coalition.registry.snapshot.brand
    return Pair(brand(source).id, brand(destination).id, household)


@strawberry.type
class RuleQueries:
    """Queries about transfer rules. What they tell is public to every caller."""

    @resolved(
        graphql_type=TransferRuleType | None,
        description="The transfer rule in force between two brands, or for gifts within one. Null "
        "if there is none: the rates of the brands hold then, and one to one within a brand.",
    )
    @staticmethod
    def transfer_rule(
        info: Info,
        from_: From,
        to: To,
        household: Household = False,
        at: Annotated[
            datetime | None,
            strawberry.argument(description="The rule in force at this instant; now if omitted."),
        ] = strawberry.UNSET,
    ) -> TransferRule | None:
        """From the registry's snapshot."""
        snapshot = info.context.coalition.registry.snapshot
        try:
            return snapshot.rule(_pair(info, from_, to, household), at or None)
        except BrandNotFound:
            return None

    @resolved(
        graphql_type=TransferRuleConnection,
        description="Every transfer rule published between two brands, past, present and future, "
        "the last to take effect first. None if there is no such brand.",
    )
    @staticmethod
    def transfer_rules(
        info: Info,
        from_: From,
        to: To,
        household: Household = False,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> Connection[TransferRule]:
        """From the registry's snapshot."""
        wanted = window(first, after, last, before)
        try:
            pair = _pair(info, from_, to, household)
        except BrandNotFound:
            return slice_of((), _key, wanted)
        known = info.context.coalition.registry.snapshot.rules(pair)
        return slice_of(known[::-1], _key, wanted)


def _key(rule: TransferRule) -> str:
    return rule.id.hex


@strawberry.type
class RuleMutations:
    """Mutations of transfer rules."""

    @mutation(
        description="Lays down what holds for points that move from one brand to another from a "
        "moment on, or for gifts within a brand. For the operator, and for the brand that the "
        "points leave, at its own expense. What is in force already is not published again. A rule "
        "by which some cycle of transfers could multiply points is refused."
    )
    @staticmethod
    async def transfer_rule_publish(
        info: Info,
        input: Annotated[
            TransferRulePublishInput, strawberry.argument(description="What to publish.")
        ],
    ) -> TransferRulePublishPayload:
        """One rule."""
        context = info.context
        try:
            rule = await publish_rule(context.coalition, context.caller, input.new_rule())
        except DomainError as error:
            return TransferRulePublishPayload(errors=told(error))
        return TransferRulePublishPayload(rule=rule)
