"""Speaks to a server's public API for commands; errors come out as those of the local commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from tradewind.cli.profiles import Target
from tradewind.wire.errors import (
    BadInput,
    Conflict,
    Forbidden,
    LimitExceeded,
    NotFound,
    TradewindError,
    Unauthenticated,
    Unavailable,
)

API = "/api/v2"
_PAGE = 100
_SECONDS_MAX = 60.0
_BY_STATUS: Mapping[int, type[TradewindError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: LimitExceeded,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


class Client:
    """One server, as one person."""

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        self._server = target.server.rstrip("/")
        headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
        try:
            self._http = httpx.Client(
                base_url=self._server,
                headers=headers,
                timeout=_SECONDS_MAX,
                transport=transport,
                follow_redirects=False,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise BadInput(f"{target.server!r} is no address of a server: {error}") from None

    def close(self) -> None:
        self._http.close()

    def raw(self, method: str, path: str, **given: Any) -> httpx.Response:
        """The answer, whatever it is. Raises `Unavailable` when there is none, `BadInput` for an odd address."""
        try:
            return self._http.request(method, path, **given)
        except httpx.UnsupportedProtocol:
            raise BadInput(f"{self._server!r} is no address of a server; write for example https://host") from None
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(f"the server {self._server} does not answer: {reason}") from None

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """What a path below /api/v2, or one that begins with /auth, answers.

        Raises:
            TradewindError: the kind that the status says, with the server's own words.
        """
        given = {name: value for name, value in params.items() if value is not None}
        whole = path if path.startswith("/auth") else API + path
        more = {} if body is None else {"json": body}
        answer = self.raw(method, whole, params=given, **more)
        if answer.status_code >= 400:
            raise _BY_STATUS.get(answer.status_code, BadInput if answer.status_code < 500 else Unavailable)(
                _words(answer)
            )
        return answer.json() if answer.content else None

    def get(self, path: str, **params: Any) -> Any:
        return self.ask("GET", path, **params)

    def pages(self, path: str, key: str, limit: int | None = None, **params: Any) -> Iterator[dict[str, Any]]:
        """The entries of a list, page by page, at most `limit`."""
        offset = 0
        while limit is None or offset < limit:
            size = _PAGE if limit is None else min(_PAGE, limit - offset)
            rows = self.get(path, limit=size, offset=offset, **params)[key]
            yield from rows
            offset += len(rows)
            if len(rows) < size:
                return


def part(text: str) -> str:
    """`text` as one part of a path."""
    return quote(text, safe="")


def when(text: str | None) -> datetime | None:
    """An instant of an answer."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _words(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"the server answered {answer.status_code}"
    if isinstance(detail, str):
        return detail
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(map(str, each.get('loc', ())))}: {each.get('msg')}" for each in detail)
    return str(detail)
