"""What clients are told of top-level errors: a stable code, and nothing of our insides.

Whatever is not known to be the client's doing is masked: the client gets a request id, and the log
has the same id with the places where it went wrong.
"""

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

from brands.database import OUT_OF_REACH
from brands.errors import DomainError, LedgerUnavailable, NotPermitted
from gateway.logs import logger, traces

UNAUTHENTICATED = "UNAUTHENTICATED"
FORBIDDEN = "FORBIDDEN"
BAD_REQUEST = "BAD_REQUEST"
BAD_USER_INPUT = "BAD_USER_INPUT"
PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
TOO_COMPLEX = "DOCUMENT_TOO_COMPLEX"
THROTTLED = "THROTTLED"
COST_LIMIT_EXCEEDED = "COST_LIMIT_EXCEEDED"
TIMEOUT = "TIMEOUT"
DOCUMENT_NOT_FOUND = "DOCUMENT_NOT_FOUND"
DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
UNAVAILABLE = "SERVICE_UNAVAILABLE"
INTERNAL = "INTERNAL_SERVER_ERROR"

_OUR_FAULT = (INTERNAL, TIMEOUT, UNAVAILABLE)
_LONGEST = 500
"""Characters of a message: some repeat what was sent."""

_OUT_OF_REACH = "The database cannot be reached at the moment. Send the same again."
_MASK = "Something went wrong on our side. Please report the request id."


def failure(message: str, code: str, **extensions: Any) -> dict[str, Any]:
    """An error that concerns the request as a whole."""
    if len(message) > _LONGEST:
        message = message[: _LONGEST - 1] + "…"
    return {"message": message, "extensions": {"code": code, **extensions}}


def is_our_fault(code: str) -> bool:
    """Whether the same request may well be spared this when it is sent again."""
    return code in _OUR_FAULT


def masked(error: BaseException, request_id: str, path: list[str | int] | None) -> dict[str, Any]:
    """An unexpected error: logged, and told without saying what it was, but for whether the
    database is away."""
    logger().error("unexpected", request_id=request_id, path=path, error=traces(error))
    if isinstance(error, OUT_OF_REACH):
        return failure(_OUT_OF_REACH, UNAVAILABLE, requestId=request_id)
    return failure(_MASK, INTERNAL, requestId=request_id)


def should_mask_error(error: GraphQLError) -> bool:
    """Whether nothing is known of an error that would make it fit to be told."""
    return code_of(error) is None


def code_of(error: GraphQLError) -> str | None:
    """The stable code of an error that may be told."""
    match error.original_error:
        case LedgerUnavailable():
            return UNAVAILABLE
        case NotPermitted():
            return FORBIDDEN
        case DomainError():
            return BAD_USER_INPUT
        case None | GraphQLError():
            pass
        case _:
            return None
    known = (error.extensions or {}).get("code")
    if known is not None:
        return str(known)
    # Without a path nothing has run yet: the variables do not fit what the operation declares.
    # With one, graphql-core says so itself when an argument does not fit.
    if error.path is None or error.message.startswith("Argument "):
        return BAD_USER_INPUT
    return None


def presented(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """Errors of an execution as clients get them."""
    return [_presented(error, request_id) for error in errors]


def _presented(error: GraphQLError, request_id: str) -> dict[str, Any]:
    code = code_of(error)
    if code is None:
        shown = masked(error.original_error or error, request_id, error.path)
    else:
        original = error.original_error
        message = original.message if isinstance(original, DomainError) else error.message
        shown = failure(message, code, **_other_extensions(error, code))
    if error.locations:
        shown["locations"] = [
            {"line": place.line, "column": place.column} for place in error.locations
        ]
    if error.path is not None:
        shown["path"] = error.path
    return shown


def _other_extensions(error: GraphQLError, code: str) -> dict[str, Any]:
    return {name: value for name, value in (error.extensions or {}).items() if name != "code"}
