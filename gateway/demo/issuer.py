"""The demo's own issuer of members' tokens, so that one can be tried. There with the demo only.

Whoever asks gets a token for any member of the demo's cast: no password is asked for. Its key is
kept beside the demo's data, in a file that only its owner can read.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from brands.database import target_of
from gateway.callers.forms import BadForm, read_form
from gateway.callers.issuer_keys import FixedKeys, signing_keys
from gateway.callers.member_tokens import Trusted
from gateway.issuers import Issuer, MemberName

FILE = "demo-issuer.json"
PATH = "/demo/issuer"
AUDIENCE = "coalition-demo"
GOOD_FOR_SECONDS = 3_600

_HEADERS = {"cache-control": "no-store"}


class DemoIssuer:
    """An issuer at `url`. `members` are coalition numbers, by whatever one may ask for them by."""

    def __init__(self, url: str, key: ECKey, members: Mapping[str, str]) -> None:
        self._issuer = url + PATH
        self._key = key
        self._members = members
        public = {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig"}
        self._key_set = {"keys": [public]}

    @property
    def trusted(self) -> Trusted:
        """What the demo's gateway trusts: these keys, which it need not fetch from itself."""
        issuer = Issuer(self._issuer, AUDIENCE, MemberName.COALITION_NUMBER)
        return Trusted(issuer, FixedKeys(signing_keys(self._key_set)))

    def routes(self) -> list[BaseRoute]:
        """Where it is reached."""
        return [
            Route(f"{PATH}/.well-known/openid-configuration", self._configuration),
            Route(f"{PATH}/jwks.json", self._keys),
            Route(f"{PATH}/token", self._token, methods=["POST"]),
        ]

    def token(self, coalition_number: str) -> str:
        """A token for a member, good for an hour."""
        now = int(time.time())
        header = {"alg": "ES256", "typ": "JWT", "kid": self._key.thumbprint()}
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": coalition_number,
            "iat": now,
            "exp": now + GOOD_FOR_SECONDS,
        }
        return jwt.encode(header, claims, self._key)

    async def _configuration(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self._issuer,
                "jwks_uri": f"{self._issuer}/jwks.json",
                "token_endpoint": f"{self._issuer}/token",
                "id_token_signing_alg_values_supported": ["ES256"],
                "subject_types_supported": ["public"],
                "response_types_supported": [],
            },
            headers=_HEADERS,
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse(self._key_set, headers=_HEADERS)

    async def _token(self, request: Request) -> Response:
        try:
            form = await read_form(request)
        except BadForm as error:
            return PlainTextResponse(f"{error}\n", error.status, _HEADERS)
        number = self._members.get(form.get("member", "").lower())
        if number is None:
            known = ", ".join(sorted(self._members))
            return PlainTextResponse(f"`member` is one of: {known}\n", 400, _HEADERS)
        return PlainTextResponse(self.token(number) + "\n", headers=_HEADERS)


def issuer_key(database_url: str) -> ECKey:
    """The issuer's key, from its file beside the embedded database, or else in `var`; made when
    there is none yet."""
    beside = target_of(database_url).sqlite_path
    path = Path("var") / FILE if beside is None else Path(beside).with_name(FILE)
    if not path.exists():
        made = path.with_name(f"{FILE}.{os.getpid()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        made.touch(mode=0o600)
        made.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
        made.replace(path)
    return ECKey.import_key(json.loads(path.read_text()))
