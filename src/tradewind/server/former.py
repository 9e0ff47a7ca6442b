"""Addresses that Airflow's clients may still ask: the removed API v1, and the contract at its old place."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tradewind.wire.errors import NotFound

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def routes() -> list[Route]:
    """`/api/v1/...` and `/openapi.json`."""
    return [
        Route("/api/v1", _removed, methods=_METHODS),
        Route("/api/v1/{path:path}", _removed, methods=_METHODS),
        Route("/openapi.json", _contract),
    ]


async def _removed(_request: Request) -> Response:
    raise NotFound("the REST API v1 was removed: use /api/v2, whose paths and fields are those of Airflow 3")


async def _contract(_request: Request) -> Response:
    return RedirectResponse("/api/v2/openapi.json", 307)
