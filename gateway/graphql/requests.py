"""From bytes to a GraphQL request, by the rules of GraphQL over HTTP.

https://graphql.github.io/graphql-over-http/draft/
"""

import asyncio
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope

from gateway.graphql import masking

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
_OFFERS = {
    GRAPHQL: GRAPHQL,
    JSON: JSON,
    "application/*": JSON,
    "*/*": JSON,
    EVENT_STREAM: EVENT_STREAM,
}
_MAX_FIELDS = 16
UNAUTHORIZED = 401
_CHALLENGE = {"www-authenticate": 'Bearer realm="coalition"'}
_HASH = re.compile(r"[0-9a-f]{64}")

BODY_SECONDS = 10.0
"""How long a client may take to send a body."""


class Refused(Exception):
    """The request cannot be served. `headers` go with the answer."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = masking.BAD_REQUEST,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = masking.failure(message, code)
        self.headers = headers or {}


def unauthenticated() -> Refused:
    """The one answer to every credential that is missing or no good."""
    return Refused(
        UNAUTHORIZED,
        "A valid credential is required: Authorization: Bearer …",
        masking.UNAUTHENTICATED,
        _CHALLENGE,
    )


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What is to be executed: a document, or a stored one by its id or its hash."""

    query: str | None
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    document_id: str | None = None
    sha256: str | None = None
    """The hash of a stored document, or of the one given."""


def media_type(accept: str | None) -> str:
    """The media type to answer in. `Refused` with 406 when none of ours would do.

    Who does not say what it understands is an old client: it gets plain JSON.
    """
    if accept is None or accept in ("*/*", JSON):
        return JSON
    best, best_quality = None, 0.0
    for offer in accept.split(","):
        name, *parameters = (part.strip().lower() for part in offer.split(";"))
        ours = _OFFERS.get(name)
        quality = _quality(parameters)
        if ours and quality > best_quality and _is_utf8(parameters):
            best, best_quality = ours, quality
    if best is None:
        raise Refused(406, f"The answer is {GRAPHQL}, {JSON} or {EVENT_STREAM}.")
    return best


def accepts_events(accept: str | None) -> bool:
    """Whether a client that would rather have something else understands an event stream too."""
    return EVENT_STREAM in (accept or "").lower()


async def read_post(headers: dict[bytes, bytes], receive: Receive, limit: int) -> GraphQLRequest:
    """The request of a POST body. Raises `Refused`: 400, 413, 415."""
    content_type, *parameters = (
        part.strip().lower()
        for part in headers.get(b"content-type", b"").decode("latin-1").split(";")
    )
    if content_type != JSON or not _is_utf8(parameters):
        raise Refused(415, f"The content type of a request is {JSON}, in UTF-8.")
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise Refused(415, "A request is sent without content encoding.")
    body = await _body(headers, receive, limit)
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"The body cannot be read as JSON in UTF-8: {_why(error)}.") from None
    if isinstance(found, list):
        raise Refused(400, "Batches are not accepted.")
    if not isinstance(found, dict):
        raise Refused(400, "The body is a JSON object.")
    return request_of(found)


def read_get(scope: Scope) -> GraphQLRequest:
    """The request of a query string. Raises `Refused` with 400."""
    try:
        pairs = parse_qsl(
            scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise Refused(400, "The query string is not valid.") from None
    found: dict[str, Any] = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(400, "A parameter of the query string is there more than once.")
    for name in ("variables", "extensions"):
        if found.get(name):
            try:
                found[name] = orjson.loads(found[name])
            except orjson.JSONDecodeError as error:
                raise Refused(400, f"`{name}` cannot be read as JSON: {_why(error)}.") from None
        else:
            found.pop(name, None)
    if found.get("operationName") == "":
        del found["operationName"]
    return request_of(found)


def _why(error: orjson.JSONDecodeError) -> str:
    return f"{error.msg}, at character {error.pos}"


def request_of(found: dict[str, Any]) -> GraphQLRequest:
    """The request that a JSON object is. Raises `Refused` with 400."""
    query, name = found.get("query"), found.get("operationName")
    variables, extensions = found.get("variables"), found.get("extensions")
    stored = found.get("documentId")
    if name is not None and not isinstance(name, str):
        raise Refused(400, "`operationName` is a string.")
    if variables is not None and not isinstance(variables, dict):
        raise Refused(400, "`variables` is a JSON object.")
    if extensions is not None and not isinstance(extensions, dict):
        raise Refused(400, "`extensions` is a JSON object.")
    hashed = _persisted(extensions) if extensions else None
    if stored is not None and (not isinstance(stored, str) or query is not None or hashed):
        raise Refused(400, "`documentId` is a string, and stands in the place of `query`.")
    is_named = stored is not None or (hashed is not None and query is None)
    if not is_named and (not isinstance(query, str) or not query):
        raise Refused(400, "`query` is a string, and required unless a stored one is named.")
    if query is not None and hashed is not None and hashed != sha256_of(query):
        raise Refused(400, "`sha256Hash` is not the hash of `query`.")
    return GraphQLRequest(query, name, variables or {}, stored, hashed)


def _persisted(extensions: dict[str, Any]) -> str | None:
    """The hash that a client sends in the place of a document, as Apollo's clients do."""
    given = extensions.get("persistedQuery")
    if given is None:
        return None
    hashed = given.get("sha256Hash") if isinstance(given, dict) else None
    if not isinstance(hashed, str) or _HASH.fullmatch(hashed) is None:
        raise Refused(400, "`persistedQuery` has a `sha256Hash`, in lower-case hexadecimals.")
    return hashed


def sha256_of(text: str) -> str:
    """The hash of a document, as ids and clients have it."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


async def _body(headers: dict[bytes, bytes], receive: Receive, limit: int) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _received(headers, receive, limit)
    except TimeoutError:
        message, closing = "The body did not come in time.", {"connection": "close"}
        raise Refused(408, message, masking.TIMEOUT, closing) from None


async def _received(headers: dict[bytes, bytes], receive: Receive, limit: int) -> bytes:
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        raise _too_long(limit)
    message = await receive()
    chunks, size = [message.get("body", b"")], len(message.get("body", b""))
    while message.get("more_body") and size <= limit:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    if message["type"] == "http.disconnect":
        raise Refused(400, "The body ended early.")
    if size > limit:
        raise _too_long(limit)
    return b"".join(chunks)


def _too_long(limit: int) -> Refused:
    return Refused(413, f"A request has at most {limit} bytes.", headers={"connection": "close"})


def _is_utf8(parameters: list[str]) -> bool:
    return all(
        parameter.removeprefix("charset=").strip('"') in ("utf-8", "utf8")
        for parameter in parameters
        if parameter.startswith("charset=")
    )


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
