"""Verifying loyalty numbers: whether a number and a name belong together, a hundred at a time."""

from typing import Annotated

import strawberry

from brands.errors import DomainError
from brands.verification import NumberAndName, RowStatus, verify
from schema.context import Info
from schema.enums import described
from schema.errors import UserError, told
from schema.fields import mutation

described(
    RowStatus,
    "What is told of a loyalty number and a name.",
    {
        RowStatus.MATCH: "The number is an open membership's, and the name its member's.",
        RowStatus.REVIEW: "The number is an open membership's, and the name nearly its member's: "
        "let a person look.",
        RowStatus.NO_MATCH: "Anything else. Whether the number is unknown, the name another's or "
        "the membership closed, is not told.",
        RowStatus.MALFORMED: "No number of this brand looks so, or there is no name to compare, or "
        "something is too long. Nothing was looked up.",
        RowStatus.FORMAT_UNKNOWN: "The brand's check digits are made in a way that is not known "
        "here, and nothing matched: the number may be wrong, or mistyped.",
    },
    name="LoyaltyNumberStatus",
)


@strawberry.input(description="A traveller's loyalty number and name.")
class LoyaltyNumberRowInput:
    """See `brands.verification.NumberAndName`."""

    brand: str = strawberry.field(description="The brand's code.")
    number: str = strawberry.field(
        description="The loyalty number, as it is written: spaces, hyphens and small letters that "
        "the brand's own numbers do not have do not matter."
    )
    surname: str = strawberry.field(description="Her family name; it is compared as a whole.")
    given_name: str | None = strawberry.field(
        description="Her given name, its initials or its beginning. Not compared if left out."
    )

    def row(self) -> NumberAndName:
        """As the domain has it."""
        return NumberAndName(self.brand, self.number, self.surname, self.given_name or None)


@strawberry.input(description="Loyalty numbers to be verified.")
class LoyaltyNumbersVerifyInput:
    """See `brands.verification.verify`."""

    rows: list[LoyaltyNumberRowInput] = strawberry.field(description="1 to 100 of them.")


@strawberry.type(description="What is told of one row: its status, and nothing else.")
class LoyaltyNumberResult:
    """Of one row."""

    status: RowStatus = strawberry.field(description="How the number and the name agree.")


@strawberry.type(description="The answer to `loyaltyNumbersVerify`.")
class LoyaltyNumbersVerifyPayload:
    """Either results or errors."""

    results: list[LoyaltyNumberResult] | None = strawberry.field(
        default=None,
        description="A result for each row, in the order of the rows; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class VerificationMutations:
    """Mutations that look numbers up. They move nothing; but what does not match counts."""

    @mutation(
        description="Whether loyalty numbers are those of travellers of these names. For agencies "
        "and the operator, and for a brand of its own numbers. A row that is malformed does not "
        "spoil the others; a brand that there is not does. The same row asked again is answered "
        "again at no price; what does not match, `REVIEW` included, is counted, for each agency "
        "with all its keys and for each number. Where too much did not match, nothing is looked "
        "up for a while, which grows (`LookupsThrottled`)."
    )
    @staticmethod
    async def loyalty_numbers_verify(
        info: Info,
        input: Annotated[
            LoyaltyNumbersVerifyInput, strawberry.argument(description="What to verify.")
        ],
    ) -> LoyaltyNumbersVerifyPayload:
        """A batch."""
        context = info.context
        rows = [each.row() for each in input.rows]
        try:
            found = await verify(context.coalition, context.caller, rows)
        except DomainError as error:
            return LoyaltyNumbersVerifyPayload(errors=told(error))
        return LoyaltyNumbersVerifyPayload(
            results=[LoyaltyNumberResult(status=each) for each in found]
        )
