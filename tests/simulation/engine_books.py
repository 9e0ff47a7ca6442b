"""What the witness writes down of every commit: the facts the checkers compare with, never what the engine thinks.

Rows are the only source. For each task instance the books keep what its owner may know of it: the states it went
through since the owner last had no news left to read, and the present one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.simulation.engine_store import Change, WatchedStore
from tests.simulation.oracle import Key, Oracle, Row, World

from tradewind.ports.rows import DagRow, PoolRow, RunRow, TaskRow
from tradewind.ports.run_retries import RunRetryRow
from tradewind.store.memory.data import InboxLine
from tradewind.wire.document import DagDocument
from tradewind.wire.ids import path_of
from tradewind.wire.states import TaskInstanceState

OUTSIDE = (TaskInstanceState.DEFERRED, TaskInstanceState.AWAITING_INPUT, TaskInstanceState.SCHEDULED)
"""Not in an executor's hands; a pool that counts deferred ones keeps its slots all the same."""
Known = tuple[Key, Row]
"""A version of an instance: where it stood, and how."""


@dataclass(slots=True)
class Commit:
    """One transaction that became durable. Pairs are (before, after)."""

    at: datetime
    who: str
    """"desk", "person", "maintenance", "maker", or the incarnation of a scheduler."""
    place: Any = None
    """Of the scheduler."""
    tasks: list[tuple[TaskRow | None, TaskRow | None]] = field(default_factory=list)
    runs: list[tuple[RunRow | None, RunRow | None]] = field(default_factory=list)
    pools: list[tuple[PoolRow | None, PoolRow | None]] = field(default_factory=list)
    dags: list[tuple[DagRow | None, DagRow | None]] = field(default_factory=list)
    retries: list[tuple[RunRetryRow | None, RunRetryRow | None]] = field(default_factory=list)
    put: list[InboxLine] = field(default_factory=list)
    taken: list[InboxLine] = field(default_factory=list)
    counters: set[str] = field(default_factory=set)
    """Keys of counters ("dag/task") that changed."""

    @staticmethod
    def of(at: datetime, who: str, place: Any, changes: list[Change]) -> Commit:
        commit = Commit(at, who, place)
        for table, key, old, new in changes:
            match table:
                case "task_instance":
                    commit.tasks.append((old, new))
                case "dag_run":
                    commit.runs.append((old, new))
                case "pool":
                    commit.pools.append((old, new))
                case "dag":
                    commit.dags.append((old, new))
                case "run_retry":
                    commit.retries.append((old, new))
                case "task_limit":
                    commit.counters.add(key)
                case "inbox" if old is None and new is not None:
                    commit.put.append(new)
                case "inbox" if old is not None:
                    commit.taken.append(old)
        return commit

    @property
    def is_by_scheduler(self) -> bool:
        return self.place is not None

    @property
    def run_keys(self) -> set[str]:
        """Runs it is about."""
        keys = {row.run_key for _, row in self.tasks if row is not None}
        keys |= {row.run_key for _, row in self.runs if row is not None}
        return keys | {line.run_key for line in self.put} | {line.run_key for line in self.taken}

    @property
    def runs_tried_again(self) -> set[str]:
        """Runs that go on once more, after all of their tasks were over, by a retry of the run itself."""
        found = set()
        for old, row in self.retries:
            if row is None or row.due_at is not None:
                continue
            same = old if old is not None and old.clear_number == row.clear_number else None
            waited = same is not None and same.due_at is not None
            if waited or row.number > (0 if same is None else same.number):
                found.add(row.run_key)
        return found

    @property
    def matters(self) -> bool:
        """More than a heartbeat."""
        return bool(self.tasks or self.runs or self.pools or self.dags or self.put or self.taken)


