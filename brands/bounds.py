"""How long and of what form input may be, whoever sends it. Each refusal names the field."""

import re
import unicodedata
from datetime import UTC, date, datetime
from zoneinfo import available_timezones

from brands.errors import InvalidIdempotencyKey, InvalidInput

MAX_NAME = 200
MAX_EXTERNAL_ID = 255
MAX_KEY = 255
MAX_CODE = 16
MAX_LIST = 100
MAX_EMAIL = 254
"""RFC 5321, as its erratum 1690 counts."""

_CODE = re.compile(r"[A-Z][A-Z0-9]{1,15}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
_UNSTORABLE = {"Cc", "Cs"}
"""Control characters, which PostgreSQL refuses in part, and halves of surrogate pairs."""


def is_storable(value: str) -> bool:
    """Whether both databases can hold this text."""
    if value.isprintable():  # nearly all texts are, and that is told fast
        return True
    return not any(unicodedata.category(character) in _UNSTORABLE for character in value)


def text(value: str, path: str, maximum: int) -> str:
    """A text of 1 to `maximum` characters, without the space around it, or `InvalidInput`."""
    if len(value) > maximum:
        raise InvalidInput(path=path, reason=f"At most {maximum} characters.")
    if not is_storable(value):
        raise InvalidInput(path=path, reason="No control characters.")
    stripped = value.strip()
    if not stripped:
        raise InvalidInput(path=path, reason="At least one character.")
    return stripped


def optional_text(value: str | None, path: str, maximum: int) -> str | None:
    """`text`, or nothing."""
    return None if value is None else text(value, path, maximum)


def idempotency_key(value: str) -> str:
    """A key of 1 to 255 characters, as it is; `InvalidIdempotencyKey`, `InvalidInput`."""
    if not 1 <= len(value) <= MAX_KEY:
        raise InvalidIdempotencyKey(path="idempotencyKey", length=len(value))
    if not is_storable(value):
        raise InvalidInput(path="idempotencyKey", reason="No control characters.")
    return value


def code(value: str) -> str:
    """The code of a brand or an agency: a capital letter, then 1 to 15 capitals and digits."""
    if not _CODE.fullmatch(value):
        raise InvalidInput(
            path="code", reason="A code is 2 to 16 capital letters and digits, a letter first."
        )
    return value


def time_zone(value: str) -> str:
    """The name of a time zone that the IANA database has."""
    if value not in available_timezones():
        raise InvalidInput(path="timeZone", reason="No time zone of that name is known.")
    return value


def email(value: str, path: str) -> str:
    """An address that could be one (RFC 5321): something, `@`, and a domain with a dot."""
    address = text(value, path, MAX_EMAIL)
    if not _EMAIL.fullmatch(address):
        raise InvalidInput(path=path, reason="This is not an e-mail address.")
    return address


def birth_date(value: date, path: str) -> date:
    """A day that is not in the future."""
    if value > datetime.now(UTC).date():
        raise InvalidInput(path=path, reason="A birth date is not in the future.")
    return value
