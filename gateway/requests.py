"""From bytes to a GraphQL request, by the rules of GraphQL over HTTP.

https://graphql.github.io/graphql-over-http/draft/
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope

from gateway import masking

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
_MAX_FIELDS = 16


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


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What is to be executed."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


def media_type(accept: str | None) -> str:
    """The media type to answer in. `Refused` with 406 when none of ours would do.

    Who does not say what it understands is an old client: it gets plain JSON.
    """
    if accept is None or accept in ("*/*", JSON):
        return JSON
    best, best_quality = None, 0.0
    for offer in accept.split(","):
        name, *parameters = (part.strip().lower() for part in offer.split(";"))
        ours = {GRAPHQL: GRAPHQL, JSON: JSON, "*/*": JSON, "application/*": JSON}.get(name)
        quality = _quality(parameters)
        if ours and quality > best_quality and _is_utf8(parameters):
            best, best_quality = ours, quality
    if best is None:
        raise Refused(406, f"The answer is {GRAPHQL} or {JSON}.")
    return best


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
    except orjson.JSONDecodeError:
        raise Refused(400, "The body is not valid JSON in UTF-8.") from None
    if isinstance(found, list):
        raise Refused(400, "Batches are not accepted.")
    if not isinstance(found, dict):
        raise Refused(400, "The body is a JSON object.")
    return _request(found)


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
    for name in ("variables", "extensions"):
        if found.get(name):
            try:
                found[name] = orjson.loads(found[name])
            except orjson.JSONDecodeError:
                raise Refused(400, f"`{name}` is not valid JSON.") from None
        else:
            found.pop(name, None)
    if found.get("operationName") == "":
        del found["operationName"]
    return _request(found)


def _request(found: dict[str, Any]) -> GraphQLRequest:
    query, name = found.get("query"), found.get("operationName")
    variables, extensions = found.get("variables"), found.get("extensions")
    if not isinstance(query, str) or not query:
        raise Refused(400, "`query` is a string, and required.")
    if name is not None and not isinstance(name, str):
        raise Refused(400, "`operationName` is a string.")
    if variables is not None and not isinstance(variables, dict):
        raise Refused(400, "`variables` is a JSON object.")
    if extensions is not None and not isinstance(extensions, dict):
        raise Refused(400, "`extensions` is a JSON object.")
    return GraphQLRequest(query, name, variables or {})


async def _body(headers: dict[bytes, bytes], receive: Receive, limit: int) -> bytes:
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limit:
        raise _too_long(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_long(limit)
    if message["type"] == "http.disconnect":
        raise Refused(400, "The body ended early.")
    if len(body) > limit:
        raise _too_long(limit)
    return body


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
