"""The execution face over HTTP: one plain ASGI endpoint, because every step of every task goes through it.

Statuses an agent acts on: 200; 400 (version), 401, 413 and 422 (this content will never be taken: it tries the messages
one by one), 500 (a bug: the same), 503 (come again). Messages may be repeated, so an answer that got lost does no harm.
"""

from __future__ import annotations

import asyncio
import hmac

import msgspec
from starlette.types import Receive, Scope, Send

from tradewind.kernel.log import get_logger
from tradewind.server.problems import MethodNotAllowed, UnprocessableContent, bug, problem
from tradewind.wire.errors import BadInput, LimitExceeded, TradewindError, Unauthenticated, Unavailable
from tradewind.wire.execution import VERSION, VERSION_HEADER

from .desks import DeskPool

PATH = "/execution/exchange"
BODY_BYTES_MAX = 64 << 20
REQUEST_SECONDS_MAX = 60.0
_VERSION_NAME = VERSION_HEADER.lower().encode()
_UNDERSTOOD = frozenset({VERSION.encode()})
"""Forms of the conversation this face speaks; an older one is added here together with what lifts it."""
_log = get_logger("execution")


class ExchangeFace:
    """The ASGI application behind `PATH`.

    Parameters:
        desks: answer the exchanges.
        credential: what agents present (`kernel.keys.execution_credential`).
        body_bytes_max: largest body taken.
        request_seconds_max: longest time from the head of a request to its answer.
    """

    def __init__(
        self,
        desks: DeskPool,
        credential: str,
        *,
        body_bytes_max: int = BODY_BYTES_MAX,
        request_seconds_max: float = REQUEST_SECONDS_MAX,
    ) -> None:
        self._desks = desks
        self._authorization = f"Bearer {credential}".encode()
        self._body_bytes_max = body_bytes_max
        self._request_seconds_max = request_seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except TradewindError as error:
            await problem(error)(scope, receive, send)
            return
        except Exception as error:  # the boundary of the service: logged once, the server goes on
            _log.error("exchange_failed", error=error)
            await bug()(scope, receive, send)
            return
        if answer is not None:
            await send({"type": "http.response.start", "status": 200, "headers": _head(len(answer))})
            await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: Scope, receive: Receive) -> bytes | None:
        """The encoded replies; None when the agent hung up."""
        if scope["method"] != "POST":
            raise MethodNotAllowed(f"{PATH} takes POST, not {scope['method']}")
        self._check_head(scope)
        try:
            async with asyncio.timeout(self._request_seconds_max):
                body = await self._body(receive)
                return None if body is None else await self._replies(body)
        except TimeoutError:
            raise Unavailable(f"the exchange took longer than {self._request_seconds_max:g} s; send it again") from None

    async def _replies(self, body: bytes) -> bytes:
        try:
            return await self._desks.answer(body)
        except msgspec.DecodeError as error:
            raise UnprocessableContent(f"the body is not an exchange of version {VERSION}: {error}") from None
        except (Unavailable, LimitExceeded):
            raise
        except TradewindError as error:
            # Whatever else the desk refuses lies in the content: 422 has the agent find the message that is the reason.
            raise UnprocessableContent(str(error)) from error

    def _check_head(self, scope: Scope) -> None:
        version = authorization = b""
        length = 0
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == _VERSION_NAME:
                version = value
            elif name == b"content-length":
                length = int(value)  # digits: the parser has seen to that
        if not hmac.compare_digest(authorization, self._authorization):
            raise Unauthenticated(
                "the agent's credential does not fit; agents and API server need the same execution.key_file"
            )
        if version not in _UNDERSTOOD:
            shown = version.decode("latin-1") or "none"
            raise BadInput(
                f"the agent speaks version {shown} of the execution conversation ({VERSION_HEADER}), "
                f"this server {VERSION}; bring both to the same release"
            )
        self._check_length(length)

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body; None when the agent hung up."""
        pieces: list[bytes] = []
        length = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            pieces.append(message.get("body", b""))
            length += len(pieces[-1])
            self._check_length(length)
            more = message.get("more_body", False)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _check_length(self, length: int) -> None:
        if length > self._body_bytes_max:
            raise LimitExceeded(
                f"the exchange has {length} bytes, at most {self._body_bytes_max} are taken; send fewer messages, "
                "or smaller values (values.inline_bytes_max)"
            )


def _head(length: int) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", b"application/msgpack"), (b"content-length", str(length).encode())]
