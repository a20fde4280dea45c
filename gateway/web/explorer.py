"""GraphiQL, from files of our own."""

from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).parents[1] / "static"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the editor sets styles as it goes
        "img-src 'self' data:",
        "font-src data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)


class Explorer:
    """The page. With a credential it comes filled in, which is for demos only."""

    def __init__(self, credential: str | None) -> None:
        page = (STATIC / "explorer.html").read_text()
        self._page = page.replace("{credential}", escape(credential or ""))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"content-security-policy": _POLICY, "cache-control": "no-store"}
        if scope["method"] not in ("GET", "HEAD"):
            headers["allow"] = "GET, HEAD"
            await HTMLResponse("", 405, headers)(scope, receive, send)
            return
        await HTMLResponse(self._page, headers=headers)(scope, receive, send)
