"""The port of the metadata database. Plugs: SQLite and PostgreSQL (`store.sql`), memory (`store.memory`); one exam:
`tests/conformance`.

Rules every plug keeps:
- A transaction sees its own writes, is atomic, and isolates at least as READ COMMITTED; what a method says it locks
  stays locked to the end.
- States are written only by `task_move` and `run_move`, guarded by the tables of legal changes (`domain.task_state`,
  `domain.run_state`):
  a row moves only from a legal origin, and only with the right token or owner and epoch. They return what moved; the
  rest is news, not an error.
- `ring` reaches listeners only after the commit, and never when the transaction is rolled back.
- Temporary trouble (locked, gone, full) is `wire.errors.Unavailable`; the caller may run the whole transaction again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

import msgspec

from tradewind.kernel.doorbell import Listener
from tradewind.wire.execution import FoundXCom, XComEntry
from tradewind.wire.inbox import InboxEvent
from tradewind.wire.states import DagRunState, DagRunType, TaskInstanceState

from .assets import AssetTx, TimetableTx
from .backfills import BackfillTx
from .deadlines import DeadlineTx
from .hitl import HitlTx
from .outbox import OutboxTx
from .past import PastTx
from .people import PeopleTx
from .retention import RetentionTx
from .rows import (
    AttemptRow,
    ComponentRow,
    ConnectionRow,
    DagRow,
    FileRow,
    ImportErrorRow,
    PoolRow,
    RunRow,
    TaskRow,
    UserRow,
    VariableRow,
    VersionRow,
    XComRow,
)
from .run_retries import RunRetryTx
from .state_store import StateStoreTx
from .triggers import TriggerTx


class TaskMove(msgspec.Struct, frozen=True):
    """One row of a change. `values` may name only columns that the change `sets`; `token` is required where the change
    is fenced by it.
    """

    ti_id: str
    reason: str | None = None
    token: str | None = None
    values: dict[str, Any] = {}


class NextRun(msgspec.Struct, frozen=True, kw_only=True):
    """The next scheduled run of a DAG."""

    run_after: datetime
    logical_date: datetime | None
    interval_start: datetime | None
    interval_end: datetime | None


class RunImage(msgspec.Struct, frozen=True):
    """A run with all its task instances, for take-over."""

    run: RunRow
    instances: list[TaskRow]


class DagTx(Protocol):
    """DAGs, versions, files."""

    def file_list(self, bundle: str) -> list[FileRow]: ...
    def file_put(self, row: FileRow) -> None:
        """Insert or replace; ends the lease."""

    def file_delete(self, bundle: str, path: str) -> None:
        """With its import error."""

    def file_lease(self, bundle: str, paths: Sequence[str], processor: str, seconds: float) -> list[str]:
        """Lease those of `paths` that nobody else holds (unknown paths are made); returns the leased ones."""

    def import_error_put(self, row: ImportErrorRow) -> None: ...
    def import_error_clear(self, bundle: str, path: str) -> None: ...
    def dag_get_many(self, dag_ids: Iterable[str]) -> dict[str, DagRow]: ...
    def dag_get(self, dag_id: str, *, lock: bool = False) -> DagRow | None: ...
    def dag_put(self, row: DagRow) -> None:
        """Insert, or update what a publication decides; leaves is_paused, pause_reason and runs_active of an existing
        row alone.
        """

    def dag_set_stale(self, dag_ids: Iterable[str], stale: bool) -> None: ...
    def dag_list_of_file(self, bundle: str, path: str) -> list[DagRow]: ...
    def dag_move_trees(self, bundle: str, bundle_version: str, files: Sequence[tuple[str, str]]) -> None:
        """New runs get this tree: for the DAGs of `files` (path, digest) whose `file_digest` is that digest. A DAG
        that was published from another state of its file stays with the tree of that state.
        """

    def dag_set_paused(self, dag_id: str, paused: bool, reason: str | None = None) -> bool: ...
    def dag_set_next(self, dag_id: str, following: NextRun | None) -> None: ...
    def dag_claim_due(self, now: datetime, limit: int) -> list[DagRow]:
        """Unpaused, not stale, next_run_after <= now, with a free run slot (unfinished runs of type scheduled <
        max_active_runs), oldest first; locked, skipping locked ones.
        """

    def dag_next_due(self) -> datetime | None:
        """Earliest next_run_after over unpaused, not stale DAGs that have a free run slot (as in `dag_claim_due`)."""

    def version_get(self, version_id: str) -> VersionRow | None: ...
    def version_newest(self, dag_id: str) -> VersionRow | None: ...
    def version_insert(self, row: VersionRow) -> None: ...


class RunTx(Protocol):
    """DAG runs. Owner methods are fenced by owner and epoch."""

    def run_insert(self, row: RunRow) -> str | None:
        """None when inserted; else the unique key that is there already: "run_id", "client_key" or "logical_date"."""

    def run_get(self, run_key: str, *, lock: bool = False) -> RunRow | None: ...
    def run_find(self, dag_id: str, run_id: str, *, lock: bool = False) -> RunRow | None: ...
    def run_find_by_client_key(self, dag_id: str, client_key: str) -> RunRow | None: ...
    def run_start_queued(self, owner: str, now: datetime, limit: int) -> list[RunRow]:
        """Queued runs with run_after <= now of DAGs with runs_active < max_active_runs, oldest run_after first
        (backfills last, each within its own max_active_runs): make them running, owned by `owner`, epoch + 1, count
        them. Never above max_active_runs with any number of schedulers. Paused DAGs start manual runs, not scheduled
        ones.
        """

    def run_next_queued(self) -> datetime | None:
        """Earliest run_after among queued runs, None without any."""

    def run_take_over(self, owner: str, lease_seconds: float, limit: int) -> list[RunRow]:
        """Running runs without owner, or whose owner's scheduler heartbeat is missing or older than `lease_seconds` by
        the database's clock: owned by `owner` from now, epoch + 1.
        """

    def run_hold(self, owner: str, run_keys: Iterable[str]) -> dict[str, int]:
        """Lock the rows of these runs that `owner` owns; run_key → epoch. One that is absent was taken over."""

    def run_release(self, owner: str) -> int:
        """Give up all runs of `owner` (orderly stop); how many."""

    def run_load(self, run_key: str) -> RunImage | None: ...
    def run_move(
        self,
        change: str,
        run_key: str,
        *,
        owner: str | None = None,
        epoch: int | None = None,
        reason: str | None = None,
        now: datetime,
    ) -> bool:
        """Apply a change of `domain.run_state.RUN_CHANGES`, runs_active of the DAG (of the backfill, if it belongs to
        one) included. False: refused.
        """

    def run_previous(
        self, dag_id: str, before: datetime, *, states: Sequence[DagRunState] | None = None
    ) -> RunRow | None:
        """Newest run of the DAG with logical_date < before."""

    def run_following(self, dag_id: str, after: datetime) -> RunRow | None:
        """Oldest run of the DAG with logical_date > after."""

    def run_last_automated(self, dag_id: str) -> RunRow | None:
        """Newest run of type scheduled by logical_date (by run_after where there is none)."""

    def run_count_failed_in_row(self, dag_id: str, limit: int) -> int:
        """How many of the newest finished runs failed one after another, at most `limit`."""

    def run_set_note(self, run_key: str, note: str | None) -> bool: ...


class TaskTx(Protocol):
    """Task instances, attempts, XComs, inbox."""

    def task_insert(self, rows: Sequence[TaskRow]) -> None: ...
    def task_rename(self, ti_id: str, map_path: str) -> None:
        """The placeholder of a mapped task becomes its first index."""

    def task_move(self, change: str, moves: Sequence[TaskMove], now: datetime) -> list[str]:
        """Apply a change of `domain.task_state.TASK_CHANGES` to many rows in one statement; the ti_ids that moved.
        `retry` and `clear` (of an instance that has tried) first write the `AttemptRow`. `clear` and `queue` drop the
        XComs of the instance (each try starts without). Columns that the change clears become NULL (False for
        holds_slot). Raises `KeyError` for an unknown change, `ValueError` for a column the change does not set.
        """

    def task_tell(self, change: str, moves: Sequence[TaskMove], now: datetime) -> None:
        """As `task_move`, where nobody asks what moved: it travels with the next statement."""

    def task_release(self, ti_ids: Sequence[str]) -> None:
        """holds_slot = false: the owner gives the slots back (with `pool_use`/`limit_use` in the same transaction)."""

    def task_get_many(self, ti_ids: Iterable[str], *, lock: bool = False) -> list[TaskRow]: ...
    def task_by_token(self, tokens: Iterable[str], *, lock: bool = True) -> dict[str, TaskRow]:
        """Current attempts by token."""

    def task_list(self, run_key: str, task_ids: Iterable[str] | None = None) -> list[TaskRow]: ...
    def task_list_of_agent(self, incarnation: str) -> list[TaskRow]:
        """What this incarnation runs, and what is queued for it by grant."""

    def task_list_orphaned(self) -> list[TaskRow]:
        """Queued or running instances that were given to an agent which is not a registered component."""

    def task_set_label(self, ti_id: str, label: str) -> None: ...
    def attempt_list(self, ti_id: str) -> list[AttemptRow]: ...
    def rendered_put(self, ti_id: str, fields: Mapping[str, Any]) -> None: ...
    def xcom_put(self, row: TaskRow, entries: Sequence[XComEntry], now: datetime) -> None: ...
    def xcom_put_many(self, items: Sequence[tuple[TaskRow, Sequence[XComEntry]]], now: datetime) -> None: ...
    def xcom_delete(self, ti_id: str, key: str) -> None: ...
    def xcom_find(
        self,
        dag_id: str,
        run_id: str,
        task_ids: Sequence[str],
        key: str,
        *,
        map_paths: Sequence[str] | None = None,
        map_prefix: str | None = None,
    ) -> list[FoundXCom]:
        """Ordered by task id as asked, then by numeric map path."""

    def xcom_inputs(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> dict[str, list[FoundXCom]]:
        """For many claims at once: (run_key, task ids) → return values of the unmapped instances, by run_key."""

    def inbox_put(self, items: Sequence[tuple[str, InboxEvent]]) -> None:
        """(run_key, event). Rings "inbox"."""

    def inbox_open(self, owner: str, limit: int) -> tuple[dict[str, int], list[tuple[str, InboxEvent]]]:
        """Lock the runs of `owner` that have lines in the inbox (run_key → epoch), then `inbox_take`: what every round
        of an owner begins with.
        """

    def inbox_take(self, owner: str, limit: int) -> list[tuple[str, InboxEvent]]:
        """Remove and return events of runs owned by `owner`, oldest first. A line that cannot be decoded is put aside
        (inbox_rejected) and does not stop the rest.
        """


class LimitTx(Protocol):
    """Pools and counters across runs."""

    def pool_list(self) -> list[PoolRow]: ...
    def pool_get(self, name: str) -> PoolRow | None: ...
    def pool_put(self, name: str, slots: int, description: str = "", include_deferred: bool = False) -> None:
        """Insert or change; leaves `used` alone."""

    def pool_delete(self, name: str) -> bool: ...
    def pool_lock(self, names: Iterable[str]) -> dict[str, PoolRow]:
        """Lock these rows in order of name."""

    def pool_use(self, deltas: Mapping[str, int]) -> None:
        """Add to `used`; a CHECK keeps it from going below 0."""

    def limit_lock(self, keys: Iterable[str]) -> dict[str, int]:
        """Counters of `max_active_tis_per_dag` ("dag_id/task_id"), made when absent, locked in order."""

    def limit_use(self, deltas: Mapping[str, int]) -> None: ...
    def slots_audit(self) -> dict[str, tuple[int, int]]:
        """Compare every counter (pools "pool:NAME", limits "limit:KEY", runs "runs:DAG") with the rows it counts;
        correct the wrong ones and return name → (was, is).
        """


class ComponentTx(Protocol):
    """Processes of ours and their heartbeats; the database's clock judges."""

    def component_start(self, row: ComponentRow) -> list[ComponentRow]:
        """Register; returns and removes earlier incarnations of the same kind and name."""

    def component_beat(self, kind: str, id: str) -> bool:
        """False: not registered any more (was declared lost): the process must stop owning anything."""

    def component_stop(self, kind: str, id: str) -> None: ...
    def component_list(self, kind: str | None = None) -> list[ComponentRow]: ...
    def component_remove_lost(self, kind: str, seconds: float) -> list[ComponentRow]:
        """Remove and return those whose heartbeat is older than `seconds`."""


