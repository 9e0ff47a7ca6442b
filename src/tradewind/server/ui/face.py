"""Routes of the screens' reads. Each asks the choke point, then the database, and answers as JSON."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from tradewind.domain.permissions import Action, Resource
from tradewind.kernel.clock import Clock
from tradewind.kernel.settings import Settings
from tradewind.ports.logs import attempt_log
from tradewind.ports.store import Store, Transaction
from tradewind.ports.ui_reads import UiTransaction
from tradewind.server.auth import Gate, require_user
from tradewind.server.auth.choke import authorise, require
from tradewind.server.auth.person import Person
from tradewind.server.database import Database
from tradewind.server.health import HealthReader
from tradewind.server.problems import handlers
from tradewind.wire.errors import BadInput, NotFound

from . import code, dags, grid, home, instance, lists
from .documents import Shapes
from .logs import LogReader, Places
from .stream import Hub

T = TypeVar("T")
_PACKED_BYTES_MIN = 1400
_LOG_LINES = 500
_encode = msgspec.json.Encoder().encode
_READ = Action.READ
_SNAPSHOT = re.compile(r"^.*/bundles/[^/]+/[^/]+/")


class Face:
    """What the handlers share."""

    def __init__(
        self, store: Store, database: Database, settings: Settings, health: HealthReader, clock: Clock
    ) -> None:
        self.database = database
        self.settings = settings
        self.health = health
        self.shapes = Shapes()
        self.columns = grid.Columns(clock)
        self.logs = LogReader()
        self.places = Places()
        self.hub = Hub(store, database, clock, self.log_size)
        self._log_paths: dict[str, Any] = {}

    def routes(self) -> list[Route]:
        """Every read, below /ui."""
        dag, run = "/dags/{dag_id}", "/dags/{dag_id}/runs/{run_id}"
        return [
            Route("/home", self.home),
            Route("/dags", self.dags),
            Route("/search", self.search),
            Route("/runs", self.runs),
            Route("/tasks", self.tasks),
            Route("/stream", self.stream),
            Route("/import-errors", self.import_errors),
            Route("/components", self.components),
            Route("/backfills", self.backfills),
            Route("/connections/hook_meta", self.connection_types),
            Route(f"{dag}", self.dag),
            Route(f"{dag}/grid", self.grid),
            Route(f"{dag}/graph", self.graph),
            Route(f"{dag}/calendar", self.calendar),
            Route(f"{dag}/code", self.code),
            Route(f"{dag}/versions", self.versions),
            Route(f"{dag}/tasks/{{task_id}}/history", self.history),
            Route(run, self.run),
            Route(f"{run}/tasks/{{task_id}}", self.instance),
            Route(f"{run}/tasks/{{task_id}}/log/{{number:int}}", self.log),
        ]

    # --- what everybody may ask who signed in ------------------------------------------------------------------------

    async def home(self, request: Request) -> Response:
        person = await _person(request)
        visible = person.visible_dags()
        answer, health = await asyncio.gather(
            self._read(home.home),
            home.components(self.health),
        )
        if visible is not None:
            for part in ("failing", "waiting", "stuck", "late"):
                answer[part] = [line for line in answer[part] if line["dag_id"] in visible]
        if not person.may(_READ, Resource.IMPORT_ERROR):
            answer["broken"] = []
        answer["health"] = health
        await asyncio.to_thread(self._place, answer["failing"])
        return packed(request, answer)

    def _place(self, failing: list[dict[str, Any]]) -> None:
        """Say of each failure where in the author's code it happened."""
        for line in failing:
            path = attempt_log(
                self.settings.logs.folder,
                line["dag_id"],
                line["run_id"],
                line["task_id"],
                line["map_path"],
                line["try_number"],
            )
            place = self.places.of(path)
            # The folder of the tree that it ran from says nothing to people.
            line["where"] = None if place is None else _SNAPSHOT.sub("", place)

    async def dags(self, request: Request) -> Response:
        person = await _person(request)
        visible = person.visible_dags()
        query = dict(request.query_params)
        chosen = frozenset(query.pop("favourites", "").split(","))
        return packed(request, await self._read(lambda tx: dags.dag_page(tx, query, chosen, visible)))

    async def search(self, request: Request) -> Response:
        person = await _person(request)
        visible = person.visible_dags()
        text = request.query_params.get("q", "")
        return packed(request, await self._read(lambda tx: lists.search(tx, text, visible)))

    async def runs(self, request: Request) -> Response:
        person = await _person(request)
        authorise(person, _READ, Resource.RUN, request.query_params.get("dag_id"))
        query = dict(request.query_params)
        return packed(request, await self._read(lambda tx: lists.runs(tx, query, person.visible_dags())))

    async def tasks(self, request: Request) -> Response:
        person = await _person(request)
        authorise(person, _READ, Resource.TASK_INSTANCE, request.query_params.get("dag_id"))
        query = dict(request.query_params)
        return packed(request, await self._read(lambda tx: lists.tasks(tx, query, person.visible_dags())))

    async def import_errors(self, request: Request) -> Response:
        authorise(await _person(request), _READ, Resource.IMPORT_ERROR)
        return packed(request, await self._read(lists.import_errors))

    async def components(self, request: Request) -> Response:
        require(await _person(request))
        return packed(request, await self._read(lists.components))

    async def backfills(self, request: Request) -> Response:
        """Backfills of all DAGs or of one, with how far their runs are."""
        person = await _person(request)
        dag_id = request.query_params.get("dag_id")
        authorise(person, _READ, Resource.BACKFILL, dag_id)
        visible = person.visible_dags(_READ, Resource.BACKFILL)
        return packed(request, await self._read(lambda tx: lists.backfills(tx, dag_id, visible)))

    async def connection_types(self, request: Request) -> Response:
        """Forms of connections by type, in the shape of the incumbent's. Provider code answers in a child."""
        authorise(await _person(request), _READ, Resource.CONNECTION)
        from tradewind.runtime.connection_types import connection_types

        return packed(request, list(map(lists.form_of, await asyncio.to_thread(connection_types))))

    async def stream(self, request: Request) -> Response:
        """Server-sent events: `topics` (comma-separated), `Last-Event-ID`."""
        person = await _person(request)
        topics = [topic for topic in request.query_params.get("topics", "home").split(",") if topic][:200]
        for topic in topics:
            if topic.startswith("dag:"):
                authorise(person, _READ, Resource.DAG, topic[4:])
            elif topic.startswith("log:"):
                await self._admit_log(person, topic)
        last = request.headers.get("last-event-id") or request.query_params.get("last")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = self.hub.stream(topics, last, person.visible_dags())
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    # --- one DAG ------------------------------------------------------------------------------------------------------

    async def dag(self, request: Request) -> Response:
        dag_id = await _dag(request, Resource.DAG)
        return packed(request, await self._read(lambda tx: lists.dag(tx, self.shapes, dag_id)))

    async def grid(self, request: Request) -> Response:
        dag_id = await _dag(request, Resource.RUN)
        query = request.query_params
        count = _number(query, "runs", 25)

        def ask(tx: UiTransaction) -> dict[str, Any]:
            return grid.grid(
                tx,
                self.shapes,
                self.columns,
                dag_id,
                count,
                before=query.get("before"),
                known=query.get("known"),
                fresh=query.get("fresh") == "true",
            )

        return packed(request, await self._read(ask))

    async def graph(self, request: Request) -> Response:
        dag_id = await _dag(request, Resource.DAG)
        version = request.query_params.get("version")
        return packed(request, await self._read(lambda tx: grid.graph(tx, self.shapes, dag_id, version)))

    async def calendar(self, request: Request) -> Response:
        dag_id = await _dag(request, Resource.RUN)
        return packed(request, await self._read(lambda tx: lists.calendar(tx, self.shapes, dag_id)))

    async def code(self, request: Request) -> Response:
        dag_id = await _dag(request, Resource.CODE)
        number = request.query_params.get("number")
        return packed(request, await self._read(lambda tx: code.code(tx, dag_id, number)))

    async def versions(self, request: Request) -> Response:
        dag_id = await _dag(request, Resource.VERSION)
        return packed(request, await self._read(lambda tx: code.versions(tx, dag_id)))

    async def history(self, request: Request) -> Response:
        dag_id = await _dag(request, Resource.TASK_INSTANCE)
        task_id = request.path_params["task_id"]
        return packed(request, await self._read(lambda tx: lists.history(tx, self.shapes, dag_id, task_id)))

    # --- one run ------------------------------------------------------------------------------------------------------

    async def run(self, request: Request) -> Response:
        dag_id = await _dag(request, Resource.RUN)
        run_id, task_id = request.path_params["run_id"], request.query_params.get("task_id")
        return packed(request, await self._read(lambda tx: grid.run_tasks(tx, self.shapes, dag_id, run_id, task_id)))

    async def instance(self, request: Request) -> Response:
        dag_id = await _dag(request, Resource.TASK_INSTANCE)
        run_id, task_id = request.path_params["run_id"], request.path_params["task_id"]
        path = request.query_params.get("map", "")
        return packed(
            request, await self._read(lambda tx: instance.instance(tx, self.shapes, dag_id, run_id, task_id, path))
        )

    async def log(self, request: Request) -> Response:
        """A range of a log: `from` (a line; negative: from the end; absent: where the trouble is), `count`, `q`."""
        dag_id = await _dag(request, Resource.LOG)
        given, query = request.path_params, request.query_params
        map_path = query.get("map", "")
        if any(not part.isdecimal() for part in map_path.split(".")) and map_path:
            raise BadInput(f"map must be an index like 3 or 3.1, not {map_path!r}")
        _plain(given["run_id"], given["task_id"])
        path = attempt_log(
            self.settings.logs.folder, dag_id, given["run_id"], given["task_id"], map_path, given["number"]
        )
        start = _integer(query.get("from"))
        count = _number(query, "count", _LOG_LINES)
        text = query.get("q", "")
        if query.get("raw") == "true":
            return _download(path)
        return packed(request, await asyncio.to_thread(self.logs.read, path, start, count, text))

    def log_size(self, topic: str) -> int | None:
        """Bytes of the log behind `log:<ti_id>:<try>`; None when there is none."""
        path = self._log_paths.get(topic)
        try:
            return None if path is None else int(path.stat().st_size)
        except OSError:
            return None

    async def _admit_log(self, person: Person, topic: str) -> None:
        """Remember where the log lies, when `person` may read it."""
        _, _, rest = topic.partition(":")
        ti_id, _, number = rest.partition(":")
        if not number.isdecimal():
            raise BadInput(f"a topic of a log is log:<ti_id>:<try>, not {topic!r}")
        rows = await self._read(lambda tx: tx.task_get_many([ti_id]))
        if not rows:
            raise NotFound(f"there is no task instance {ti_id!r}")
        row = rows[0]
        authorise(person, _READ, Resource.LOG, row.dag_id)
        if len(self._log_paths) > 1000:
            self._log_paths.clear()
        self._log_paths[topic] = attempt_log(
            self.settings.logs.folder, row.dag_id, row.run_id, row.task_id, row.map_path, int(number)
        )

    async def _read(self, ask: Callable[[UiTransaction], T]) -> T:
        def asking(tx: Transaction) -> T:
            return ask(cast("UiTransaction", tx))

        return await self.database.read(asking)


