"""The scheduler as a service: wait for the bell, the next timer or the safety poll; step; hand workloads to the
executors.

Everything that decides stands in `step` and below. This loop owns the memory; nobody else touches it. The heartbeat
runs beside it in its own thread, because a long step must not look like a dead scheduler; the fence in every write
(owner and epoch) is what makes that safe.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tradewind.commands.waits import resumes_of
from tradewind.kernel.clock import Clock
from tradewind.kernel.ids import uuid7
from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.ports.executor import Executor
from tradewind.ports.rows import ComponentRow
from tradewind.ports.store import Store
from tradewind.wire.errors import LeaseLost, Unavailable
from tradewind.wire.states import TaskInstanceState

from . import births
from .memory import Memory
from .owned import Instance, OwnedRun
from .step import Step, workload_of

log = get_logger("scheduler")

TOPICS = ("inbox", "runs", "dags", "limits", "agents", "assets")
ASK_SECONDS_MIN = 0.25
DOUBT_SECONDS = 5.0
"""After this long in `queued` an executor is asked whether any agent has the attempt."""


@dataclass(frozen=True, slots=True)
class SchedulerOptions:
    """Settings of section `scheduler`."""

    name: str = ""
    """Stable over restarts; default: host name."""
    lease_seconds: float = 10.0
    safety_poll_seconds: float = 5.0
    batch_max: int = 500


class Scheduler:
    """One incarnation. `start` registers it; `step` does one round; `run` rounds until `stop`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        executors: Mapping[str, Executor],
        default_executor: str = "local",
        options: SchedulerOptions | None = None,
        *,
        new_id: Callable[[], str] = lambda: str(uuid7()),
        new_token: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self.store = store
        self.clock = clock
        self.options = options or SchedulerOptions()
        self._executors = executors
        self._default_executor = default_executor
        self._new_id = new_id
        self._new_token = new_token
        self.memory = self._new_memory()
        self._listener = store.listen(TOPICS)
        self._stopping = False
        self._beaten_at: datetime | None = None
        """By the clock that judges leases."""
        self._doubts_ownership = False
        """The heartbeat came so late that others may have taken runs."""
        self._rung: set[str] = set(TOPICS)
        self._reload: set[str] = set()
        self._look_around_at = 0.0
        self._ask_again: tuple[float, float] | None = None
        """When attempts that were recalled are asked about again, and the wait after that."""
        self._dags_due: datetime | None = None
        self._runs_due: datetime | None = None
        self._assets_due: datetime | None = None
        self._more = False

    def _new_memory(self) -> Memory:
        return Memory(
            self._new_id(), self.clock, self._executors, self._default_executor, self._new_id, self._new_token
        )

    # --- life -----------------------------------------------------------------------------------------------------
    # -------------

    def start(self) -> None:
        """Register; runs of an earlier incarnation of the same name are free to take at once."""
        now = self.clock.now()
        row = ComponentRow(
            kind="scheduler",
            id=self.memory.id,
            name=self.options.name or socket.gethostname(),
            hostname=socket.gethostname(),
            pid=os.getpid(),
            started_at=now,
            heartbeat_at=now,
        )
        with self.store.begin() as tx:
            tx.component_start(row)

    def beat(self) -> None:
        """The heartbeat. Raises `LeaseLost` when this incarnation was declared lost: the process ends and is started
        anew.
        """
        with self.store.begin() as tx:
            if not tx.component_beat("scheduler", self.memory.id):
                seconds = self.options.lease_seconds
                raise LeaseLost(f"scheduler {self.memory.id} was declared lost: no heartbeat for {seconds:g} s")
            # Not the monotonic clock of this machine: it stands still while the machine sleeps.
            now = tx.now()
        if self._beaten_at is None or (now - self._beaten_at).total_seconds() > self.options.lease_seconds / 2:
            self._doubts_ownership = True
        self._beaten_at = now

    def run(self) -> None:
        """Rounds until `stop`. Trouble with the database is waited out; anything else ends the process with its
        traceback.
        """
        pause = 0.1
        outage = Outage(log, "database_unavailable", "database_reached_again")
        while not self._stopping:
            try:
                self.step()
                pause = 0.1
                outage.over()
            except Unavailable as error:
                outage.met(error=str(error), again_in_seconds=pause)
                self.listen(pause)
                pause = min(pause * 2, 5.0)
                continue
            if not self._stopping:
                self.listen(self.patience())

    def stop(self) -> None:
        """End `run` soon; from any thread."""
        self._stopping = True
        self._listener.interrupt()

    def wake(self) -> None:
        """An executor has something to say; from any thread."""
        self._listener.interrupt()

    def close(self) -> None:
        """After `run` has ended: give the runs to others at once."""
        try:
            with self.store.begin() as tx:
                tx.run_release(self.memory.id)
                tx.component_stop("scheduler", self.memory.id)
                tx.ring("inbox", "runs")
        except Unavailable as error:
            log.warning("release_failed", error=str(error))
        self._listener.close()

    # --- one round
    # ------------------------------------------------------------------------------------------------------------------
    # ---

    def listen(self, seconds: float) -> None:
        """Wait for the bell, at most so long."""
        self._rung |= self._listener.wait(seconds)

    @property
    def has_news(self) -> bool:
        """Something rang that no step has looked at yet."""
        return bool(self._rung)

    def patience(self) -> float:
        """Seconds until something is due without a bell."""
        if self._more or self._reload:
            return 0.0
        now = self.clock.now()
        instants = [
            t
            for t in (
                self._dags_due,
                self._runs_due,
                self._assets_due,
                self.memory.timers[0][0] if self.memory.timers else None,
            )
            if t is not None
        ]
        look_around = self._look_around_at - self.clock.monotonic()
        if self._ask_again is not None:
            look_around = min(look_around, self._ask_again[0] - self.clock.monotonic())
        return max(0.0, min([look_around, *((t - now).total_seconds() for t in instants)]))

    def step(self) -> None:
        """One transaction and what follows from it. Raises `Unavailable`; memory that may differ from the rows is then
        loaded again.
        """
        rung, self._rung = self._rung, set()
        look_around = self.clock.monotonic() >= self._look_around_at
        before = set(self.memory.runs)
        doubting = self._doubts_ownership  # the heartbeat's thread may raise it again at any time
        if doubting:
            self._doubts_ownership = False
        step: Step | None = None
        try:
            with self.store.begin() as tx:
                step = Step(self.memory, tx, self.clock.now(), self.options.batch_max)
                self._gather(step, rung, look_around, doubting)
                step.admit_all(self.options.batch_max)
        except BaseException:
            self._rung |= rung
            if doubting:
                self._doubts_ownership = True
            self._forget(step, before)
            raise
        self._reload.clear()
        if look_around:
            self._look_around_at = self.clock.monotonic() + self.options.safety_poll_seconds
        self._hand_over(step)
        if look_around or self._is_to_ask():
            self._resolve_doubts()

    def _gather(self, step: Step, rung: set[str], look_around: bool, doubting: bool) -> None:
        batch, now = self.options.batch_max, step.now
        if doubting:
            step.verify_ownership()
        if look_around:
            step.take_over(self.options.lease_seconds, batch)
        if self._reload:
            step.reload(sorted(self._reload))
        if look_around or "dags" in rung or (self._dags_due is not None and self._dags_due <= now):
            step.create_runs(batch)
            self._dags_due = step.tx.dag_next_due()
        if look_around or "assets" in rung or (self._assets_due is not None and self._assets_due <= now):
            step.create_asset_runs(batch)
            self._assets_due = step.tx.asset_next_wake()
        if look_around or "runs" in rung or step.created_runs or (self._runs_due is not None and self._runs_due <= now):
            step.start_runs(batch)
            self._runs_due = self._next_start(step)
        if look_around or "limits" in rung or "agents" in rung:
            self.memory.queue.freed_where(("pool:", "limit:", "executor:", "backfill:"))
            self.memory.pools.clear()  # somebody may have changed them
        heard = step.read_inbox(batch)
        step.take_returned()
        step.fire_timers()
        births.bear(step)
        self._more = heard >= batch or step.started_runs >= batch or step.created_runs > 0

    def _next_start(self, step: Step) -> datetime | None:
        """When a queued run may be started next by time alone; one that waits for a run slot is woken by the bell of
        the run that ends.
        """
        due = step.tx.run_next_queued()
        return due if due is not None and due > step.now else None

    def _forget(self, step: Step | None, before: set[str]) -> None:
        """The transaction did not commit, or did and the answer was lost: what it touched in memory may not be true.
        All of it is loaded again, also runs that were not in memory before; rows that are not ours are left alone then.
        """
        if step is None:
            return
        for executor in self._executors.values():
            executor.release(step.writes.forgets)  # those that live after all are counted again with their runs
        for run_key in step.touched | (set(self.memory.runs) - before):
            self.memory.drop(run_key)
        self._reload |= step.touched
        self._look_around_at = 0.0

    def _hand_over(self, step: Step) -> None:
        self._more = self._more or step.short_granted or bool(self.memory.expecting)
        if step.finished:
            self._rung |= {"runs", "dags"}  # a run slot is free
            self._more = True
        for name, executor in self._executors.items():
            if step.writes.forgets:
                executor.release(step.writes.forgets)
            if name in step.writes.cancels:
                for token, reason in step.writes.cancels[name].items():
                    executor.cancel([token], reason)
            if step.writes.workloads.get(name):
                executor.submit(step.writes.workloads[name])

    def _is_to_ask(self) -> bool:
        """Attempts of a run that was just taken over may be nobody's: the executor is asked soon, and a few times more
        while its agent cannot be reached."""
        if not self.memory.has_recalled:
            return False
        if float("-inf") not in self.memory.in_doubt.values():
            self.memory.has_recalled, self._ask_again = False, None
            return False
        return self._ask_again is None or self._ask_again[0] <= self.clock.monotonic()

    def _resolve_doubts(self) -> None:
        """Attempts queued for long that no agent has (the message was lost with a crash between commit and delivery)
        are sent again.
        """
        limit = self.clock.monotonic() - DOUBT_SECONDS
        doubtful = [token for token, since in self.memory.in_doubt.items() if since <= limit]
        if not doubtful:
            return
        if self.memory.has_recalled:
            wait = ASK_SECONDS_MIN if self._ask_again is None else min(2 * self._ask_again[1], DOUBT_SECONDS)
            self._ask_again = (self.clock.monotonic() + wait, wait)
        with self.store.read() as tx:
            rows = tx.task_by_token(doubtful, lock=False)
            resumes = resumes_of(tx, [row.ti_id for row in rows.values() if row.first_started_at is not None])
        for token in doubtful:
            row = rows.get(token)
            if row is None or row.state is not TaskInstanceState.QUEUED:
                self.memory.in_doubt.pop(token, None)
        for name, executor in self._executors.items():
            grantee = executor.grantee()
            mine = [
                token
                for token in doubtful
                if token in self.memory.in_doubt
                and (rows[token].executor or self._default_executor) == name
                and rows[token].agent in (None, grantee)  # granted to another: it has it, or will be declared lost
            ]
            held = [self._holder(token) for token in (executor.unknown(mine) if mine else ())]
            for _, instance in held:
                instance.resume = resumes.get(instance.ti_id)
            again = [workload_of(run, run.dag.tasks[instance.key[0]], instance) for run, instance in held]
            if again:
                log.warning("workloads_sent_again", executor=name, count=len(again))
                executor.submit(again)

    def _holder(self, token: str) -> tuple[OwnedRun, Instance]:
        run_key, ti_id = self.memory.tokens[token]
        run = self.memory.runs[run_key]
        return run, run.by_id[ti_id]
