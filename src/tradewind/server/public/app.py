"""The FastAPI application of the public face, mounted at /api/v2. Routers of the nouns are included here."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from tradewind import __version__
from tradewind.server.auth import Gate
from tradewind.server.health import HealthReader
from tradewind.server.problems import handlers, invalid

from . import (
    asset_queues,
    assets,
    backfills,
    connection_tests,
    connections,
    dag_run_changes,
    dag_runs,
    dags,
    events,
    hitl,
    installation,
    links,
    logs,
    monitor,
    pools,
    states,
    task_changes,
    task_instances,
    tasks,
    variables,
    xcoms,
)
from .description import describe
from .office import Office

PREFIX = "/api/v2"
ROUTERS = (
    monitor.router,
    dags.router,
    dag_runs.router,
    dag_run_changes.router,
    tasks.router,
    task_instances.router,
    task_changes.router,
    xcoms.router,
    logs.router,
    links.router,
    states.router,
    hitl.router,
    assets.router,
    asset_queues.router,
    assets.run_router,
    backfills.router,
    connection_tests.router,
    connections.router,
    variables.router,
    pools.router,
    events.router,
    installation.router,
    # What ends in an index comes last: a word must not be taken for one.
    task_instances.last_router,
    task_changes.last_router,
)


def create_public(gate: Gate, health: HealthReader, office: Office) -> FastAPI:
    """Handlers raise errors of `wire.errors`; here as everywhere `server.problems` makes responses of them."""
    app = make_application()
    app.state.gate = gate
    app.state.health = health
    app.state.office = office
    return app


def make_application() -> FastAPI:
    """All routes, without anything behind them: for the contract."""
    app = FastAPI(
        title="Tradewind API",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        exception_handlers={**handlers(), RequestValidationError: _invalid},
    )
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = lambda: describe(app, PREFIX)  # type: ignore[method-assign] # as FastAPI says to do it
    return app


def _operation_id(route: APIRoute) -> str:
    """The name of the handler."""
    return route.name


async def _invalid(_request: Request, error: Exception) -> Response:
    """A request that does not fit its schema: every field is named with what is wrong."""
    assert isinstance(error, RequestValidationError)
    faults: list[dict[str, Any]] = [
        {"loc": list(each["loc"]), "msg": each["msg"], "type": each["type"], "input": _shown(each.get("input"))}
        for each in error.errors()
    ]
    return invalid(faults)


def _shown(value: object) -> object:
    """What was given, where it is short and plain: secrets in bodies are not said again."""
    return value if isinstance(value, (int, float, bool)) or value is None else None
