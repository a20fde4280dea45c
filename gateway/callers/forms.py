"""Reading a form: the way in which OAuth asks. Bounded, and strict."""

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

FORM = "application/x-www-form-urlencoded"
MAX_BYTES = 8_192
MAX_FIELDS = 16
PATIENCE_SECONDS = 10.0


class BadForm(Exception):
    """This is no form. `status` is the answer's, the text says what is wrong."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, each of which comes once. Raises `BadForm`."""
    content_type, *_ = request.headers.get("content-type", "").lower().split(";")
    if content_type.strip() != FORM:
        raise BadForm(f"The content type of a request is {FORM}.")
    try:
        body = (await _body(request)).decode("ascii")
        pairs = parse_qsl(
            body,
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise BadForm("The body is no form in UTF-8.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadForm("A parameter comes twice.")
    return fields


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise BadForm(f"A request has at most {MAX_BYTES} bytes.", 413)
    except ClientDisconnect:
        raise BadForm("The body ended early.") from None
    except TimeoutError:
        raise BadForm("The body took too long.", 408) from None
    return body
