"""`/oauth/token`: a short-lived token for whoever holds an API key.

OAuth 2.0, the client credentials grant (RFC 6749, section 4.4): the client's id is the part of the
key before the dot, its secret the part after it.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from brands.authentication import ACCESS_SECONDS, AccessToken, exchange, is_key
from brands.callers import Caller
from brands.errors import InvalidInput, NotPermitted
from gateway.callers.attempts import Door
from gateway.callers.forms import BadForm, read_form
from gateway.graphql.requests import Refused
from gateway.logs import logger, traces
from gateway.settings import Settings
from gateway.telemetry.reports import request_id_of

GRANT = "client_credentials"

_NOT_STORED = {"cache-control": "no-store", "pragma": "no-cache"}
_CHALLENGE = {"www-authenticate": 'Basic realm="coalition"'}
_BASIC = re.compile(r"[Bb]asic +([A-Za-z0-9+/]{1,2000}={0,2})")
_SCOPES = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")


class _Error(Exception):
    """An error of RFC 6749, section 5.2. `headers` go with the answer."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.body = {"error": code, "error_description": message}
        self.status = status
        self.headers = headers or {}


class TokenEndpoint:
    """Gives tokens to the holders of keys."""

    def __init__(self, door: Door, settings: Settings) -> None:
        self._door = door
        self._pepper = settings.pepper

    async def answer(self, request: Request) -> Response:
        """The answer to one request."""
        request_id = request_id_of(request.headers.get("x-request-id", "").encode())
        body: Mapping[str, Any]
        try:
            body, status, headers = _told(await self._token(request, request_id)), 200, {}
        except _Error as error:
            body, status, headers = error.body, error.status, dict(error.headers)
        except Exception as error:
            logger().error("unexpected", request_id=request_id, error=traces(error))
            body, status, headers = {"error": "server_error"}, 500, {}
        logger().info("token", request_id=request_id, status=status, error=body.get("error"))
        return Response(
            orjson.dumps(body),
            status,
            {**_NOT_STORED, "x-request-id": request_id, **headers},
            media_type="application/json",
        )

    async def _token(self, request: Request, request_id: str) -> AccessToken:
        try:
            form = await read_form(request)
        except BadForm as error:
            raise _Error("invalid_request", str(error), error.status) from None
        key = _key(request.headers.get("authorization"), form)
        if "grant_type" not in form:
            raise _Error("invalid_request", "`grant_type` is required.")
        if form["grant_type"] != GRANT:
            raise _Error("unsupported_grant_type", f"The only grant is {GRANT}.")
        scopes = _scopes(form.get("scope"))
        caller = await self._admit(request, key, request_id)
        try:
            return exchange(caller, key, self._pepper, scopes)
        except NotPermitted:
            message = "A member's key is no client of this grant."
            raise _Error("unauthorized_client", message) from None
        except InvalidInput as error:
            raise _Error("invalid_scope", error.message) from None

    async def _admit(self, request: Request, key: str, request_id: str) -> Caller:
        """The holder of a key. It counts as an attempt of the address, like any other."""
        try:
            bearer = f"Bearer {key}".encode("ascii")
            caller = await self._door.admit(request.scope, bearer, request_id)
        except Refused as refused:
            if refused.status == 401:
                raise _no_client() from None
            code = "invalid_request" if refused.status == 400 else "temporarily_unavailable"
            raise _Error(code, str(refused), refused.status, refused.headers) from None
        assert caller is not None
        return caller


def _told(token: AccessToken) -> dict[str, Any]:
    return {
        "access_token": token.token,
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "scope": " ".join(sorted(token.scopes)),
    }


def _key(authorization: str | None, form: dict[str, str]) -> str:
    """The client's key, put together from the header or from the form, and not from both."""
    if authorization is None:
        key = f"{form.get('client_id')}.{form.get('client_secret')}"
    elif "client_secret" in form:
        raise _Error("invalid_request", "The client authenticates in one way only.")
    else:
        id, secret = _basic(authorization)
        if form.get("client_id", id) != id:
            raise _Error("invalid_request", "`client_id` is another client's.")
        key = f"{id}.{secret}"
    if not is_key(key):
        raise _no_client()
    return key


def _basic(authorization: str) -> tuple[str, str]:
    """The id and the secret of a header by RFC 7617, both written as in a form."""
    found = _BASIC.fullmatch(authorization)
    if found is None:
        raise _no_client()
    try:
        id, _, secret = b64decode(found[1], validate=True).decode("ascii").partition(":")
    except ValueError:
        raise _no_client() from None
    return unquote_plus(id), unquote_plus(secret)


def _scopes(given: str | None) -> frozenset[str] | None:
    """The scopes asked for; None if nothing is said of them."""
    if not given:
        return None
    if not _SCOPES.fullmatch(given):
        raise _Error("invalid_scope", "Scopes are words with a space between them.")
    return frozenset(given.split(" "))


def _no_client() -> _Error:
    """The one answer to whoever is not a client, or does not prove to be."""
    message = "The client is not known by this id and secret."
    return _Error("invalid_client", message, 401, _CHALLENGE)
