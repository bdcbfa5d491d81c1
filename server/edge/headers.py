"""What every answer says to browsers about its own safety."""

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.edge.guard import LOOPBACK_NAMES, named
from server.routes.meta import docs
from server.settings import Settings

_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_RUN = ("text/html", "text/javascript")
"""What a page is made of, and what its workers are: they go by the policy of their own file."""
_EVALUATES = "/viewer/cesium/Workers/transcodeKTX2.js"
"""Makes its functions from text; a worker, which reaches no page."""
_HSTS = "max-age=31536000"
_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeaders:
    """Adds to every answer what keeps a browser from doing more with it than it is meant for.

    The pages of the viewer may run their own scripts, and those inline ones that their files had
    when the server started. Nothing else that is answered may run anything.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        framed = " ".join(("'self'", *settings.frame_ancestors))
        self._page = page_policy(script_hashes(settings.viewer), framed)
        self._evaluating = self._page.replace("script-src", "script-src 'unsafe-eval'")
        self._other = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
            f"frame-ancestors {framed}"
        )
        self._always = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "permissions-policy": _PERMISSIONS,
            "cross-origin-resource-policy": "cross-origin" if settings.origins else "same-origin",
        }
        if not settings.frame_ancestors:
            self._always["x-frame-options"] = "SAMEORIGIN"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, with these headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = self._policy(scope["path"], headers)
                headers.update(self._always)
                if scope["scheme"] == "https" and named(scope) not in LOOPBACK_NAMES:
                    headers["strict-transport-security"] = _HSTS
            await send(message)

        await self._app(scope, receive, dressed)

    def _policy(self, path: str, headers: MutableHeaders) -> str:
        if not headers.get("content-type", "").startswith(_RUN):
            # A stranger's file, which is not even to be of this place.
            own = headers.get("content-security-policy")
            return f"{self._other}; sandbox" if own == "sandbox" else self._other
        return self._evaluating if path == _EVALUATES else self._page


def page_policy(hashes: Iterable[str], framed: str) -> str:
    """The Content-Security-Policy of the viewer's pages.

    WebAssembly decodes meshes and textures, which come as blobs and data, too. What is connected to at
    'self' may be a WebSocket of this very place as well (Content Security Policy Level 3, 6.7.2.8).
    """
    scripts = " ".join(f"'{value}'" for value in sorted(set(hashes)))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'wasm-unsafe-eval' {scripts}".rstrip(),
            "worker-src 'self'",
            "connect-src 'self' blob: data:",
            "img-src 'self' blob: data:",
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {framed}",
        )
    )


def script_hashes(viewer: Path) -> set[str]:
    """The inline scripts of the viewer's pages and of the API's description, as a policy has them."""
    pages = [path.read_text("utf-8") for path in sorted(viewer.glob("*.html"))]
    pages.append(bytes(docs().body).decode())
    return {
        "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for page in pages
        for script in _INLINE.findall(page)
    }
