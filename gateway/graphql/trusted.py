"""Trusted documents: operations stored at start, which clients name instead of sending them.

They come from a manifest in either of the usual forms: Apollo's persisted query manifest, and the
plain object of ids and documents that relay-compiler writes. Clients add nothing to them.

https://www.apollographql.com/docs/graphos/platform/security/persisted-queries
https://relay.dev/docs/guides/persisted-queries/
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from gateway.graphql import masking
from gateway.graphql.documents import Document, Documents
from gateway.graphql.requests import GraphQLRequest, sha256_of
from gateway.settings import BadSetting, Settings

HASHED = "sha256:"
_VARIABLE = "COALITION_DOCUMENTS"
_APOLLO = "apollo-persisted-query-manifest"


class NotTrusted(Exception):
    """What is asked for is not stored, or nothing else is run: `error` says which."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.error = masking.failure(message, code)


class Trusted:
    """The stored documents of one schema, understood once and for all."""

    def __init__(self, settings: Settings, documents: Documents) -> None:
        """Reads the manifest. Raises `BadSetting` if it makes no sense."""
        self._only = settings.trusted_only
        self._documents = documents
        self._by_id: dict[str, Document] = {}
        self._by_hash: dict[str, Document] = {}
        if settings.documents is not None:
            for id, text in read_manifest(Path(settings.documents)):
                self._store(id, text)
        elif self._only:
            raise BadSetting(f"COALITION_TRUSTED_ONLY needs {_VARIABLE}: nothing would be run.")

    def unread(self, request: GraphQLRequest) -> str | None:
        """The text that would have to be read to find a document, unless it is remembered."""
        text = request.query
        return None if text is None or self._only or self._documents.knows(text) else text

    def find(self, request: GraphQLRequest) -> Document:
        """The document that a request names or brings. Raises `NotTrusted`."""
        if request.document_id is not None:
            return self._named(request.document_id)
        if request.query is None:
            assert request.sha256 is not None
            return self._hashed(request.sha256)
        if not self._only:
            return self._documents.read(request.query)
        found = self._by_hash.get(sha256_of(request.query))
        if found is None:
            message = "Only stored operations are run here."
            raise NotTrusted(message, masking.DOCUMENT_NOT_TRUSTED)
        return found

    def _named(self, id: str) -> Document:
        found = self._by_id.get(id)
        if found is None and id.startswith(HASHED):
            found = self._by_hash.get(id.removeprefix(HASHED))
        if found is None:
            message = "There is no stored operation with this `documentId`."
            raise NotTrusted(message, masking.DOCUMENT_NOT_FOUND)
        return found

    def _hashed(self, sha256: str) -> Document:
        found = self._by_hash.get(sha256)
        if found is None:
            raise NotTrusted("PersistedQueryNotFound", masking.PERSISTED_QUERY_NOT_FOUND)
        return found

    def _store(self, id: str, text: str) -> None:
        if id in self._by_id:
            raise BadSetting(f"{_VARIABLE}: the id {id!r} is there twice.")
        sha256 = sha256_of(text)
        document = self._by_hash.get(sha256) or self._documents.understand(text)
        if document.errors:
            raise BadSetting(f"{_VARIABLE}: {id!r} cannot be run: {document.errors[0].message}")
        self._by_id[id] = self._by_hash[sha256] = document


def read_manifest(path: Path) -> Iterator[tuple[str, str]]:
    """The ids and documents of a manifest. Raises `BadSetting`."""
    try:
        found = orjson.loads(path.read_bytes())
    except OSError as error:
        raise BadSetting(f"{_VARIABLE}: cannot read {path}: {error.strerror}.") from None
    except orjson.JSONDecodeError as error:
        raise BadSetting(f"{_VARIABLE}: {path} is not JSON: {error}.") from None
    match found:
        case {"format": str(format)} if format != _APOLLO:
            raise BadSetting(f"{_VARIABLE}: a manifest of the format {format!r} is not known.")
        case {"format": _, "version": 1, "operations": list(operations)}:
            yield from map(_operation, operations)
        case {"format": _}:
            raise BadSetting(f"{_VARIABLE}: a manifest of this form has version 1 and operations.")
        case dict():
            for id, text in found.items():
                yield _operation({"id": id, "body": text})
        case _:
            raise BadSetting(f"{_VARIABLE}: a manifest is a JSON object.")


def _operation(given: Any) -> tuple[str, str]:
    match given:
        case {"id": str(id), "body": str(body)} if id and body:
            return id, body
    raise BadSetting(f"{_VARIABLE}: every operation has an id and a document, both texts.")
