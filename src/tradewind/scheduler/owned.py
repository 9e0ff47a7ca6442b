"""A run in the memory of its owner: the plan, and per instance what is needed to queue it. Rebuilt from rows on
take-over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tradewind.commands.documents import VersionedDag
from tradewind.domain.admission import Draw
from tradewind.domain.planner import RunPlan
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.wire.deferral import Resume
from tradewind.wire.errors import NotFound
from tradewind.wire.ids import MapPath
from tradewind.wire.states import TaskInstanceState
from tradewind.wire.workload import RunFacts

Key = tuple[str, MapPath]
_RESTS_IN_TRY = (TaskInstanceState.UP_FOR_RESCHEDULE, TaskInstanceState.DEFERRED, TaskInstanceState.AWAITING_INPUT)
_SHARED = ("pool:", "limit:")


class Instance:
    """What the owner keeps of a task instance beside the plan's state."""

    __slots__ = (
        "first_started_at", "grantee", "in_try", "is_scheduled", "key", "max_tries", "resume", "ti_id", "token",
        "try_number",
    )  # fmt: skip

    def __init__(self, key: Key, ti_id: str, max_tries: int) -> None:
        self.key = key
        self.ti_id = ti_id
        self.try_number = 0
        self.max_tries = max_tries
        self.token: str | None = None
        """Of the attempt in an executor's hands."""
        self.grantee: str | None = None
        """Incarnation of the agent that this attempt was granted to."""
        self.in_try = False
        """The next start goes on with the same try: it was rescheduled, or has waited."""
        self.is_scheduled = False
        """Its row says `scheduled` already."""
        self.first_started_at: datetime | None = None
        self.resume: Resume | None = None
        """How the attempt in hand goes on after a wait."""

    def refresh(self, row: TaskRow) -> None:
        """Take over what the row says."""
        self.try_number = row.try_number
        self.max_tries = row.max_tries
        self.first_started_at = row.first_started_at
        # A rescheduled one that waits for its slots ended without a cause; after a failure there is one.
        goes_on = row.state is TaskInstanceState.SCHEDULED and row.ended_at is not None and row.cause is None
        self.in_try = goes_on or row.state in _RESTS_IN_TRY
        self.is_scheduled = row.state is TaskInstanceState.SCHEDULED
        self.resume = None
        self.grantee = row.agent if row.state is TaskInstanceState.QUEUED else None
        self.token = row.attempt_token if row.state in (TaskInstanceState.QUEUED, TaskInstanceState.RUNNING) else None


class OwnedRun:
    """One run. `held` maps ti_id to the draws its slots were counted with; it mirrors `holds_slot` of the rows."""

    __slots__ = (
        "active",
        "by_id",
        "dag",
        "facts",
        "held",
        "instances",
        "kept",
        "plan",
        "row",
        "task_active",
        "unborn",
        "unborn_ready",
    )

    def __init__(self, row: RunRow, dag: VersionedDag, plan: RunPlan) -> None:
        self.row = row
        self.dag = dag
        self.plan = plan
        self.instances: dict[Key, Instance] = {}
        self.by_id: dict[str, Instance] = {}
        self.held: dict[str, tuple[Draw, ...]] = {}
        self.kept: dict[str, tuple[Draw, ...]] = {}
        """The same for instances that wait outside and keep what is counted across runs (pool.include_deferred)."""
        self.unborn: dict[Key, str] = {}
        """Instances of the plan that have no row yet, with the reason why they are (see `births`)."""
        self.unborn_ready: set[Key] = set()
        self.active = 0
        """Instances that count against max_active_tasks."""
        self.task_active: dict[str, int] = {}
        """task_id → instances that count against max_active_tis_per_dagrun."""
        self.facts = RunFacts(
            run_key=row.run_key,
            dag_id=row.dag_id,
            run_id=row.run_id,
            run_type=row.run_type,
            run_after=row.run_after,
            logical_date=row.logical_date,
            data_interval_start=row.data_interval_start,
            data_interval_end=row.data_interval_end,
            start_date=row.started_at,
            conf=row.conf,
            clear_number=row.clear_number,
            triggering_user_name=row.triggering_user_name,
            partition_key=row.partition_key,
            partition_date=row.partition_date,
        )

    @property
    def run_key(self) -> str:
        return self.row.run_key

    @property
    def times_out_at(self) -> datetime | None:
        seconds = self.dag.document.dagrun_timeout_seconds
        return self.row.started_at + timedelta(seconds=seconds) if seconds is not None and self.row.started_at else None

    def add(self, instance: Instance) -> None:
        self.instances[instance.key] = instance
        self.by_id[instance.ti_id] = instance

    def knows(self, key: Key) -> bool:
        """Whether the plan has this instance: rows of an older version of the DAG may have others."""
        try:
            self.plan.state(key)
        except NotFound:
            return False
        return True

    def forget(self, instance: Instance) -> None:
        """It is no part of the run any more."""
        del self.instances[instance.key], self.by_id[instance.ti_id]

    def rename(self, key: Key, to: Key) -> Instance:
        """The placeholder `key` is the first index `to` from now on."""
        instance = self.instances.pop(key)
        instance.key = to
        self.instances[to] = instance
        return instance

    def hold(self, ti_id: str, draws: tuple[Draw, ...]) -> None:
        """Count the slots of an instance."""
        self.held[ti_id] = draws
        self.active += 1
        task_id = self.by_id[ti_id].key[0]
        self.task_active[task_id] = self.task_active.get(task_id, 0) + 1

    def let_go(self, ti_id: str) -> tuple[Draw, ...]:
        """Give the slots back; empty when it held none."""
        draws = self.held.pop(ti_id, ())
        if draws:
            self.active -= 1
            self.task_active[self.by_id[ti_id].key[0]] -= 1
        return draws or self.kept.pop(ti_id, ())

    def keep_shared(self, ti_id: str) -> tuple[Draw, ...]:
        """Give back what only this run and its executor count; the rest stays held. What was given back."""
        draws = self.let_go(ti_id)
        self.kept[ti_id] = tuple(draw for draw in draws if draw[0].startswith(_SHARED))
        return tuple(draw for draw in draws if not draw[0].startswith(_SHARED))
