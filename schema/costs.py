"""What fields cost, in one place: weights, and how long lists are taken to be.

Declared on the fields as `@cost` and `@listSize` have it, so that routers and tools can reckon as
we do: https://ibm.github.io/graphql-specs/cost-spec.html, in the words of Federation 2.9. What is
in no table here has a default: nothing is free because somebody forgot it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from strawberry import UNSET
from strawberry.federation.schema_directives import Cost, ListSize
from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryContainer, StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion

LEAF = 0
OBJECT = 1
"""What a field of an object costs, and each item of a list of them."""

MUTATION = 10
SUBSCRIPTION = 10
ROW = 1
"""What each item of a list in an input costs."""

ITEMS = 10
"""How long a list is taken to be of which nothing is known."""

WEIGHTS = {
    "Member.totalValue": 5,
    "Member.transactions": 5,
    "Membership.balanceAt": 5,
    "Membership.transactions": 5,
    "Membership.transferAllowance": 2,
    "MissingCreditClaim.duplicates": 5,
    "MissingCreditClaim.segment": 5,
    "Query.agencyReport": 50,
    "Query.exchangeRate": 2,
    "Query.transferPreview": 10,
}
"""Fields that take more than an object does: sums over histories, and what asks the rules."""

ROWS = {
    "MemberEnrollInput.brands": 5,
    "MemberEnrollInput.memberships": 5,
    "LoyaltyNumbersVerifyInput.rows": 2,
}
"""Lists in inputs of which each item takes more than to be read."""

LISTS = {
    "LedgerTransaction.entries": 4,
    "LedgerTransaction.reversedBy": 1,
    "Household.members": 8,
    "MissingCreditClaim.duplicates": 1,
    "MissingCreditClaim.evidence": 2,
    "Member.householdInvitations": 2,
    "Transfer.transactions": 2,
    "TransferRule.limits": 4,
}
"""How long lists are that are not asked for by the page, as a rule."""

REPRESENTED = "Query._entities"
"""As long as the list of its representations: `@listSize` has no words for that."""

ERRORS = "UserError"
"""Of these a payload has one, if any."""

SLICING: tuple[str, ...] = ("first", "last")
"""The arguments that say how long a page is."""

_NAMES = NameConverter()


def declare(roots: Iterable[type]) -> None:
    """Declares the costs of all that can be reached from the types given. Once, before a schema is
    made of them."""
    seen: set[int] = set()
    waiting: list[Any] = list(roots)
    while waiting:
        definition = getattr(waiting.pop(), "__strawberry_definition__", None)
        if not isinstance(definition, StrawberryObjectDefinition) or id(definition) in seen:
            continue
        seen.add(id(definition))
        if _is_page_part(definition):
            definition.directives = [*(definition.directives or ()), Cost(weight=0)]
        for field in definition.fields:
            if not any(isinstance(each, Cost | ListSize) for each in field.directives):
                field.directives = [*field.directives, *_directives(definition, field)]
            waiting.extend(_types(field.type))
            for argument in field.arguments:
                waiting.extend(_types(argument.type))
        waiting.extend(each.origin for each in definition.interfaces)


def _directives(parent: StrawberryObjectDefinition, field: StrawberryField) -> Iterator[object]:
    name = f"{_NAMES.from_object(parent)}.{_NAMES.from_field(field)}"
    if parent.is_input:
        if name in ROWS:
            yield Cost(weight=ROWS[name])
        return
    weight = WEIGHTS.get(name) or _OPERATIONS.get(parent.name)
    if weight is not None:
        yield Cost(weight=weight)
    kinds = list(_types(field.type))
    if not kinds or name == REPRESENTED:
        return
    asked = [argument.python_name for argument in field.arguments]
    slicing = [each for each in SLICING if each in asked]
    if slicing:
        yield ListSize(
            assumed_size=UNSET,
            slicing_arguments=slicing,
            sized_fields=["edges"],
            require_one_slicing_argument=True,
        )
    elif _is_list(field.type) and not _is_sized(parent, field):
        yield ListSize(
            assumed_size=_items(name, kinds),
            slicing_arguments=UNSET,
            sized_fields=UNSET,
            require_one_slicing_argument=UNSET,
        )


_OPERATIONS = {"Mutation": MUTATION, "Subscription": SUBSCRIPTION}


def _items(name: str, kinds: list[type]) -> int:
    if any(kind.__name__ == ERRORS for kind in kinds):
        return 1
    return LISTS.get(name, ITEMS)


def _is_page_part(definition: StrawberryObjectDefinition) -> bool:
    """Whether it is only how a page is put: an edge, or what is said of the page."""
    name = _NAMES.from_object(definition)
    return name == "PageInfo" or name.endswith("Edge")


def _is_sized(parent: StrawberryObjectDefinition, field: StrawberryField) -> bool:
    """Whether the field of the page itself says how long the list is."""
    return parent.name.endswith("Connection") and field.python_name == "edges"


def _is_list(of: Any) -> bool:
    while isinstance(of, StrawberryContainer):
        if type(of).__name__ == "StrawberryList":
            return True
        of = of.of_type
    return False


def _types(of: Any) -> Iterator[type]:
    """The composite types that a type names."""
    while isinstance(of, StrawberryContainer):
        of = of.of_type
    if isinstance(of, LazyType):
        yield from _types(of.resolve_type())
    elif isinstance(of, StrawberryUnion):
        for each in of.types:
            yield from _types(each)
    elif hasattr(of, "__strawberry_definition__"):
        yield of
