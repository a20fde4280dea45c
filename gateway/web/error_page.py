"""The page of every stable code, `docs/errors.md`: made of what the code itself says.

Codes that are data come from the schema. Those of top-level errors are in the table below, which a
test compares with what is raised.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import GraphQLObjectType, GraphQLSchema

from brands.errors import DomainError
from brands.rejections import Rejection
from gateway.graphql import masking
from schema.errors import USER_ERRORS, UserErrorCode


@dataclass(frozen=True, slots=True)
class TopLevel:
    """What clients are promised of one top-level code."""

    meaning: str
    statuses: dict[int, str]
    """The HTTP statuses that it comes with, and when each."""
    extensions: str = ""
    """What else its `extensions` may carry."""


_NOT_RUN = {
    200: "the answer is `application/json`",
    400: "the answer is `application/graphql-response+json`",
}
_ONE_FIELD = "it is a field's; `path` names it"

TOP_LEVEL: dict[str, TopLevel] = {
    masking.UNAUTHENTICATED: TopLevel(
        "There is no credential, or it is unknown, expired or revoked: which of them is not said. "
        "Nothing was run.",
        {401: "always, with `WWW-Authenticate`"},
    ),
    masking.BAD_REQUEST: TopLevel(
        "This is no GraphQL request as GraphQL over HTTP has them. Nothing was run.",
        {
            400: "the body or the query string is malformed, or one of its members; or "
            "`Authorization` is there twice",
            405: "the method is not POST or GET, or a mutation was sent with GET; see `Allow`",
            406: "`Accept` admits no media type of an answer, or for a subscription no events",
            413: "the body is too long",
            415: "the content type is not `application/json` in UTF-8, or the body is encoded",
        },
    ),
    masking.PARSE_FAILED: TopLevel(
        "The document is not GraphQL, or has too many tokens to be read. Nothing was run.",
        _NOT_RUN,
    ),
    masking.VALIDATION_FAILED: TopLevel(
        "The document does not fit the schema, or its fields go deeper than is allowed. Nothing "
        "was run.",
        _NOT_RUN,
    ),
    masking.TOO_COMPLEX: TopLevel(
        "The document has more of something than is allowed; the message says of what. Nothing was "
        "run.",
        _NOT_RUN,
    ),
    masking.COST_LIMIT_EXCEEDED: TopLevel(
        "The operation may cost more than one operation is allowed to, or more than the caller's "
        "bucket ever holds. Ask for shorter pages, or in several requests. Nothing was run.",
        _NOT_RUN,
        "`cost`: what was `requested`, and the `maximum`",
    ),
    masking.DOCUMENT_NOT_FOUND: TopLevel(
        "No stored operation has this `documentId`. Nothing was run.",
        _NOT_RUN,
    ),
    masking.PERSISTED_QUERY_NOT_FOUND: TopLevel(
        "No stored operation has this `sha256Hash`. Clients add none: send the document itself. "
        "Nothing was run.",
        _NOT_RUN,
    ),
    masking.DOCUMENT_NOT_TRUSTED: TopLevel(
        "This deployment runs stored operations only, and the document is none of them. Nothing "
        "was run.",
        _NOT_RUN,
    ),
    masking.BAD_USER_INPUT: TopLevel(
        "The document is right, but not what was given with it: the operation's name, a variable, "
        "or an argument of a query. Without a `path` nothing was run.",
        {
            200: f"{_NOT_RUN[200]}, or {_ONE_FIELD}",
            400: f"{_NOT_RUN[400]}, and nothing was run",
        },
        "`argument`: the argument at fault, where it is one of a connection",
    ),
    masking.FORBIDDEN: TopLevel(
        "The caller is known, but this field is not for it. (A mutation says so as data, with "
        "`NOT_PERMITTED`.)",
        {200: _ONE_FIELD, 403: "the page of metrics was asked for by whoever is no operator"},
    ),
    masking.THROTTLED: TopLevel(
        "The caller has asked for more than it may at present, or has as many connections and "
        "subscriptions open as it may; or too many wrong credentials came from its address. Wait "
        "as long as `Retry-After` says, then send the same again. Nothing was run.",
        {429: "always, with `Retry-After`; on a WebSocket the error comes alone"},
        "`cost`: what was `requested`, and of the `throttle` the `maximum`, what is `available` "
        "and the `restoreRate`, in points a second, where it is points that are short",
    ),
    masking.UNAVAILABLE: TopLevel(
        "The database could not be reached in time; whether the books took a request is not known. "
        "Send the same again, with the same idempotency key.",
        {
            200: _ONE_FIELD,
            503: "the database is away, with `Retry-After`; or a stream was to be opened while the "
            "gateway is about to stop: open it again",
        },
    ),
    masking.TIMEOUT: TopLevel(
        "It took too long and was given up. What a mutation did is not known: send the same again, "
        "with the same idempotency key.",
        {
            408: "the body did not come in time; the connection is closed",
            503: "the operation took too long, with `Retry-After`",
        },
    ),
    masking.INTERNAL: TopLevel(
        "Something went wrong on our side. What a mutation did is not known: send the same again, "
        "with the same idempotency key.",
        {200: _ONE_FIELD, 500: "it concerns the request as a whole"},
        "`requestId`: to be reported; the log has it too",
    ),
}
"""Every code that a top-level error can have."""

_HEAD = """\
# Error codes

