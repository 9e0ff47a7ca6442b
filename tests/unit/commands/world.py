"""A small world for commands: a memory store, a virtual clock, DAGs, runs in the hands of a scheduler and an agent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tradewind.commands.documents import Documents
from tradewind.commands.runs import trigger_run
from tradewind.kernel.clock import VirtualClock
from tradewind.kernel.ids import Uuid7Source, uuid7
from tradewind.ports.rows import ComponentRow, DagRow, RunRow, TaskRow, VersionRow
from tradewind.ports.store import TaskMove, Transaction
from tradewind.store.memory import MemoryStore
from tradewind.wire.document import FORMAT, DagDocument, TaskDocument, encode_document

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OWNER = "scheduler-1"


class PlainVault:
    """Seals by turning the text around: enough to see that nothing is stored as it came."""

    def seal(self, text: str) -> bytes:
        return b"sealed:" + text[::-1].encode()

    def open(self, ciphertext: bytes) -> str:
        return ciphertext.removeprefix(b"sealed:").decode()[::-1]


class World:
    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.ids = Uuid7Source(self.clock)
        self.store = MemoryStore(self.clock)
        self.documents = Documents()
        self.vault = PlainVault()

    def new_id(self) -> str:
        return str(uuid7(self.ids))

    def publish(
        self, dag_id: str = "sales", *tasks: TaskDocument, row: dict[str, Any] | None = None, **facts: Any
    ) -> str:
        """A DAG and its version; the version's id. `row` are facts of the row, the rest of the document."""
        document = DagDocument(
            format=FORMAT, dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks or (task("extract"),), **facts
        )
        version_id = self.new_id()
        with self.store.begin() as tx:
            newest = tx.version_newest(dag_id)
            version = VersionRow(
                version_id=version_id,
                dag_id=dag_id,
                number=newest.number + 1 if newest else 1,
                hash=version_id,
                bundle="local",
                bundle_version="b1",
                file=document.file,
                document=encode_document(document),
                source="",
                created_at=self.clock.now(),
            )
            tx.dag_put(DagRow(dag_id=dag_id, bundle="local", file=document.file, version_id=version_id, **(row or {})))
            tx.version_insert(version)
        return version_id

    def trigger(self, dag_id: str = "sales", **wish: Any) -> RunRow:
        with self.store.begin() as tx:
            return trigger_run(tx, self.documents, self.clock.now(), self.new_id, dag_id, **wish)

    def start_run(self, dag_id: str = "sales", **wish: Any) -> RunRow:
        """A run that OWNER has started."""
        made = self.trigger(dag_id, **wish)
        with self.store.begin() as tx:
            (run,) = tx.run_start_queued(OWNER, max(self.clock.now(), made.run_after), 10)
        assert run.run_key == made.run_key
        return run

    def put_task(self, run: RunRow, task_id: str = "extract", **facts: Any) -> TaskRow:
        row = TaskRow(
            ti_id=self.new_id(),
            run_key=run.run_key,
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=task_id,
            version_id=run.version_id,
            **facts,
        )
        with self.store.begin() as tx:
            tx.task_insert([row])
        return row

    def queue(self, row: TaskRow) -> str:
        """Queued with its slots held, as its owner does; the token."""
        token = self.new_id().replace("-", "")
        now = self.clock.now()
        values = {
            "attempt_token": token,
            "try_number": self.row(row).try_number + 1,
            "queued_at": now,
            "scheduled_at": now,
            "holds_slot": True,
            "executor": None,
        }
        with self.store.begin() as tx:
            assert tx.task_move("queue", [TaskMove(row.ti_id, values=values)], now) == [row.ti_id]
            tx.pool_use({row.pool: row.pool_slots})
        return token

    def queued_task(self, run: RunRow, task_id: str = "extract", **facts: Any) -> tuple[TaskRow, str]:
        row = self.put_task(run, task_id, **facts)
        return row, self.queue(row)

    def row(self, row: TaskRow) -> TaskRow:
        """As it is now."""
        with self.store.read() as tx:
            return tx.task_get_many([row.ti_id])[0]

    def inbox(self, owner: str = OWNER) -> list[Any]:
        """What the owner would hear; taken."""
        with self.store.begin() as tx:
            return [event for _, event in tx.inbox_take(owner, 1000)]

    def beat(self, kind: str, name: str = "host:0", id: str | None = None) -> str:
        """A heartbeat of a component, registered when it is new; its incarnation."""
        id = id or self.new_id()
        now = self.clock.now()
        with self.store.begin() as tx:
            if not tx.component_beat(kind, id):
                tx.component_start(
                    ComponentRow(kind=kind, id=id, name=name, hostname="host", pid=1, started_at=now, heartbeat_at=now)
                )
        return id

    def agents(self, tx: Transaction) -> list[str]:
        return [row.id for row in tx.component_list("agent")]


def task(task_id: str, **facts: Any) -> TaskDocument:
    return TaskDocument(task_id=task_id, operator="@task", **facts)
