"""`/metrics` in the text format of Prometheus: what this server did, and what the database holds.

By default whoever may read jobs may read them (a Viewer, or an API token of one), and this machine itself.
Counters are of one server process and carry its `worker`; what the database holds is the same from each.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradewind import __version__
from tradewind.domain.permissions import Action, Resource
from tradewind.kernel.settings import Settings
from tradewind.kernel.telemetry import HistogramValue, InProcessTelemetry, Sample
from tradewind.ports.store import Transaction
from tradewind.server.auth import authorise, require_user

from .database import Database
from .health import HealthReader

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "tradewind_"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
_FACES = ("api", "ui", "auth", "health", "metrics")
_LOOPBACK = ("127.0.0.1", "::1")
_KINDS = ("scheduler", "dag-processor", "agent", "triggerer")


class RequestMeter:
    """ASGI layer: counts requests of the faces and measures how long they took, up to the head of the answer."""

    def __init__(self, app: ASGIApp, telemetry: InProcessTelemetry) -> None:
        self._app = app
        self._requests = telemetry.counter("api_requests", "Requests answered.", ("face", "method", "status"))
        self._seconds = telemetry.histogram(
            "api_request_seconds", "Time to the head of the answer.", ("face",), _BUCKETS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        first = scope["path"].removeprefix(scope.get("root_path", "")).split("/", 2)[1:2]
        face = first[0] if first and first[0] in _FACES else "page"

        async def measuring(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.add(1, face=face, method=scope["method"], status=f"{message['status'] // 100}xx")
                self._seconds.observe(time.perf_counter() - began, face=face)
            await send(message)

        await self._app(scope, receive, measuring)


def routes(telemetry: InProcessTelemetry, database: Database, reader: HealthReader, settings: Settings) -> list[Route]:
    """`/metrics`, unless api.metrics is off."""
    if settings.api.metrics == "off":
        return []

    async def metrics(request: Request) -> Response:
        local = request.client is not None and request.client.host in _LOOPBACK
        # A proxy on this machine is no reason to trust whoever stands behind it.
        behind_proxy = any(name in request.headers for name in ("x-forwarded-for", "forwarded"))
        if settings.api.metrics == "private" and (not local or behind_proxy):
            authorise(await require_user(request), Action.READ, Resource.JOB)
        held = await database.read(_held)
        health = await reader.read(_KINDS)
        lines = [*render(telemetry.samples(), {"worker": str(os.getpid())}), *_gauges(held)]
        lines += _gauge(
            "components_alive",
            "Processes with a fresh heartbeat.",
            [({"kind": kind}, float(found.alive)) for kind, found in health.components.items()],
        )
        lines += _gauge("build_info", "What runs.", [({"version": __version__}, 1.0)])
        return Response("\n".join(lines) + "\n", media_type=CONTENT_TYPE)

    return [Route("/metrics", metrics)]


Held = dict[str, list[tuple[dict[str, str], float]]]
_HELP = {
    "dags": "DAGs by whether they are paused.",
    "import_errors": "DAG files that cannot be loaded.",
    "runs_active": "Runs that are running, by DAG; those without any are left out.",
    "pool_slots": "Slots of a pool; -1 is unlimited.",
    "pool_slots_used": "Slots of a pool that tasks hold.",
    "tasks_running": "Task instances that run.",
}


def _held(tx: Transaction) -> Held:
    dags = tx.list_dags(limit=100_000)
    pools = tx.pool_list()
    paused = sum(row.is_paused for row in dags)
    return {
        "dags": [({"paused": "true"}, float(paused)), ({"paused": "false"}, float(len(dags) - paused))],
        "import_errors": [({}, float(len(tx.list_import_errors())))],
        "runs_active": [({"dag_id": row.dag_id}, float(row.runs_active)) for row in dags if row.runs_active],
        "pool_slots": [({"pool": row.name}, float(row.slots)) for row in pools],
        "pool_slots_used": [({"pool": row.name}, float(row.used)) for row in pools],
        "tasks_running": [({}, float(len(tx.list_running_tasks(100_000))))],
    }


def _gauges(held: Held) -> Iterable[str]:
    for name, values in held.items():
        yield from _gauge(name, _HELP[name], values)


def _gauge(name: str, help_text: str, values: Iterable[tuple[dict[str, str], float]]) -> list[str]:
    lines = [f"# HELP {_PREFIX}{name} {help_text}", f"# TYPE {_PREFIX}{name} gauge"]
    return lines + [f"{_PREFIX}{name}{_labels(labels)} {_number(value)}" for labels, value in values]


def render(samples: Iterable[Sample], common: dict[str, str]) -> list[str]:
    """Samples as lines; each series carries `common` too."""
    lines: list[str] = []
    before = ""
    for sample in samples:
        name = _PREFIX + sample.name + ("_total" if sample.kind == "counter" else "")
        if name != before:
            lines += [f"# HELP {name} {_escaped(sample.description)}", f"# TYPE {name} {sample.kind}"]
            before = name
        labels = {**sample.labels, **common}
        if isinstance(sample.value, HistogramValue):
            lines += _histogram(name, labels, sample.value)
        else:
            lines.append(f"{name}{_labels(labels)} {_number(sample.value)}")
    return lines


def _histogram(name: str, labels: dict[str, str], value: HistogramValue) -> list[str]:
    lines, total = [], 0
    for bound, count in zip((*value.buckets, float("inf")), value.counts, strict=True):
        total += count
        edge = "+Inf" if bound == float("inf") else f"{bound:g}"
        lines.append(f"{name}_bucket{_labels({**labels, 'le': edge})} {total}")
    return [*lines, f"{name}_sum{_labels(labels)} {_number(value.sum)}", f"{name}_count{_labels(labels)} {value.total}"]


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return f"{value:g}" if value != int(value) else str(int(value))
