"""The FastAPI application of the public face, mounted at /api/v2. Routers of the nouns are included here."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from tradewind import __version__
from tradewind.server.auth import Gate
from tradewind.server.health import HealthReader
from tradewind.server.problems import UnprocessableContent, handlers, problem

from .monitor import monitor_router


def create_public(gate: Gate, health: HealthReader) -> FastAPI:
    """Handlers raise errors of `wire.errors`; here as everywhere `server.problems` makes responses of them."""
    app = FastAPI(
        title="Tradewind API",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        exception_handlers={**handlers(), RequestValidationError: _invalid},
    )
    app.state.gate = gate
    app.include_router(monitor_router(health))
    return app


async def _invalid(_request: Request, error: Exception) -> Response:
    """A request that does not fit its schema: every field is named with what is wrong."""
    assert isinstance(error, RequestValidationError)
    wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return problem(UnprocessableContent("; ".join(wrong)))
