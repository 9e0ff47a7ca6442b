"""The built app: hashed assets for ever, the page itself always fresh, with a nonce for its styles.

`make ui` builds it into the folder `static` beside this file. Where that was not done, browsers get the plain page of
`server.welcome`, which says so.
"""

from __future__ import annotations

import mimetypes
import re
import secrets
from html import escape
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = Path(__file__).parent / "static"
PAGE = "index.html"
_FOREVER = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=600"
_ENCODINGS = ((".br", "br"), (".gz", "gzip"))
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*\Z")
_FACES = ("api", "ui", "auth", "health", "execution", "docs", "redoc", "openapi.json")
"""First parts of paths that are never pages."""


def is_built(folder: Path = FOLDER) -> bool:
    """Whether there is an app to serve."""
    return (folder / PAGE).is_file()


def policy(nonce: str) -> str:
    """The Content-Security-Policy of the page: everything from here, nothing from elsewhere, no inline script."""
    return (
        f"default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


class Screens:
    """ASGI layer: the app's files, and its page for every path a browser opens that no other face has.

    Parameters:
        faces: answers everything else.
        folder: where the build lies.
    """

    def __init__(self, faces: ASGIApp, folder: Path = FOLDER) -> None:
        self._faces = faces
        self._folder = folder
        self._page: tuple[float, str] = (0.0, "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._answer(scope) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        if response is None:
            await self._faces(scope, receive, send)
        else:
            await response(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        root = scope.get("root_path", "").rstrip("/")
        name = scope["path"].removeprefix(root).lstrip("/")
        if name.partition("/")[0] in _FACES:
            return None
        headers = Headers(scope=scope)
        if _NAME.match(name) and name != PAGE and "." in name:
            found = self._folder / name
            if found.is_file():
                return _file(found, name, headers.get("accept-encoding", ""))
            if name.startswith("assets/"):
                return None
        return self._index(root) if "text/html" in headers.get("accept", "") else None

    def _index(self, root: str) -> Response | None:
        page = self._folder / PAGE
        try:
            changed = page.stat().st_mtime
            if self._page[0] != changed:
                self._page = (changed, page.read_text(encoding="utf-8"))
        except OSError:
            return None
        nonce = secrets.token_urlsafe(18)
        text = self._page[1].replace("__NONCE__", nonce).replace('<base href="/"', f'<base href="{escape(root)}/"')
        return HTMLResponse(text, headers={"Content-Security-Policy": policy(nonce), "Cache-Control": "no-cache"})


def _file(found: Path, name: str, accepted: str) -> Response:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {
        "Cache-Control": _FOREVER if name.startswith("assets/") else _SHORT,
        # Of a worker this is the policy it lives under.
        "Content-Security-Policy": "default-src 'self'; connect-src 'self'",
        "Vary": "Accept-Encoding",
    }
    for suffix, encoding in _ENCODINGS:
        packed = found.with_name(found.name + suffix)
        if encoding in accepted and packed.is_file():
            return FileResponse(packed, headers=headers | {"Content-Encoding": encoding}, media_type=kind)
    return FileResponse(found, headers=headers, media_type=kind)