class SecretTx(Protocol):
    """Connections, variables, users."""

    def connection_get(self, conn_id: str) -> ConnectionRow | None: ...
    def connection_list(self) -> list[ConnectionRow]: ...
    def connection_put(self, row: ConnectionRow) -> None: ...
    def connection_delete(self, conn_id: str) -> bool: ...
    def variable_get(self, key: str) -> VariableRow | None: ...
    def variable_list(self) -> list[VariableRow]: ...
    def variable_put(self, row: VariableRow) -> None: ...
    def variable_delete(self, key: str) -> bool: ...
    def user_get(self, username: str) -> UserRow | None: ...
    def user_put(self, row: UserRow) -> None: ...
    def user_count(self) -> int: ...


class Reads(Protocol):
    """Read models for people: lists with filters, newest first, keyset-paged where they can grow. A `Transaction`
    offers them too.
    """

    def list_dags(
        self,
        *,
        pattern: str | None = None,
        tags: Sequence[str] = (),
        paused: bool | None = None,
        include_stale: bool = False,
        limit: int = 100,
        after: str | None = None,
    ) -> list[DagRow]:
        """By dag_id; `pattern` is a case-insensitive part of the id; `after` is the last dag_id of the page before."""

    def list_import_errors(self) -> list[ImportErrorRow]: ...
    def list_runs(
        self,
        *,
        dag_id: str | None = None,
        states: Sequence[DagRunState] = (),
        run_types: Sequence[DagRunType] = (),
        limit: int = 100,
        before: str | None = None,
    ) -> list[RunRow]:
        """Newest first by run_key; `before` is the last run_key of the page before."""

    def list_versions(self, dag_id: str, limit: int = 100) -> list[VersionRow]:
        """Newest first."""

    def count_task_states(self, run_keys: Sequence[str]) -> dict[str, dict[TaskInstanceState | None, int]]: ...
    def list_xcoms(self, ti_id: str) -> list[XComRow]: ...
    def get_rendered(self, ti_id: str) -> dict[str, Any] | None: ...
    def list_running_tasks(self, limit: int = 1000) -> list[TaskRow]: ...


class Transaction(
    DagTx,
    RunTx,
    TaskTx,
    LimitTx,
    ComponentTx,
    SecretTx,
    TriggerTx,
    RunRetryTx,
    AssetTx,
    TimetableTx,
    HitlTx,
    PastTx,
    PeopleTx,
    OutboxTx,
    StateStoreTx,
    BackfillTx,
    DeadlineTx,
    RetentionTx,
    Reads,
    Protocol,
):
    """One unit of work: all or nothing."""

    def now(self) -> datetime:
        """The judge's time: the database's (PostgreSQL), this machine's (SQLite), the injected clock's (memory)."""

    def ring(self, *topics: str) -> None:
        """Ring after the commit. Topics: "inbox", "runs" (a queued run), "dags" (publication, pause), "limits" (slots
        freed or changed), "agents", "changes" (anything a watcher may show; rung by every method that moves states).
        """


class Store(Protocol):
    """The database."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """Open, commit at the end of the block, roll back on an exception. SQLite takes the write lock at the start."""

    def read(self) -> AbstractContextManager[Transaction]:
        """A snapshot for reading only; never blocks writers."""

    def listen(self, topics: Iterable[str]) -> Listener: ...

    def close(self) -> None: ...