class Books:
    """Sums and histories over all commits."""

    def __init__(self, store: WatchedStore, documents: dict[str, DagDocument]) -> None:
        self._store = store
        self.documents = documents
        """By version id."""
        self.oracles = {version: Oracle(document) for version, document in documents.items()}
        self.pool_slots: Counter[str] = Counter()
        self.run_tasks: Counter[str] = Counter()
        self.run_task_tasks: Counter[tuple[str, str]] = Counter()
        self.dag_task_tasks: Counter[str] = Counter()
        self.dag_runs: Counter[str] = Counter()
        """Running runs by what they take a run slot of: see `slots_of`."""
        self.news: Counter[str] = Counter()
        """run_key → lines in its inbox."""
        self.versions: dict[str, dict[str, list[Known]]] = defaultdict(dict)
        """run_key → ti_id → what the owner may know."""
        self.ever_good: set[str] = set()
        """Instances that were a success or skipped at some time."""
        self.tokens: dict[str, str] = {}
        """Every attempt token there was → its instance."""
        self.ends: dict[str, Any] = {}
        """Token → state in which its attempt left the rows."""
        self.wrote_at: datetime | None = None
        """When something other than heartbeats was written last."""

    # --- rows now

    @property
    def data(self) -> Any:
        return self._store.data

    def run(self, run_key: str) -> RunRow:
        return self.data.runs.rows[run_key]

    def runs(self) -> list[RunRow]:
        return list(self.data.runs)

    def tasks(self, run_key: str) -> list[TaskRow]:
        return self.data.tasks.found("run", run_key)

    def pool(self, name: str) -> PoolRow | None:
        return self.data.pools.rows.get(name)

    def document(self, run: RunRow) -> DagDocument:
        return self.documents[run.version_id]

    def oracle(self, run: RunRow) -> Oracle:
        return self.oracles[run.version_id]

    def world(self, run_key: str, now: datetime) -> World:
        """The rows of a run as the oracle takes them."""
        rows: dict[Key, Row] = {}
        for row in self.tasks(run_key):
            key, known = known_of(row)
            rows[key] = Row(known.state, known.length, known.skips, row.due_at is not None and row.due_at <= now)
        return World(rows)

    # --- entering

    def enter(self, commit: Commit) -> None:
        for old, new in commit.tasks:
            self._count(old, -1)
            self._count(new, +1)
            if new is None:
                continue
            if old is not None and old.attempt_token is not None and new.state not in ("queued", "running", old.state):
                self.ends.setdefault(old.attempt_token, new.state)
            if new.attempt_token is not None:
                self.tokens.setdefault(new.attempt_token, new.ti_id)
            if new.state in ("success", "skipped", "removed"):
                self.ever_good.add(new.ti_id)
            known, versions = known_of(new), self.versions[new.run_key].setdefault(new.ti_id, [])
            if not versions or versions[-1] != known:
                versions.append(known)
        for before, after in commit.runs:
            if before is not None and before.state == "running":
                self.dag_runs[slots_of(before)] -= 1
            if after is not None and after.state == "running":
                self.dag_runs[slots_of(after)] += 1
        for line in commit.put:
            self.news[line.run_key] += 1
        for line in commit.taken:
            self.news[line.run_key] -= 1
        if commit.matters:
            self.wrote_at = commit.at

    def settle(self, commit: Commit) -> None:
        """After the checkers have looked: an owner that read all its news knows how things stand."""
        if commit.is_by_scheduler:
            for run_key in {new.run_key for _, new in commit.tasks if new is not None} | {
                x.run_key for x in commit.taken
            }:
                if not self.news[run_key]:
                    for versions in self.versions[run_key].values():
                        del versions[:-1]

    def _count(self, row: TaskRow | None, sign: int) -> None:
        if row is not None and row.holds_slot:
            self.pool_slots[row.pool] += sign * row.pool_slots
            if row.state not in OUTSIDE:
                self.run_tasks[row.run_key] += sign
                self.run_task_tasks[row.run_key, row.task_id] += sign
            self.dag_task_tasks[f"{row.dag_id}/{row.task_id}"] += sign


def slots_of(run: RunRow) -> str:
    """Whose run slot a run takes: the DAG's, or the backfill's."""
    return run.dag_id if run.backfill_id is None else f"backfill {run.backfill_id}"


def named(row: TaskRow) -> str:
    """As sentences say it."""
    return f"{row.task_id}[{row.map_path}] of run {row.run_id} of {row.dag_id}"


def known_of(row: TaskRow) -> Known:
    return (row.task_id, path_of(row.map_path)), Row(row.state, row.xcom_length, tuple(row.skips))
