"""Probes: is this process alive, and can the installation do its work?

`/health/live` says that this process answers. `/health/ready` is 200 when the database answers and every component that
is needed has a fresh heartbeat by the database's clock; otherwise 503, with the same document, component by component.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tradewind.kernel.settings import Settings
from tradewind.ports.rows import ComponentRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import Unavailable

from .database import Database

HEALTHY, UNHEALTHY = "healthy", "unhealthy"
REQUIRED = ("scheduler", "dag-processor", "agent")
_ANSWER_SECONDS_MAX = 3.0


class ComponentHealth(msgspec.Struct, frozen=True):
    """One kind of component: as healthy as its liveliest process."""

    status: str
    latest_heartbeat: datetime | None = None
    name: str | None = None
    alive: int = 0
    """Processes with a fresh heartbeat."""


class Health(msgspec.Struct, frozen=True):
    """The installation. `components` is empty when the database did not answer; `problem` says why."""

    components: dict[str, ComponentHealth]
    problem: str | None = None

    @property
    def ready(self) -> bool:
        return self.problem is None and all(found.status == HEALTHY for found in self.components.values())


def judge(
    rows: Iterable[ComponentRow], now: datetime, fresh_seconds: Mapping[str, float]
) -> dict[str, ComponentHealth]:
    """The health of each kind in `fresh_seconds` (kind → age in seconds up to which a heartbeat is fresh)."""
    known: dict[str, list[ComponentRow]] = {kind: [] for kind in fresh_seconds}
    for row in rows:
        if row.kind in known:
            known[row.kind].append(row)
    verdicts = {}
    for kind, members in known.items():
        oldest = now - timedelta(seconds=fresh_seconds[kind])
        alive = sum(row.heartbeat_at >= oldest for row in members)
        latest = max(members, key=lambda row: row.heartbeat_at, default=None)
        verdicts[kind] = ComponentHealth(
            status=HEALTHY if alive else UNHEALTHY,
            latest_heartbeat=latest.heartbeat_at if latest else None,
            name=latest.name if latest else None,
            alive=alive,
        )
    return verdicts


class HealthReader:
    """Asks the database how everybody is. Settings say up to which age a heartbeat is fresh."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._fresh = {
            "scheduler": settings.scheduler.lease_seconds,
            "dag-processor": settings.processor.lease_seconds,
            "agent": settings.agent.lost_seconds,
            "triggerer": settings.scheduler.lease_seconds,
        }

    async def read(self, kinds: Iterable[str] = REQUIRED) -> Health:
        """The health of these kinds of component. A database that is away is part of the answer, no error."""
        fresh = {kind: self._fresh[kind] for kind in kinds}

        def ask(tx: Transaction) -> dict[str, ComponentHealth]:
            return judge(tx.component_list(), tx.now(), fresh)

        try:
            return Health(await self._database.read(ask, seconds_max=_ANSWER_SECONDS_MAX))
        except Unavailable as error:
            return Health({}, str(error))


def routes(reader: HealthReader) -> list[Route]:
    """`/health/live` and `/health/ready`."""

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": HEALTHY})

    async def ready(_request: Request) -> Response:
        health = await reader.read()
        headers = {} if health.ready else {"Retry-After": "1"}
        return JSONResponse(_document(health), 200 if health.ready else 503, headers)

    return [Route("/health/live", live), Route("/health/ready", ready)]


def _document(health: Health) -> dict[str, Any]:
    database = {"status": HEALTHY} if health.problem is None else {"status": UNHEALTHY, "problem": health.problem}
    components: dict[str, Any] = msgspec.to_builtins(health.components)
    return {"status": HEALTHY if health.ready else UNHEALTHY, "database": database, "components": components}
