"""The product's application over a real database, asked without a socket."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from tests.unit.server.serving import KEY, make_api

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.adapters.tokens import BearerTokens
from tradewind.adapters.vault import FernetVault
from tradewind.commands.asset_publication import publish_assets
from tradewind.commands.documents import Documents
from tradewind.commands.users import password_mark
from tradewind.domain.timetables import parse_schedule
from tradewind.kernel.clock import VirtualClock
from tradewind.kernel.doorbell import LocalDoorbell
from tradewind.kernel.ids import Uuid7Source, uuid7
from tradewind.ports.rows import DagRow, RunRow, TaskRow, UserRow, VersionRow
from tradewind.ports.store import TaskMove
from tradewind.runtime.plugin_probe import Plugins
from tradewind.store.sql import SqlStore
from tradewind.wire.document import FORMAT, DagDocument, TaskDocument, encode_document
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OWNER = "scheduler-1"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21l$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"


class World:
    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.clock = VirtualClock(START)
        self.ids = Uuid7Source(self.clock)
        self.store = SqlStore(url, clock=self.clock, doorbell=LocalDoorbell())
        self.documents = Documents()
        self.plugins = Plugins()
        self.api, self.settings = make_api(home, self.store, self.clock, plugins=lambda: self.plugins)
        self.vault = FernetVault(self.settings.secrets.key_file)
        self.tokens = BearerTokens(KEY, self.clock, 86400)
        self.token = self.make_user("admin", "Admin")

    def close(self) -> None:
        self.api.close()
        self.store.close()

    # --- people ---

    def make_user(self, username: str, role: str) -> str:
        """A user with one role; his bearer token."""
        row = UserRow(username=username, password_hash=HASH, roles=(role,), created_at=self.clock.now())
        with self.store.begin() as tx:
            tx.user_put(row)
        return self.tokens.issue(username, password_mark(row))

    # --- asking ---

    def ask(
        self, method: str, path: str, *, token: str | None = None, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        bearer = self.token if token is None else token
        given = ({"Authorization": f"Bearer {bearer}"} if bearer else {}) | (headers or {})

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.api)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, f"/api/v2{path}", headers=given, **more)

        return asyncio.run(go())

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        return self._said(self.ask("GET", path, params=params), status)

    def post(self, path: str, body: Any = None, status: int = 200, **params: Any) -> Any:
        return self._said(self.ask("POST", path, json=body, params=params), status)

    def patch(self, path: str, body: Any = None, status: int = 200, **params: Any) -> Any:
        return self._said(self.ask("PATCH", path, json=body, params=params), status)

    def put(self, path: str, body: Any = None, status: int = 200, **params: Any) -> Any:
        return self._said(self.ask("PUT", path, json=body, params=params), status)

    def delete(self, path: str, status: int = 204, **params: Any) -> Any:
        return self._said(self.ask("DELETE", path, params=params), status)

    def _said(self, answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else answer.text

    # --- seeding ---

    def new_id(self) -> str:
        return str(uuid7(self.ids))

    def publish(
        self,
        dag_id: str = "sales",
        *tasks: TaskDocument,
        row: dict[str, Any] | None = None,
        source: str = "",
        **facts: Any,
    ) -> str:
        """A DAG and a version of it; the version's id."""
        document = DagDocument(
            format=FORMAT, dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks or (task("extract"),), **facts
        )
        version_id = self.new_id()
        with self.store.begin() as tx:
            newest = tx.version_newest(dag_id)
            tx.dag_put(
                DagRow(
                    dag_id=dag_id,
                    bundle="local",
                    bundle_version="b1",
                    file=document.file,
                    version_id=version_id,
                    parsed_at=self.clock.now(),
                    **(row or {}),
                )
            )
            tx.version_insert(
                VersionRow(
                    version_id=version_id,
                    dag_id=dag_id,
                    number=newest.number + 1 if newest else 1,
                    hash=version_id,
                    bundle="local",
                    bundle_version="b1",
                    file=document.file,
                    document=encode_document(document),
                    source=source,
                    created_at=self.clock.now(),
                )
            )
            publish_assets(tx, document, self.clock.now(), paused=False)
        return version_id

    def daily(self, dag_id: str = "sales", *tasks: TaskDocument, **facts: Any) -> str:
        return self.publish(dag_id, *tasks, schedule=parse_schedule("@daily"), **facts)

    def put_run(self, dag_id: str = "sales", day: int = 1, **facts: Any) -> RunRow:
        """A queued run of the day."""
        date = START + timedelta(days=day - 1)
        with self.store.begin() as tx:
            dag = tx.dag_get(dag_id)
            assert dag is not None
            row = RunRow(
                run_key=self.new_id(),
                dag_id=dag_id,
                run_id=facts.pop("run_id", f"scheduled__{date.isoformat()}"),
                version_id=dag.version_id,
                run_type=facts.pop("run_type", DagRunType.SCHEDULED),
                triggered_by=DagRunTriggeredBy.TIMETABLE,
                state=DagRunState.QUEUED,
                run_after=facts.pop("run_after", date),
                logical_date=facts.pop("logical_date", date),
                queued_at=self.clock.now(),
                **facts,
            )
            assert tx.run_insert(row) is None
        return row

    def start(self, run: RunRow) -> RunRow:
        """Its owner takes it; instances of all its tasks are made."""
        with self.store.begin() as tx:
            started = tx.run_start_queued(OWNER, max(self.clock.now(), run.run_after), 100)
            assert any(each.run_key == run.run_key for each in started)
            document = self.documents.get(tx, run.version_id).document
            tx.task_insert([self._instance(run, each.task_id) for each in document.tasks])
        return run

    def finish(self, run: RunRow, state: str = "success") -> None:
        """All its tasks succeed, then it ends in `state`."""
        now = self.clock.now()
        with self.store.begin() as tx:
            rows = tx.task_list(run.run_key)
            live = [row for row in rows if row.state is None]
            tx.task_move(
                "succeed_empty",
                [
                    TaskMove(
                        row.ti_id,
                        values={"started_at": now, "ended_at": now, "duration_seconds": 1.5, "try_number": 1},
                    )
                    for row in live
                ],
                now,
            )
            image = tx.run_get(run.run_key)
            assert image is not None
            change = "succeed" if state == "success" else "fail"
            assert tx.run_move(change, run.run_key, owner=OWNER, epoch=image.epoch, reason="done", now=now)

    def _instance(self, run: RunRow, task_id: str, map_path: str = "") -> TaskRow:
        return TaskRow(
            ti_id=self.new_id(),
            run_key=run.run_key,
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=task_id,
            map_path=map_path,
            version_id=run.version_id,
            operator="@task",
        )

    def put_task(self, run: RunRow, task_id: str, map_path: str = "") -> TaskRow:
        row = self._instance(run, task_id, map_path)
        with self.store.begin() as tx:
            tx.task_insert([row])
        return row

    def queue(self, row: TaskRow) -> str:
        """Its owner queues it; the token."""
        token, now = self.new_id().replace("-", ""), self.clock.now()
        values = {
            "attempt_token": token,
            "try_number": row.try_number + 1,
            "queued_at": now,
            "scheduled_at": now,
            "holds_slot": True,
            "executor": None,
            "agent": None,
        }
        with self.store.begin() as tx:
            assert tx.task_move("queue", [TaskMove(row.ti_id, values=values)], now) == [row.ti_id]
            tx.pool_use({row.pool: row.pool_slots})
        return token

    def tasks(self, run: RunRow) -> dict[str, TaskRow]:
        with self.store.read() as tx:
            return {
                row.task_id + (f"[{row.map_path}]" if row.map_path else ""): row for row in tx.task_list(run.run_key)
            }


def task(task_id: str, **facts: Any) -> TaskDocument:
    return TaskDocument(task_id=task_id, operator="@task", **facts)


__all__ = ["START", "Argon2Passwords", "World", "task"]