<!-- Made by `coalition schema errors --output docs/errors.md`. Do not edit: a test compares. -->

Every code that the API gives, for programs to branch on. A code is never renamed and never changes
its meaning; new ones are added, so treat one that you do not know as a refusal. Messages are for
developers, and may change. [The API](api.md#errors) says how errors are to be handled.

## Top-level errors

In `errors[].extensions.code`, as GraphQL has it.
"""

_DATA = """\
## Errors as data

In `errors` of a payload. Each is an object type that implements `UserError`: `code`, `message` and
`path`, and the figures below. With an error what was asked for is null, and nothing has happened.

A refusal that is **kept** is the answer of the books or of a rule. Where a mutation has an
idempotency key, it is kept with the key: the same request is refused again in the same words,
whatever has changed. To try anew, take a new key. All others are not kept, and none by
`memberEnroll`: put right what was wrong, and the same key is still good.
"""


def error_page(schema: GraphQLSchema) -> str:
    """The page, in Markdown."""
    return "\n".join((_HEAD, *_top_level(), _DATA, *_as_data(schema)))


def _top_level() -> Iterator[str]:
    for code, told in TOP_LEVEL.items():
        yield f"### {code}\n"
        yield f"{told.meaning}\n"
        yield "| HTTP status | when |\n| --- | --- |"
        yield from (f"| {status} | {when} |" for status, when in sorted(told.statuses.items()))
        yield ""
        if told.extensions:
            yield f"Its `extensions` may carry {told.extensions}.\n"


def _as_data(schema: GraphQLSchema) -> Iterator[str]:
    # The codes were made of the same table, in its order.
    for code, (failure, made) in zip(UserErrorCode, USER_ERRORS.items(), strict=True):
        shown = schema.type_map[made.__name__]
        assert isinstance(shown, GraphQLObjectType)
        yield f"### {code.name}\n"
        yield f"`{shown.name}`{_whether_kept(failure)}: {shown.description}\n"
        yield from _figures(shown)


def _whether_kept(failure: type[DomainError]) -> str:
    return ", kept" if issubclass(failure, Rejection) else ""


def _figures(error: GraphQLObjectType) -> Iterator[str]:
    (interface,) = error.interfaces
    figures = {name: field for name, field in error.fields.items() if name not in interface.fields}
    if figures:
        yield "| figure | type | |\n| --- | --- | --- |"
        yield from (
            f"| `{name}` | `{field.type}` | {field.description} |"
            for name, field in figures.items()
        )
        yield ""
