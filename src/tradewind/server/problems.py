"""Errors as responses, in one place: the tree of `wire.errors` becomes problem documents (RFC 9457).

`detail` holds the sentence for people, as clients of Airflow's API expect; `error` the name of the class, for programs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradewind.kernel.log import get_logger
from tradewind.wire.errors import LimitExceeded, NotFound, TradewindError, Unauthenticated, Unavailable

PROBLEM_TYPE = "application/problem+json"
RETRY_SECONDS = 1
_log = get_logger("api")


class MethodNotAllowed(TradewindError):
    """The resource does not take this method."""

    http_status = 405


class UnprocessableContent(TradewindError):
    """The request is well-formed and its content cannot be taken, now or later."""

    http_status = 422


class NotAcceptable(TradewindError):
    """The resource has no form that the client takes."""

    http_status = 406


class PreconditionFailed(TradewindError):
    """The thing is not any more as the client knew it."""

    http_status = 412


class NotBuilt(TradewindError):
    """This is not available yet."""

    http_status = 501


class TooManyRequests(LimitExceeded):
    """Asked too often; it says when to ask again."""

    http_status = 429

    def __init__(self, message: str, retry_seconds: float) -> None:
        self.retry_seconds = retry_seconds
        super().__init__(message)


def problem(error: TradewindError) -> Response:
    """The response that tells of `error`."""
    return _response(error.http_status, type(error).__name__, _title(type(error)), str(error), _headers(error))


def invalid(faults: list[dict[str, Any]]) -> Response:
    """The response to a request that does not fit its schema: `detail` lists the faults, as in Airflow."""
    kind = UnprocessableContent
    return _response(kind.http_status, kind.__name__, _title(kind), faults, {})


def bug() -> Response:
    """The response to an error nobody foresaw: it tells nothing of the inside."""
    detail = "the server met an error it did not expect; its log has the traceback"
    return _response(500, "InternalError", "A bug in the server.", detail, {})


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


def handlers() -> dict[int | type[Exception], Handler]:
    """What a Starlette or FastAPI application does with exceptions: give these to it, and a `BugLog` around it."""
    return {TradewindError: _explained, HTTPException: _refused, Exception: _unforeseen}


class BugLog:
    """Outermost layer of the faces: logs what nobody foresaw, once. The answer has been given inside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def noting(message: Message) -> None:
            nonlocal answered
            answered = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:  # the boundary of the service: logged once, the server goes on
            _log.error("request_failed", error=error, method=scope.get("method"), path=scope.get("path"))
            if not answered:
                raise  # the connection has to end, because its answer did not


async def _explained(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TradewindError)
    return problem(error)


async def _refused(request: Request, error: Exception) -> Response:
    """What a router refuses, in the words of our own errors."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 404:
        response = problem(NotFound(f"there is nothing at {path}; / says what is here"))
    elif error.status_code == 405:
        response = problem(MethodNotAllowed(f"{path} does not take {request.method}"))
    else:
        response = _response(error.status_code, "HTTPException", "The request was refused.", error.detail, {})
    response.headers.update(error.headers or {})
    return response


async def _unforeseen(_request: Request, _error: Exception) -> Response:
    return bug()


def _title(kind: type[TradewindError]) -> str:
    return (kind.__doc__ or kind.__name__).splitlines()[0]


def _headers(error: TradewindError) -> Mapping[str, str]:
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(max(1, round(error.retry_seconds)))}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_SECONDS)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def _response(status: int, error: str, title: str, detail: Any, headers: Mapping[str, str]) -> Response:
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail, "error": error}
    return Response(json.dumps(body, ensure_ascii=False), status, headers, PROBLEM_TYPE)
