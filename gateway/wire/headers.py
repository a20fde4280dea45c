"""What every answer carries, and what becomes of one that fails outside the executor.

Security headers are on all of them, and the id of the request. Cross-origin requests are not
allowed: there are no CORS headers at all, and a preflight is answered like any method that is not
served. While the process is draining, an answer closes its connection.
"""

from collections.abc import Callable

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.graphql import masking
from gateway.telemetry.reports import request_id_of

NOTHING = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

_POLICY = b"content-security-policy"
_EVERYWHERE: list[tuple[bytes, bytes]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
SECURITY = [*_EVERYWHERE, (_POLICY, NOTHING)]
"""All of them, as an answer carries them that brings no policy of its own."""

_REQUEST_ID = b"x-request-id"
_CLOSE = (b"connection", b"close")


class Headers:
    """ASGI middleware that adds them; a page may bring a content security policy of its own."""

    def __init__(self, app: ASGIApp, draining: Callable[[], bool]) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"]
                named = {name for name, _ in headers}
                headers.extend(_EVERYWHERE if _POLICY in named else SECURITY)
                if _REQUEST_ID not in named:
                    headers.append((_REQUEST_ID, _id_of(scope).encode()))
                if self._draining():
                    headers.append(_CLOSE)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            if started:  # half an answer: the connection has to end, and uvicorn sees to that
                raise
            await _apologize(error, _id_of(scope), send_with_headers)


def _id_of(scope: Scope) -> str:
    return request_id_of(dict(scope["headers"]).get(_REQUEST_ID))


async def _apologize(error: Exception, request_id: str, send: Send) -> None:
    body = orjson.dumps({"errors": [masking.masked(error, request_id, None)]})
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (_REQUEST_ID, request_id.encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
