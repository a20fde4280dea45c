"""The laws of an answer: what holds whoever asked for whatever."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from gateway.graphql import masking
from gateway.web.error_page import TOP_LEVEL
from schema.errors import UserErrorCode
from tests.gateway.walk_wire import GRAPHQL, JSON, Got, Sent

SLOW_SECONDS = 5.0

_INSIDES = re.compile(
    r"\bSELECT\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|\bDELETE FROM\b|\bFROM \w+ WHERE\b|\$\d"
    r"|Traceback|File \"|site-packages|\.py\b|(?<![\w:/])/(?:work|home|root|tmp|usr|var|etc)/"
    r"|\b(?:brands|schema|gateway|strawberry|tortoise|asyncpg|aiosqlite|sqlite3?|builtins)\.\w"
    r"|\b[A-Z]\w*(?:Exception|Error)\b|\b(?:NoneType|UUID\(|Decimal\(|datetime\.|coroutine)"
    r"|\bobject at 0x|<class |<function |\b(?:constraint|relation|column|psycopg|syntax error at)\b"
    r"|\bunexpected keyword\b|\bpositional argument|\bcodec can't\b|\bhas no attribute\b"
)
"""What only somebody who sees our insides could say."""

_OURS = re.compile(r"UserError\b")
_USER_CODES = {code.name for code in UserErrorCode}


def broken(sent: Sent, got: Got) -> Iterator[str]:
    """The laws that an answer breaks, in words."""
    if got.status >= 500 or got.status < 200:
        yield f"status {got.status}"
    if got.seconds > SLOW_SECONDS:
        yield f"{got.seconds:.1f} seconds"
    if len(got.headers.get("x-request-id", "")) < 16:
        yield "no request id"
    for answer in answers(got):
        if answer is None:
            yield "not a JSON object"
        else:
            yield from _broken_by(answer, sent, got)


def answers(got: Got) -> Iterator[dict[str, Any] | None]:
    """The answer; those of a stream one by one; None for what is none."""
    texts = [got.body]
    if got.is_stream:
        lines = got.body.splitlines()
        texts = [line[5:] for line in lines if line.startswith(b"data:") and line[5:].strip()]
    for text in texts:
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            found = None
        yield found if isinstance(found, dict) else None


def _broken_by(answer: dict[str, Any], sent: Sent, got: Got) -> Iterator[str]:
    yield from _malformed(answer, got)
    for error in answer.get("errors", ()):
        yield from _broken_error(error)
    for code in _values(answer.get("data"), "code"):
        if _looks_like_code(code) and code not in _USER_CODES:
            yield f"undocumented code {code}"
    for text in said(answer):
        for match in _INSIDES.finditer(text):
            if not _OURS.search(match[0]) and match[0] not in sent.text:
                yield f"insides shown: {match[0]!r} in {text[:300]!r}"


def _malformed(answer: dict[str, Any], got: Got) -> Iterator[str]:
    if not answer.keys() <= {"data", "errors", "extensions"} or not answer.keys() & {
        "data",
        "errors",
    }:
        yield f"keys {sorted(answer)}"
    if answer.get("errors") == []:
        yield "an empty list of errors"
    media_type = got.headers.get("content-type", "").split(";")[0]
    if not got.is_stream and media_type not in (JSON, GRAPHQL):
        yield f"content type {media_type}"
    if got.status != 200 and ("data" in answer or not answer.get("errors")):
        yield f"status {got.status} with data or without errors"


def _broken_error(error: Any) -> Iterator[str]:
    code = error.get("extensions", {}).get("code")
    if not isinstance(error.get("message"), str) or not error["message"]:
        yield f"an error without message: {error}"
    if code not in TOP_LEVEL or code == masking.INTERNAL:
        yield f"top-level code {code}: {error}"
    if not error.keys() <= {"message", "locations", "path", "extensions"}:
        yield f"an error with {sorted(error)}"


def said(answer: dict[str, Any]) -> Iterator[str]:
    """The messages of an answer: of its top-level errors with what they carry, and in its data."""
    for error in answer.get("errors", ()):
        yield error.get("message") or ""
        yield orjson.dumps(error.get("extensions")).decode()
    yield from _values(answer.get("data"), "message")


def _looks_like_code(code: str) -> bool:
    return "_" in code and code.isupper()


def _values(data: Any, name: str) -> Iterator[str]:
    if isinstance(data, list):
        for each in data:
            yield from _values(each, name)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key == name and isinstance(value, str):
                yield value
            else:
                yield from _values(value, name)
