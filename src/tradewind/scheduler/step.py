"""One step of the scheduler: gather what happened, ask the planner, admit what is ready, write everything in one
transaction.

Order of locks, the same in every scheduler, so that two of them never wait for each other in a circle: DAG rows
(creation, start and end of runs), run rows, task instances, pools by name, limits by key.

The runs in memory are changed while the transaction is open. If it does not commit, the caller throws the touched runs
away and loads them again: rows are the truth, memory is a cache.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tradewind.commands import listening
from tradewind.commands.deadlines import has_deadlines, settle_ended_run
from tradewind.commands.waits import resumes_of
from tradewind.domain.admission import UNLIMITED, Demand, Draw
from tradewind.domain.planner import InstanceSnapshot, RunPlan, changes, events
from tradewind.kernel.log import get_logger
from tradewind.ports.executor import Executor
from tradewind.ports.outbox_rows import OutboxRow
from tradewind.ports.rows import PoolRow, RunRow, TaskRow
from tradewind.ports.store import TaskMove, Transaction
from tradewind.wire.deferral import Resume
from tradewind.wire.document import TaskDocument
from tradewind.wire.errors import NotFound
from tradewind.wire.execution import XComValue
from tradewind.wire.ids import path_of, path_text
from tradewind.wire.inbox import (
    InboxEvent,
    InstanceReported,
    InstancesCleared,
    PastChanged,
    RunNudged,
    RunRenewed,
    RunStopAsked,
)
from tradewind.wire.states import (
    EXECUTING_STATES,
    LIVE_RUN_STATES,
    TERMINAL_STATES,
    DagRunState,
    DagRunType,
    TaskInstanceState,
)
from tradewind.wire.workload import Workload

from . import assets, births, callbacks, creation, gates, limits, run_retries, waits
from .owned import Instance, Key, OwnedRun
from .writes import RunEnd, Writes

if TYPE_CHECKING:
    from .memory import Memory

S = TaskInstanceState
_OF_UNBORN = (changes.Create, changes.Ready, changes.FinishRun)
"""Changes that need no row."""
log = get_logger("scheduler")


class Step:
    """One step over `memory` inside the transaction `tx` at the instant `now`."""

    def __init__(self, memory: Memory, tx: Transaction, now: datetime, inbox_max: int) -> None:
        self.memory = memory
        self.inbox_max = inbox_max
        self.tx = tx
        self.now = now
        self.writes = Writes()
        self.touched: set[str] = set()
        """Runs whose memory this step changed."""
        self.begun: set[str] = set()
        """Runs that this step started: lines that were left over when they ended before mean nothing any more."""
        self.finishing: dict[str, tuple[OwnedRun, DagRunState, str]] = {}
        """Runs whose plan says they are over; a line that is still to be heard may open them again."""
        self.stopped: set[str] = set()
        """Those of them that a person or a time-out ended."""
        self.finished: list[OwnedRun] = []
        self.entered: dict[str, tuple[OwnedRun, Instance]] = {}
        """ti_id → demands entered in this step."""
        self.starting: dict[str, tuple[OwnedRun, Instance]] = {}
        """ti_id → tries that begin in the triggerer, when this step has heard everything."""
        self.deltas: dict[str, int] = {}
        self.changed_tasks: dict[str, set[str]] = {}
        """run_key → tasks that ended, for gates of the following run."""
        self.freed_here: dict[str, int] = {}
        """Executor capacity that this step gives back; the executors hear of it after the commit."""
        self.grantees: dict[str, str | None] = {}
        self.given: dict[str, dict[str, XComValue]] = {}
        """run_key → task id → return value, for attempts granted in this step."""
        self.held_before: dict[str, tuple[Draw, ...]] = {}
        """ti_id → the draws that slots were counted with in the memory that is thrown away just now."""
        self.is_deciding = False
        """The ends of runs are being decided: what this step planned is not written yet."""
        self.resumes: dict[str, Resume] = {}
        """ti_id → how attempts that are queued in this step go on after a wait."""
        self.ended_by_people: set[str] = set()
        """Runs that a person ends in this step: their DAGs call nobody back, as in Airflow."""
        self.births = 0
        """Instances that came into being in this step."""
        self.short_granted = False
        """Room was left though something may fit: step again."""
        self.created_runs = 0
        self.started_runs = 0

    # --- gather ---------------------------------------------------------------------------------------------------
    # ------------

    def create_runs(self, limit: int) -> None:
        """Scheduled runs that are due."""
        self.created_runs = creation.create_due_runs(
            self.tx, self.memory.documents, self.now, self.memory.new_id, limit
        )

    def create_asset_runs(self, limit: int) -> None:
        """Runs of consumers of assets that were woken."""
        self.created_runs += assets.create_asset_runs(
            self.tx, self.memory.documents, self.now, self.memory.new_id, limit
        )

    def start_runs(self, limit: int) -> None:
        """Queued runs that may start."""
        for row in self.tx.run_start_queued(self.memory.id, self.now, limit):
            self.started_runs += 1
            self.begun.add(row.run_key)
            self._begin(row)
            self.writes.outbox += listening.of_run(
                "on_dag_run_running", row, "running", "", self.now, self.memory.new_id
            )

    def verify_ownership(self) -> None:
        """Forget every run that another scheduler took while this one stood still."""
        self._hold(list(self.memory.runs))

    def take_over(self, lease_seconds: float, limit: int) -> int:
        """Runs nobody owns; how many."""
        rows = self.tx.run_take_over(self.memory.id, lease_seconds, limit)
        for row in rows:
            log.info("run_taken_over", dag_id=row.dag_id, run_id=row.run_id, epoch=row.epoch)
            self.memory.drop(
                row.run_key
            )  # it may be our own, taken again after we stood still for longer than the lease
            self._load(row)
        return len(rows)

    def reload(self, run_keys: Iterable[str]) -> None:
        """Runs of ours that are not in memory, because it was thrown away when a transaction did not commit."""
        for run_key in run_keys:
            if run_key in self.memory.runs:
                continue
            row = self.tx.run_get(run_key, lock=True)
            if row is not None and row.owner == self.memory.id and row.state is DagRunState.RUNNING:
                self._load(row)

    def read_inbox(self, limit: int) -> int:
        """Events of runs in hand; how many.

        The runs are locked first and their lines read then: a person who clears or marks locks the run too, so what is
        decided here cannot be about rows that changed since.
        """
        epochs, lines = self.tx.inbox_open(self.memory.id, limit)
        self._check_epochs(epochs)
        looked_at: set[str] = set()
        # Lines that came in between are of runs not locked yet: lock those, and read once more.
        while strangers := {run_key for run_key, _ in lines} - self.touched - looked_at:
            looked_at |= strangers
            self._hold(strangers)
            self.reload(sorted(strangers))
            lines += self.tx.inbox_take(self.memory.id, limit)
        by_run: dict[str, list[InboxEvent]] = {}
        for run_key, event in lines:
            by_run.setdefault(run_key, []).append(event)
        for run_key, news in by_run.items():
            run = self.memory.runs.get(run_key)
            if run is not None and run_key in self.touched:
                present = self._renewed(run, news)
                if present is not None and run_key not in self.begun:
                    ordered = in_order(news, present.plan.graph.index)
                    for number, event in enumerate(ordered, 1):
                        self._hear(present, event, ordered[number:])
            elif run_key in looked_at - self.touched:  # taken over by another scheduler: the lines are for it
                self.writes.inbox += [(run_key, event) for event in news]
        return len(lines)

    def fire_timers(self) -> None:
        """What has become due: delays, pokes, time-outs of runs."""
        timers = self.memory.timers
        due: dict[str, list[str]] = {}
        while timers and timers[0][0] <= self.now:
            _, run_key, ti_id = heapq.heappop(timers)
            if run_key in self.memory.runs:
                due.setdefault(run_key, []).append(ti_id)
        for run in self._hold(due):
            for ti_id in due[run.run_key]:
                self._due(run, ti_id)

    def take_returned(self) -> None:
        """Workloads that executors gave back."""
        for executor in self.memory.executors.values():
            for returned in executor.events():
                found = self.memory.tokens.get(returned.token)
                if found is not None and found[0] in self.memory.runs:
                    run = self.memory.runs[found[0]]
                    if any(True for _ in self._hold([run.run_key])):
                        self._hand_back(run, run.by_id[found[1]], returned.token, returned.reason)

    # --- runs -----------------------------------------------------------------------------------------------------
    # -------------

    def _begin(self, row: RunRow) -> None:
        """A run starts: for the first time, or again after a clear."""
        if row.clear_number or row.epoch > 1:
            self._load(row)
            return
        dag = self.memory.documents.get(self.tx, row.version_id)
        plan, out = RunPlan.start(self.memory.graph(dag, row))
        run = self._adopt(OwnedRun(row, dag, plan))
        self._carry(run, out)

    def _load(self, row: RunRow) -> None:
        """A run comes from its rows. One without instances never began."""
        image = self.tx.run_load(row.run_key)
        if image is None:
            return
        dag = self.memory.documents.get(self.tx, row.version_id)
        graph = self.memory.graph(dag, row)
        if not image.instances:
            plan, out = RunPlan.start(graph)
            self._carry(self._adopt(OwnedRun(row, dag, plan)), out)
            return
        snapshots = [self._snapshot(dag.tasks.get(r.task_id), r) for r in image.instances]
        asked = None
        if any(task.is_teardown for task in dag.document.tasks):
            asked = run_retries.asked_before(self, row.run_key, row.clear_number)
        plan, out = RunPlan.load(graph, snapshots, asked)
        run = self._adopt(OwnedRun(row, dag, plan))
        for task_row in image.instances:
            self._recall(run, task_row)
        renamed = {change.key for change in out if isinstance(change, changes.Rename)}
        gone = [each for each in run.instances.values() if each.key not in renamed and not run.knows(each.key)]
        if gone:
            out = self._let_go_of(run, gone, out)
        self._carry(run, out)
        self._look_back(run, [key for key in run.instances if self._is_gated(run, key)])

    def _let_go_of(self, run: OwnedRun, gone: list[Instance], out: list[changes.Change]) -> list[changes.Change]:
        """Instances that this version of the DAG does not have: what has not ended is removed, what lives is stopped.
        The run goes on without them. The changes that are left to do.
        """
        keys = {instance.key: instance for instance in gone}
        reasons = {each.key: each.reason for each in out if isinstance(each, changes.Remove) and each.key in keys}
        rows = {row.ti_id: row for row in self.tx.task_get_many([keys[key].ti_id for key in reasons])}
        for key, reason in reasons.items():
            instance = keys[key]
            row = rows.get(instance.ti_id)
            if row is not None and row.state in (*EXECUTING_STATES, *waits.STATES):
                self._stop(run, instance, S.FAILED, reason)
            else:
                self._set(run, key, "remove", reason, {"ended_at": self.now})
        for instance in gone:
            run.forget(instance)
        return [each for each in out if not (isinstance(each, changes.Remove) and each.key in keys)]

    def _renewed(self, run: OwnedRun, news: list[InboxEvent]) -> OwnedRun | None:
        """The run as it is after its news of another version, if there are any; None: they are heard in the next step,
        because what this one has planned by the old version is not written yet.
        """
        if not any(isinstance(event, RunRenewed) for event in news):
            return run
        row = self.tx.run_get(run.run_key)
        if row is None or (row.version_id, row.bundle_version) == (run.row.version_id, run.row.bundle_version):
            return run
        if self.is_deciding:
            self.writes.inbox += [(run.run_key, event) for event in news]
            self.finishing.pop(run.run_key, None)
            return None
        self.held_before = dict(run.held)
        self.memory.drop(run.run_key)
        self._load(row)
        self.held_before = {}
        return self.memory.runs.get(run.run_key)

    def _adopt(self, run: OwnedRun) -> OwnedRun:
        self.touched.add(run.run_key)
        self.memory.runs[run.run_key] = run
        self.memory.remember_bounds(run)
        if run.times_out_at is not None:
            heapq.heappush(self.memory.timers, (run.times_out_at, run.run_key, ""))
        return run

    def _snapshot(self, task: TaskDocument | None, row: TaskRow) -> InstanceSnapshot:
        gated = task is not None and gates.is_gated(task)
        return InstanceSnapshot(
            task_id=row.task_id,
            path=path_of(row.map_path),
            state=row.state,
            try_number=row.try_number,
            due_at=row.due_at,
            length=row.xcom_length,
            skips=tuple(row.skips),
            past_ok=False if gated else None,
        )

    def _recall(self, run: OwnedRun, row: TaskRow) -> None:
        instance = Instance((row.task_id, path_of(row.map_path)), row.ti_id, row.max_tries)
        instance.refresh(row)
        run.add(instance)
        if row.holds_slot:
            run.hold(row.ti_id, self.held_before.get(row.ti_id) or self._draws_of(run, row))
            if row.state in waits.STATES and waits.keeps_slots(self, run, instance):
                self._free(run.keep_shared(row.ti_id))
            elif row.state not in EXECUTING_STATES:
                self._release(run, instance)
        if instance.token is not None:
            self.memory.tokens[instance.token] = (run.run_key, row.ti_id)
            # Nobody here saw it delivered: ask at once.
            self.memory.in_doubt[instance.token] = float("-inf")
            self.memory.has_recalled = True
            self._executor(row.executor).occupy([instance.token])
        if row.due_at is not None and row.state in (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE):
            heapq.heappush(self.memory.timers, (row.due_at, run.run_key, row.ti_id))
        elif row.state in waits.STATES:
            waits.rest(self, run, row.ti_id, row)

    def _draws_of(self, run: OwnedRun, row: TaskRow) -> tuple[Draw, ...]:
        """What the slots of this row were counted with: by the version of the DAG that its attempt was queued by, and
        the pool that the row names.
        """
        version_id = row.version_id
        if row.state not in EXECUTING_STATES and row.state not in TERMINAL_STATES:
            past = self.tx.attempt_list(row.ti_id)  # cleared: the row may be of another version already
            version_id = past[-1].version_id if past else version_id
        dag = run.dag
        if version_id and version_id != run.dag.version_id:
            try:
                dag = self.memory.documents.get(self.tx, version_id)
            except NotFound:
                pass
        task = dag.tasks.get(row.task_id)
        draws = limits.draws_of(run, task, row.executor or self.memory.default_executor) if task else ()
        return (*(draw for draw in draws if not draw[0].startswith("pool:")), (f"pool:{row.pool}", row.pool_slots))

    def _hold(self, run_keys: Iterable[str]) -> Sequence[OwnedRun]:
        """Lock the runs; those that another scheduler took over meanwhile are forgotten."""
        wanted = [key for key in run_keys if key in self.memory.runs]
        fresh = [key for key in wanted if key not in self.touched]
        if fresh:
            epochs = self.tx.run_hold(self.memory.id, fresh)
            self._check_epochs({key: epochs.get(key, -1) for key in fresh})
        return [self.memory.runs[key] for key in wanted if key in self.memory.runs]

    def _check_epochs(self, epochs: dict[str, int]) -> None:
        """These runs are locked; what we hold in memory under another epoch is stale."""
        for key, epoch in epochs.items():
            run = self.memory.runs.get(key)
            if run is None or key in self.touched:
                continue
            if epoch == run.row.epoch:
                self.touched.add(key)
            else:
                log.warning("run_lost", dag_id=run.row.dag_id, run_id=run.row.run_id, epoch=run.row.epoch)
                self.memory.drop(key)

    # --- events ---------------------------------------------------------------------------------------------------
    # -------------

    def _hear(self, run: OwnedRun, event: InboxEvent, later: Sequence[InboxEvent]) -> None:
        if run.run_key not in self.memory.runs:
            return  # over since an earlier line of this step
        match event:
            case InstanceReported():
                self._reported(run, event)
            case InstancesCleared():
                self._cleared(run, event)
            case PastChanged(task_ids):
                wanted = set(task_ids or run.dag.tasks)
                self._look_back(
                    run,
                    [
                        key
                        for key in run.instances
                        if self._is_gated(run, key) and (key[0] in wanted or self._waits_below(run, key, wanted))
                    ],
                )
            case RunStopAsked():
                self.ended_by_people.add(run.run_key)
                reopened = any(_clears(run, each) for each in later)
                self._stop_run(run, events.StopRun(event.state, event.reason, keep_teardowns=True, reopened=reopened))
            case RunNudged():
                self.memory.queue.freed_where(
                    ("pool:", "limit:", "executor:", "backfill:", f"run:{run.run_key}", f"runtask:{run.run_key}")
                )

    def _reported(self, run: OwnedRun, event: InstanceReported) -> None:
        instance = run.by_id.get(event.ti_id)
        if instance is None:
            return
        if event.state is S.SCHEDULED:
            waits.woken(self, run, instance)
            return
        if event.state in waits.STATES:
            waits.begun(self, run, instance, event)
            return
        self._end_attempt(run, instance, event.cancel_token, f"the task was set to {event.state}")
        self._unwant(instance)
        if event.state in TERMINAL_STATES:
            self.writes.take_back(event.ti_id)  # its row is decided: by its own end, or by a person
            self._note_ended(run, instance.key[0])
            was_finished = run.plan.finished
            self._apply(run, events.Ended(instance.key, event.state, event.length, event.skips))
            if was_finished and run.run_key not in self.stopped:
                self._apply(run, events.Cleared(()))  # a person marked it: the run may end otherwise
            return
        for row in self.tx.task_get_many([event.ti_id]):
            instance.refresh(row)
            if row.state in TERMINAL_STATES:  # it was stopped when nobody knew yet that it rests
                self._apply(run, events.Ended(instance.key, row.state))
                return
        due = event.due_at or self.now
        self._apply(run, events.Waiting(instance.key, event.state, due))
        heapq.heappush(self.memory.timers, (due, run.run_key, event.ti_id))
        if due <= self.now:
            self.fire_timers()

    def _cleared(self, run: OwnedRun, event: InstancesCleared) -> None:
        keys: list[Key] = []
        for cleared in event.instances:
            instance = run.by_id.get(cleared.ti_id)
            if instance is None:  # this version of the DAG does not have it
                self.writes.move("remove", cleared.ti_id, "not part of this version", {"ended_at": self.now})
                continue
            self.writes.take_back(cleared.ti_id)
            self._end_attempt(run, instance, cleared.cancel_token, "the task was cleared")
            self._unwant(instance)
            self._note_ended(run, instance.key[0])
            keys.append(instance.key)
        for row in self.tx.task_get_many([c.ti_id for c in event.instances]):
            if row.ti_id in run.by_id:
                run.by_id[row.ti_id].refresh(row)
        if keys:
            # First the past as it is now: what is cleared may begin at once.
            self._look_back(run, [key for key in keys if self._is_gated(run, key)])
            was_asked = run.plan.asked is not None
            self._apply(run, events.Cleared(tuple(keys)))
            if was_asked:
                run_retries.remember_asked(self, run)

    def _due(self, run: OwnedRun, ti_id: str) -> None:
        if not ti_id:
            if run.times_out_at is not None and run.times_out_at <= self.now:
                seconds = run.dag.document.dagrun_timeout_seconds
                self._stop_run(
                    run,
                    events.StopRun(
                        DagRunState.FAILED, f"the run passed its time-out of {seconds:g} s (dagrun_timeout)", S.SKIPPED
                    ),
                )
            return
        if ti_id == run_retries.TIMER:
            run_retries.due(self, run)
            return
        instance = run.by_id.get(ti_id)
        if instance is not None and run.plan.state(instance.key) in waits.STATES:
            waits.time_out(self, instance)
        elif instance is not None:
            self._apply(run, events.Due(instance.key))

    def _hand_back(self, run: OwnedRun, instance: Instance, token: str, reason: str) -> None:
        if instance.token != token:
            return
        instance.try_number -= 1  # this try has not begun; its number is given to the next start
        self.writes.move("requeue", instance.ti_id, reason, {"try_number": instance.try_number}, token=token)
        self._end_attempt(run, instance, None, reason)
        instance.is_scheduled = True
        self._apply(run, events.Requeued(instance.key))
        self._want(run, instance)

    def _look_back(self, run: OwnedRun, keys: list[Key]) -> None:
        for gate in gates.look_back(self.tx, run, keys):
            if gate.key in run.instances:  # an earlier gate may have let a placeholder expand
                self._apply(run, gate)

    def _is_gated(self, run: OwnedRun, key: Key) -> bool:
        task = run.dag.tasks.get(key[0])
        return task is not None and gates.is_gated(task)

    def _waits_below(self, run: OwnedRun, key: Key, changed: set[str]) -> bool:
        task = run.dag.tasks.get(key[0])
        return (
            task is not None
            and task.wait_for_downstream
            and any(key[0] in t.upstream for t in map(run.dag.tasks.get, changed) if t is not None)
        )

    # --- consequences
    # ------------------------------------------------------------------------------------------------------------------

    def _apply(self, run: OwnedRun, event: events.Event) -> None:
        if run.run_key in self.memory.runs:
            self._carry(run, run.plan.apply(event))

    def _callbacks(self, run: OwnedRun, state: DagRunState, reason: str) -> list[OutboxRow]:
        if run.run_key in self.ended_by_people:
            return []
        return callbacks.of_run(run, state, reason, self.now, self.memory.new_id)

    def _stop_run(self, run: OwnedRun, event: events.StopRun) -> None:
        if run.run_key in self.memory.runs and run.plan.finished:  # it waits for its retry
            self.finishing[run.run_key] = (run, event.state, event.reason)
            self.stopped.add(run.run_key)
        else:
            self._apply(run, event)
            if run.plan.asked is not None:
                run_retries.remember_asked(self, run)

    def _carry(self, run: OwnedRun, out: list[changes.Change]) -> None:
        born: list[Key] = []
        for change in out:
            if run.unborn and not isinstance(change, _OF_UNBORN):
                births.give_birth(self, run, change.key)
            match change:
                case changes.Create(key, reason):
                    if births.waits(self, run, key, reason):
                        continue
                    self._create(run, key, reason)
                    if self._is_gated(run, key):
                        born.append(key)
                case changes.Rename(key, to, _):
                    instance = run.rename(key, to)
                    self.writes.rename(instance.ti_id, path_text(to[1]))
                    born = [k for k in born if k != key]
                    if self._is_gated(run, to):
                        born.append(to)  # its past is that of one index now
                    self._note_ended(run, to[0])  # it stood for all indexes: those it does not have hold nobody now
                case changes.Ready(key, _) if key in run.unborn:
                    run.unborn_ready.add(key)
                case changes.Ready(key, _):
                    self._want(run, run.instances[key])
                case changes.Skip(key, reason):
                    self._set(run, key, "skip", reason, {"ended_at": self.now})
                case changes.FailUpstream(key, reason):
                    self._set(run, key, "fail_upstream", reason, {"ended_at": self.now})
                case changes.Remove(key, reason):
                    self._set(run, key, "remove", reason, {"ended_at": self.now})
                case changes.SucceedEmpty(key, reason):
                    self._succeed_empty(run, run.instances[key], reason)
                case changes.Stop(key, as_state, reason):
                    self._stop(run, run.instances[key], as_state, reason)
                case changes.FinishRun(state, reason, asked):
                    self.finishing[run.run_key] = (run, state, reason)
                    if asked:
                        self.stopped.add(run.run_key)
        self._look_back(run, [key for key in born if key in run.instances])

    def _create(self, run: OwnedRun, key: Key, reason: str) -> None:
        known = run.instances.get(key)
        task = run.dag.tasks[key[0]]
        if known is not None:
            known.max_tries = known.try_number + task.retries  # as with every clear
            self.writes.move("clear", known.ti_id, reason, {"max_tries": known.max_tries})
            return
        instance = Instance(key, self.memory.new_id(), task.retries)
        run.add(instance)
        self.writes.insert(
            TaskRow(
                ti_id=instance.ti_id,
                run_key=run.run_key,
                dag_id=run.row.dag_id,
                run_id=run.row.run_id,
                task_id=key[0],
                map_path=path_text(key[1]),
                reason=reason,
                max_tries=task.retries,
                pool=task.pool,
                pool_slots=task.pool_slots,
                queue=task.queue,
                executor=task.executor,
                priority_weight=task.effective_weight,
                operator=task.operator,
                version_id=run.row.version_id,
                updated_at=self.now,
            )
        )

    def _want(self, run: OwnedRun, instance: Instance) -> None:
        """Ready: enter the queue for slots."""
        task = run.dag.tasks[instance.key[0]]
        if task.start_trigger is not None and waits.starts_in_triggerer(task, instance):
            self.starting[instance.ti_id] = (run, instance)
            return
        executor = self._executor_name(task)
        self.memory.queue.add(
            Demand(
                instance.ti_id,
                limits.draws_of(run, task, executor),
                task.effective_weight,
                self.now.timestamp(),
                run.row.run_after.timestamp(),
                run.row.run_type is DagRunType.BACKFILL,
            )
        )
        blocking = self.memory.queue.blocked_by(instance.ti_id)
        if blocking is not None and blocking.startswith(limits.SHARED):
            self.memory.queue.freed([blocking])  # others use it too: look again, so that the reason is a fact
        self.entered[instance.ti_id] = (run, instance)
        self.memory.waiting[instance.ti_id] = run.run_key

    def _set(self, run: OwnedRun, key: Key, change: str, reason: str, values: dict[str, object]) -> None:
        instance = run.instances[key]
        self._unwant(instance)
        if instance.first_started_at is not None:
            self.writes.over.append(instance.ti_id)
        self.writes.move(change, instance.ti_id, reason, values)
        self._note_ended(run, key[0])

    def _succeed_empty(self, run: OwnedRun, instance: Instance, reason: str) -> None:
        instance.try_number += 1
        values = {
            "started_at": self.now,
            "ended_at": self.now,
            "duration_seconds": 0.0,
            "try_number": instance.try_number,
        }
        self._set(run, instance.key, "succeed_empty", reason, values)

    def _stop(self, run: OwnedRun, instance: Instance, as_state: TaskInstanceState, reason: str) -> None:
        change = "stop_skipped" if as_state is S.SKIPPED else "stop"
        self._set(run, instance.key, change, reason, {"ended_at": self.now, "cause": "user"})
        self._end_attempt(run, instance, instance.token, reason)

    def _unwant(self, instance: Instance) -> None:
        self.memory.queue.discard(instance.ti_id)
        self.entered.pop(instance.ti_id, None)
        self.memory.waiting.pop(instance.ti_id, None)
        self.starting.pop(instance.ti_id, None)
        instance.is_scheduled = False

    def _end_attempt(self, run: OwnedRun, instance: Instance, cancel_token: str | None, reason: str) -> None:
        """The attempt in hand is over: slots back, executor told."""
        token = cancel_token or instance.token
        if cancel_token is not None:
            for name in self.memory.executors:
                self.writes.cancels[name][cancel_token] = reason
        self._leave_executor(instance, token)
        self._release(run, instance)

    def _leave_executor(self, instance: Instance, token: str | None = None) -> None:
        token = token or instance.token
        if token is not None:
            self.memory.tokens.pop(token, None)
            self.memory.in_doubt.pop(token, None)
            self.writes.forgets.append(token)
        instance.token = None

    def _release(self, run: OwnedRun, instance: Instance) -> None:
        draws = run.let_go(instance.ti_id)
        if draws:
            self.writes.releases.append(instance.ti_id)
            limits.shared_deltas(draws, -1, self.deltas)
            self._free(draws)

    def _free(self, draws: Iterable[Draw]) -> None:
        """What waits for these limits is looked at again."""
        for key, cost in draws:
            if key.startswith("executor:"):
                self.freed_here[key] = self.freed_here.get(key, 0) + cost
        self.memory.queue.freed([key for key, _ in draws])

    def _note_ended(self, run: OwnedRun, task_id: str) -> None:
        if run.row.logical_date is not None:
            self.changed_tasks.setdefault(run.run_key, set()).add(task_id)

    def _finish(self, run: OwnedRun, state: DagRunState, reason: str) -> None:
        births.bear_all(self, run)
        for instance in run.instances.values():
            if instance.ti_id in self.memory.waiting:
                self._unwant(instance)
            if instance.ti_id in run.held or instance.ti_id in run.kept:
                self._end_attempt(run, instance, instance.token, reason)
        self.writes.ends.append(
            RunEnd(
                run.run_key,
                run.row.epoch,
                "succeed" if state is DagRunState.SUCCESS else "fail",
                reason,
                [
                    *self._callbacks(run, state, reason),
                    *listening.of_run(
                        f"on_dag_run_{state.value}", run.row, state.value, reason, self.now, self.memory.new_id
                    ),
                ],
            )
        )
        self.finished.append(run)
        self.memory.drop(run.run_key)

    # --- admission
    # ------------------------------------------------------------------------------------------------------------------
    # ---

    def end_runs(self) -> None:
        """Write the ends of runs (before pools are locked: see the order of locks).

        The rows of these runs are locked by now. Whoever clears something of theirs either did so before, then the line
        is in the inbox, or waits for us and finds the run finished. So the inbox is read once more.
        """
        self.is_deciding = True
        while self.finishing:
            if self.read_inbox(self.inbox_max):
                continue
            ending, self.finishing = self.finishing, {}
            for run, state, reason in ending.values():
                if not run.plan.finished or run.run_key not in self.memory.runs:
                    continue
                if run.run_key in self.stopped or not run_retries.postpones_end(self, run, state, reason):
                    self._finish(run, state, reason)
        for end in self.writes.ends:
            if self.tx.run_move(
                end.change, end.run_key, owner=self.memory.id, epoch=end.epoch, reason=end.reason, now=self.now
            ):
                self.tx.outbox_put(end.outbox)
            else:
                log.warning("run_end_refused", run_key=end.run_key, change=end.change)
        for run in self.finished:
            self._after_run(run)
        for run in self.finished:
            if has_deadlines(run.dag.document):
                settle_ended_run(self.tx, run.run_key, self.now)
        filled = {run.row.backfill_id for run in self.finished if run.row.backfill_id is not None}
        if filled:
            self.tx.backfill_complete(sorted(filled), self.now)
        self._tell_following()

    def _after_run(self, run: OwnedRun) -> None:
        bound = run.dag.document.max_consecutive_failed_dag_runs
        if bound and self.tx.run_count_failed_in_row(run.row.dag_id, bound) >= bound:
            reason = f"paused by itself: {bound} runs failed one after another (max_consecutive_failed_dag_runs)"
            if self.tx.dag_set_paused(run.row.dag_id, True, reason):
                log.warning("dag_paused", dag_id=run.row.dag_id, reason=reason)

    def _tell_following(self) -> None:
        """Gates of later runs look again at tasks that ended or expanded here."""
        for run_key, task_ids in self.changed_tasks.items():
            run = self.memory.runs.get(run_key) or next((r for r in self.finished if r.run_key == run_key), None)
            if run is None or run.row.logical_date is None or not gates.gated_tasks(run):
                continue
            following = self.tx.run_following(run.row.dag_id, run.row.logical_date)
            # A queued one too: it may begin at this moment and not see yet what is written here.
            if following is not None and following.state in LIVE_RUN_STATES:
                self.writes.inbox.append((following.run_key, PastChanged(tuple(sorted(task_ids)))))

    def admit_all(self, at_most: int) -> None:
        """Decide and write: the second half of a step."""
        self.end_runs()
        waits.start_all(self)
        self.admit(at_most)
        self.write()

    def admit(self, at_most: int) -> None:
        """Give slots to what is ready, best first; note why the rest waits."""
        queue = self.memory.queue
        in_play = self._pass_on(queue.limits_in_play(), at_most)
        changed = {key for key, delta in self.deltas.items() if delta}
        shared = {key for key in in_play if key.startswith(limits.SHARED)} | changed
        names = {key[5:] for key in shared if key.startswith("pool:")}
        pools = self.tx.pool_lock(names) if names else {}
        used = (
            self.tx.limit_lock({key[6:] for key in shared if key.startswith("limit:")})
            if any(k.startswith("limit:") for k in shared)
            else {}
        )
        room = self._room(in_play, pools, used)
        self._grant(queue.grant(room, at_most) if in_play else [])
        self.memory.pools = {name: row for name, row in self.memory.pools.items() if name not in names} | pools
        self._note_waiting(pools)
        self._count(self.deltas)

    def _pass_on(self, in_play: set[str], at_most: int) -> set[str]:
        """Slots of pools that this step gives back go to the best of what waits, without a look at the pool: nothing
        changes in its row. What is still in play then.

        Not for counters across runs, nor for pools that we have not seen lately or that have more used than slots.
        """
        shared = {key for key in in_play if key.startswith(limits.SHARED)}
        if not any(self.deltas.get(key, 0) < 0 for key in shared) or not all(
            key.startswith("pool:") and limits.pool_is_sound(self.memory.pools.get(key[5:])) for key in shared
        ):
            return in_play
        room = self._room(in_play - shared, {}, {}) | {key: -self.deltas.get(key, 0) for key in shared}
        queue = self.memory.queue
        granted = queue.grant(room, at_most)
        for demand in granted:
            for key, cost in demand.draws:
                if key.startswith("executor:"):
                    self.freed_here[key] = self.freed_here.get(key, 0) - cost
        self._grant(granted)
        queue.freed(shared)
        return queue.limits_in_play()

    def _grant(self, granted: list[Demand]) -> None:
        queue = self.memory.queue
        self._hold({self.memory.waiting[demand.ti_id] for demand in granted} - self.touched)
        self._read_given(granted)
        for demand in granted:
            if demand.ti_id in self.memory.waiting:
                self._queue(demand)
            else:  # its run was taken over by another scheduler: the room is there for others
                queue.freed([key for key, _ in demand.draws])
                self.short_granted = True

    def _room(self, in_play: set[str], pools: dict[str, PoolRow], used: dict[str, int]) -> dict[str, int]:
        room: dict[str, int] = {}
        for key in in_play:
            if key.startswith("pool:"):
                room[key] = limits.pool_room(pools.get(key[5:])) - self.deltas.get(key, 0)
            elif key.startswith("limit:"):
                room[key] = self.memory.bounds.get(key, UNLIMITED) - used.get(key[6:], 0) - self.deltas.get(key, 0)
            else:
                room[key] = limits.local_room(key, self.memory.runs, self.memory.executors) + self.freed_here.get(
                    key, 0
                )
        return room

    def _read_given(self, granted: list[Demand]) -> None:
        """Return values that go along with attempts that are granted in advance."""
        self._read_resumes(granted)
        wanted: dict[str, set[str]] = {}
        for demand in granted:
            run = self.memory.runs.get(self.memory.waiting.get(demand.ti_id, ""))
            task = run.dag.tasks[run.by_id[demand.ti_id].key[0]] if run is not None else None
            if run is not None and task is not None and task.inputs and self._grantee(self._executor_name(task)):
                wanted.setdefault(run.run_key, set()).update(task.inputs)
        if wanted:
            found = self.tx.xcom_inputs([(run_key, sorted(tasks)) for run_key, tasks in wanted.items()])
            self.given = {key: {value.task_id: value.value for value in values} for key, values in found.items()}

    def _read_resumes(self, granted: list[Demand]) -> None:
        """How instances go on that have waited outside."""
        waited = []
        for demand in granted:
            run = self.memory.runs.get(self.memory.waiting.get(demand.ti_id, ""))
            if run is not None and run.by_id[demand.ti_id].first_started_at is not None:
                waited.append(demand.ti_id)
        self.resumes = resumes_of(self.tx, waited) if waited else {}

    def _grantee(self, executor: str) -> str | None:
        """The agent that attempts for this executor are granted to; the same throughout the step."""
        if executor not in self.grantees:
            self.grantees[executor] = self.memory.executors[executor].grantee()
        return self.grantees[executor]

    def _executor_name(self, task: TaskDocument) -> str:
        return task.executor or self.memory.default_executor

    def _queue(self, demand: Demand) -> None:
        run = self.memory.runs[self.memory.waiting.pop(demand.ti_id)]
        self.touched.add(run.run_key)
        instance = run.by_id[demand.ti_id]
        self.entered.pop(demand.ti_id, None)
        task = run.dag.tasks[instance.key[0]]
        executor = self._executor_name(task)
        instance.grantee = self._grantee(executor)
        if not instance.in_try:
            instance.try_number += 1
        instance.in_try = instance.is_scheduled = False
        instance.resume = self.resumes.get(instance.ti_id)
        instance.token = self.memory.new_token()
        run.hold(instance.ti_id, demand.draws)
        limits.shared_deltas(demand.draws, 1, self.deltas)
        self.memory.tokens[instance.token] = (run.run_key, instance.ti_id)
        self.memory.in_doubt[instance.token] = self.memory.clock.monotonic()
        self.writes.move(
            "queue" if instance.resume is None else "queue_on",
            instance.ti_id,
            None,
            {
                "attempt_token": instance.token,
                "try_number": instance.try_number,
                "queued_at": self.now,
                "scheduled_at": self.now,
                "executor": executor,
                "holds_slot": True,
                "agent": instance.grantee,
            },
        )
        run.plan.apply(events.Admitted(instance.key))
        given = self.given.get(run.run_key, {}) if instance.grantee else {}
        own = {name: given[name] for name in task.inputs if name in given}
        workload = workload_of(run, task, instance, instance.grantee, own)
        if run.dag.document.disable_bundle_versioning:
            workload = replace(workload, bundle_version=self._newest_tree(run) or workload.bundle_version)
        self.writes.workloads[executor].append(workload)

    def _newest_tree(self, run: OwnedRun) -> str | None:
        """The tree that new runs of the DAG get now."""
        row = self.tx.dag_get(run.row.dag_id)
        return None if row is None else row.bundle_version

    def _note_waiting(self, pools: dict[str, PoolRow]) -> None:
        known = dict(self.memory.pools)
        for name, pool in pools.items():
            known[name] = replace(pool, used=pool.used + self.deltas.get(f"pool:{name}", 0))
        for ti_id, (run, instance) in self.entered.items():
            if instance.is_scheduled:
                continue
            key, task = self.memory.queue.blocked_by(ti_id), run.dag.tasks[instance.key[0]]
            reason = limits.describe_limit(key, run, task, known) if key else "ready, waits for its turn"
            self.writes.move("schedule", ti_id, reason, {"scheduled_at": self.now})
            instance.is_scheduled = True

    def _count(self, deltas: dict[str, int]) -> None:
        pools = {key[5:]: n for key, n in deltas.items() if n and key.startswith("pool:")}
        counters = {key[6:]: n for key, n in deltas.items() if n and key.startswith("limit:")}
        if pools:
            self.tx.pool_use(pools)
        if counters:
            self.tx.limit_use(counters)
        if any(n < 0 for n in deltas.values()):
            self.tx.ring("limits")

    # --- write ----------------------------------------------------------------------------------------------------
    # -------------

    def write(self) -> None:
        if self.writes.carry_out(self.tx, self.now, self._refused):
            self.tx.ring("changes")

    def _refused(self, change: str, ti_ids: Sequence[str]) -> None:
        """Rows that a person or a report moved in between: their inbox line is on its way and puts memory right. A
        queueing that was refused must not go out.
        """
        log.info("change_overtaken", change=change, instances=len(ti_ids))
        if change in ("stop", "stop_skipped"):
            self._skip_resting(change, ti_ids)
        if change not in ("queue", "queue_on"):
            return
        refused = set(ti_ids)
        for name, workloads in self.writes.workloads.items():
            self.writes.workloads[name] = [w for w in workloads if w.ti_id not in refused]
        for ti_id in refused:
            for run in self.memory.runs.values():
                instance = run.by_id.get(ti_id)
                if instance is not None:
                    self.deltas.clear()
                    draws = run.let_go(ti_id)
                    limits.shared_deltas(draws, -1, self.deltas)
                    self._count(self.deltas)
                    if instance.token is not None:
                        self.memory.tokens.pop(instance.token, None)
                        self.memory.in_doubt.pop(instance.token, None)
                    instance.token = None
                    break

    def _skip_resting(self, change: str, ti_ids: Sequence[str]) -> None:
        """What was to be stopped and has just gone to rest must not come back: it has not started, so it is skipped."""
        stops = self.writes.moves[change]
        moves = [
            TaskMove(row.ti_id, stops[row.ti_id].reason, None, {"ended_at": self.now})
            for row in self.tx.task_get_many(ti_ids, lock=True)
            if row.state in (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE, S.SCHEDULED)
        ]
        if moves:
            self.tx.task_move("skip", moves, self.now)

    def _executor(self, name: str | None) -> Executor:
        return (
            self.memory.executors.get(name or self.memory.default_executor)
            or self.memory.executors[self.memory.default_executor]
        )


def in_order(news: Sequence[InboxEvent], places: Mapping[str, int] | None = None) -> list[InboxEvent]:
    """News of one run as they must be heard: facts before decisions.

    The rows say already what was cleared and how attempts ended. So nothing may be decided meanwhile by what is not
    so: that would never be written, and what follows from it would.

    - First all clears; and no report of an attempt that was cleared after it.
    - Then reports, what went to rest before what ended: an end may stop the others, and what rests does not run.
      Of the ends those downstream come first: a person may have marked what an end upstream would decide by its rule.
    - Then ends of the run, each with the clears that came after it once more: they open the run again; and after them
      what was reported since of tasks they cleared, or the plan would take those for open while their rows are not.

    `places` are the tasks' places in topological order.
    """
    clears: list[InboxEvent] = []
    others: list[InboxEvent] = []
    stops: list[InboxEvent] = []
    reopened: set[str] = set()
    for event in news:
        match event:
            case InstancesCleared(instances):
                cleared = {instance.ti_id for instance in instances}
                others = [old for old in others if not (isinstance(old, InstanceReported) and old.ti_id in cleared)]
                stops = [old for old in stops if not (isinstance(old, InstanceReported) and old.ti_id in cleared)]
                clears.append(event)
                if stops:
                    stops.append(event)
                    reopened |= cleared
            case RunStopAsked():
                stops.append(event)
            case _:
                others.append(event)
                if isinstance(event, InstanceReported) and event.ti_id in reopened:
                    stops.append(event)
    return [*clears, *sorted(others, key=lambda event: _turn(event, places or {})), *stops]


def _clears(run: OwnedRun, event: InboxEvent) -> bool:
    return isinstance(event, InstancesCleared) and any(each.ti_id in run.by_id for each in event.instances)


def _turn(event: InboxEvent, places: Mapping[str, int]) -> tuple[bool, int]:
    if isinstance(event, InstanceReported) and event.state in TERMINAL_STATES:
        return True, -places.get(event.task_id, 0)
    return False, 0


def workload_of(
    run: OwnedRun,
    task: TaskDocument,
    instance: Instance,
    grantee: str | None = None,
    given: dict[str, XComValue] | None = None,
) -> Workload:
    """What the agent is asked to do for this attempt. Without `grantee` it begins only when its claim is answered."""
    assert instance.token is not None
    return Workload(
        token=instance.token,
        ti_id=instance.ti_id,
        task_id=instance.key[0],
        map_path=path_text(instance.key[1]),
        try_number=instance.try_number,
        max_tries=instance.max_tries,
        version_id=run.dag.version_id,
        bundle=run.dag.bundle,
        bundle_version=run.row.bundle_version or run.dag.bundle_version,
        file=run.dag.file,
        run=run.facts,
        isolation=task.isolation or run.dag.document.isolation,
        queue=task.queue,
        execution_timeout_seconds=task.execution_timeout_seconds,
        inputs=task.inputs,
        owner=task.owner,
        first_start=instance.first_started_at,
        resume=instance.resume,
        grantee=grantee or "",
        given=given or {},
    )
