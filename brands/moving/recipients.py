"""Recipients: another member, named by what a giver knows of her: brand, loyalty number, surname.

The giver learns whether all of it is right, and nothing more. An unknown number, another surname, a
member without a profile and a closed membership are one failure in one form, found by the same
statements and one comparison, so that they cannot be told apart by the time they take either. How
often a giver may be wrong has a bound: see `brands.guarding.suspicion`.
"""

from dataclasses import dataclass, field

from brands.bounds import MAX_NAME, is_storable
from brands.callers import Caller
from brands.coalition import Coalition
from brands.guarding.lookup_marks import Question
from brands.naming.name_matching import NameMatch
from brands.naming.names import same_surname
from brands.naming.numbers import MAX_NUMBER
from brands.parties import Party
from brands.rejections import RecipientNotFound
from brands.suspension import require_active
from brands.verification import may_read_names

_NOBODYS_NAME = "x" * 12
"""Compared where there is no name to compare, so that the work is done all the same."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member at a brand (its code), by her loyalty number there and her surname."""

    brand: str
    number: str
    surname: str = field(repr=False)  # personal data, for no log


async def find_recipient(
    coalition: Coalition, caller: Caller, recipient: Recipient, *, path: str = "recipient"
) -> Party:
    """The open membership so named. Raises `BrandNotFound`, `BrandSuspended` (nobody is looked up
    then), `RecipientNotFound`, `LookupsThrottled`.

    One statement, and another for what was wrong. The number is matched to the letter, the surname
    by `same_surname`.
    """
    brand = coalition.registry.snapshot.brand(recipient.brand, path=f"{path}.brand")
    require_active(brand, f"{path}.brand")
    number = _bounded(recipient.number, MAX_NUMBER)
    question = Question(
        brand.id, (number,), number, _bounded(recipient.surname, MAX_NAME), path=path
    )
    if may_read_names(caller, [brand]):
        (answer,) = await coalition.guard.ask_freely([question], _compared)
    else:
        (answer,) = await coalition.guard.ask(caller, [question], _compared)
    if answer.party is None:
        raise RecipientNotFound(path=path)
    return answer.party


def _compared(surname: str, _: str | None, stored: str | None, __: str | None) -> NameMatch:
    same = same_surname(surname, _NOBODYS_NAME if stored is None else stored)
    return NameMatch.MATCH if same and stored is not None else NameMatch.NO_MATCH


def _bounded(text: str, maximum: int) -> str:
    """A text that could be one that is stored; nothing in place of any other."""
    return text if len(text) <= maximum and is_storable(text) else ""
