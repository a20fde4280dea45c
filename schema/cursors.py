"""Cursors of subscriptions, as clients get them: sealed.

A cursor counts what was posted in a book, for all its members and brands: how much business there
is, which is nobody's to know. So it is enciphered, always alike, with a key of the deployment's;
and only what was sealed with that key is a cursor.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import shake_256
from struct import Struct

from brands.following.watches import Cursor

_PLACE = Struct(">HQ")
_TAG_BYTES = 12


class Cursors:
    """Writes cursors and reads them, with keys that are made of one secret."""

    def __init__(self, secret: bytes) -> None:
        self._tag_key = hmac.digest(secret, b"tags of cursors", "sha256")
        self._pad_key = hmac.digest(secret, b"pads of cursors", "sha256")

    def write(self, cursor: Cursor) -> str:
        """A cursor for a client: letters, digits, `-` and `_`."""
        plain = b"".join(_PLACE.pack(*place) for place in cursor.positions)
        tag = self._tag(plain)
        sealed = urlsafe_b64encode(tag + self._padded(tag, plain))
        return sealed.decode("ascii").rstrip("=")

    def read(self, text: str) -> Cursor | None:
        """The cursor that a client has sent; None if it was never given out."""
        try:
            sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            return None
        tag, padded = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
        plain = self._padded(tag, padded)
        if len(plain) % _PLACE.size or not hmac.compare_digest(self._tag(plain), tag):
            return None
        cursor = Cursor(tuple(_PLACE.iter_unpack(plain)))
        return cursor if self.write(cursor) == text else None

    def _tag(self, plain: bytes) -> bytes:
        return hmac.digest(self._tag_key, plain, "sha256")[:_TAG_BYTES]

    def _padded(self, tag: bytes, text: bytes) -> bytes:
        # The tag is made of all of the text, so that two texts never have one pad in common.
        pad = shake_256(self._pad_key + tag).digest(len(text))
        return bytes(one ^ other for one, other in zip(text, pad, strict=True))
