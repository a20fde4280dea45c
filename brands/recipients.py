"""Recipients: another member, named by what a giver knows of her: brand, loyalty number, surname.

The giver learns whether all of it is right, and nothing more. An unknown number, another surname, a
member without a profile and a closed membership are one failure in one form, found by one statement
and one comparison, so that they cannot be told apart by the time they take either.
"""

from dataclasses import dataclass, field

from brands.bounds import MAX_NAME, is_storable
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.names import same_surname
from brands.numbers import MAX_NUMBER
from brands.parties import Party
from brands.rejections import RecipientNotFound

_NOBODYS_NAME = "x" * 12
"""Compared where there is no name to compare, so that the work is done all the same."""

_NO_ROW: Row = {"status": "", "family_name": None}

_FIND = (
    "SELECT s.id, s.member_id, s.brand_id, s.status, p.family_name FROM memberships s"
    " LEFT JOIN profiles p ON p.book = s.book AND p.member_id = s.member_id"
    " WHERE s.brand_id = $1 AND s.number = $2"
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member at a brand (its code), by her loyalty number there and her surname."""

    brand: str
    number: str
    surname: str = field(repr=False)  # personal data, for no log


async def find_recipient(
    coalition: Coalition, recipient: Recipient, *, path: str = "recipient"
) -> Party:
    """The open membership so named. Raises `BrandNotFound`, `RecipientNotFound`.

    One statement. The number is matched to the letter, the surname by `same_surname`.
    """
    brand = coalition.registry.snapshot.brand(recipient.brand, path=f"{path}.brand")
    rows = await coalition.database.fetch(_FIND, brand.id, _bounded(recipient.number, MAX_NUMBER))
    row = rows[0] if rows else _NO_ROW
    stored = row["family_name"]
    same = same_surname(
        _bounded(recipient.surname, MAX_NAME), _NOBODYS_NAME if stored is None else stored
    )
    if not (same and stored is not None and row["status"] == "ACTIVE"):
        raise RecipientNotFound(path=path)
    return Party(as_uuid(row["id"]), as_uuid(row["member_id"]), as_uuid(row["brand_id"]))


def _bounded(text: str, maximum: int) -> str:
    """A text that could be one that is stored; nothing in place of any other."""
    return text if len(text) <= maximum and is_storable(text) else ""