def create_ui(
    store: Store,
    settings: Settings,
    clock: Clock,
    gate: Gate,
    health: HealthReader,
    database: Database,
    ending: list[Callable[[], None]],
) -> ASGIApp:
    """The face below /ui.

    Parameters:
        database: for its reads; closed by whoever made it.
        ending: gets what ends the streams when the server stops.
    """
    face = Face(store, database, settings, health, clock)
    ending.append(face.hub.stop)
    app = Starlette(routes=list(face.routes()), exception_handlers=handlers())
    app.state.gate = gate
    return app


async def _person(request: Request) -> Person:
    return await require_user(request)


async def _dag(request: Request, resource: Resource) -> str:
    """The DAG of the path, when whoever asks may read this of it."""
    dag_id: str = request.path_params["dag_id"]
    authorise(await _person(request), _READ, resource, dag_id)
    return dag_id


def packed(request: Request, answer: Any, status: int = 200) -> Response:
    """The answer as JSON: packed when it is long, not sent again when the browser has it (ETag)."""
    body = _encode(answer)
    tag = f'W/"{hashlib.blake2b(body, digest_size=9).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Authorization, Cookie"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if len(body) >= _PACKED_BYTES_MIN and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, "application/json")


def _download(path: Any) -> Response:
    from starlette.responses import FileResponse

    if not path.is_file():
        raise NotFound("this try has no log")
    return FileResponse(path, media_type="application/x-ndjson", filename=path.parent.name + "-" + path.name)


def _plain(*names: str) -> None:
    for name in names:
        if "/" in name or name in (".", "..") or "\x00" in name:
            raise BadInput(f"{name!r} is no id")


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    found = _integer(query.get(name))
    return default if found is None else max(1, found)


def _integer(text: str | None) -> int | None:
    if text is None or text == "":
        return None
    try:
        return int(text)
    except ValueError:
        raise BadInput(f"a number is needed, not {text!r}") from None
