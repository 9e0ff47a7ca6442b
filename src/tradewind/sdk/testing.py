"""`dag.test()`: run a DAG in this process and thread, for a debugger or a test.

The same planner, retry rules and task execution as in production, on a world in memory. What differs: one task at a
time, retries do not wait out their delay, rescheduled sensors are called again after a second at most, and the run
before this one is taken as done.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import msgspec

from tradewind.domain.bounds import absent_tasks, without
from tradewind.domain.planner import Graph, RunPlan, changes, events
from tradewind.domain.retry import decide_failure
from tradewind.kernel.clock import Clock, SystemClock
from tradewind.ports.task_client import TaskClient
from tradewind.sdk.attempt import Attempt, working_on
from tradewind.sdk.callback_run import make_calls
from tradewind.sdk.dates import instant
from tradewind.sdk.execution import run_task
from tradewind.sdk.memory_client import (
    MemoryClient,
    MemoryWorld,
    given_connections,
    given_variables,
    read_connections,
    read_variables,
)
from tradewind.sdk.notset import NOTSET
from tradewind.sdk.testing_process import in_child
from tradewind.sdk.values import RETURN_KEY, PatternGate, decode_value
from tradewind.sdk.wait_here import wait_here
from tradewind.wire.deferral import Deferral, Resume
from tradewind.wire.document import DagDocument, TaskDocument
from tradewind.wire.execution import Outcome, XComValue
from tradewind.wire.ids import path_text
from tradewind.wire.states import DagRunState, DagRunType, TaskInstanceState
from tradewind.wire.workload import RunFacts, Workload

if TYPE_CHECKING:
    from tradewind.sdk.connections import Connection
    from tradewind.sdk.definition import DAG

RESCHEDULE_SECONDS_MAX = 1.0
"""The longest wait between two pokes of a rescheduled sensor."""
_log = logging.getLogger("tradewind.test")
_EVERY_CLASS = PatternGate(patterns=("*",))


@dataclass(frozen=True, slots=True)
class TestedTask:
    """One task instance after the run."""

    __test__ = False  # not a test case, whatever a test runner thinks of the name

    task_id: str
    map_index: int
    map_path: tuple[int, ...]
    state: TaskInstanceState | None
    try_number: int
    reason: str
    duration: float | None
    rendered_fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TestedRun:
    """A run after `dag.test()`."""

    __test__ = False

    dag_id: str
    run_id: str
    state: DagRunState
    reason: str
    logical_date: datetime | None
    run_after: datetime
    conf: Mapping[str, Any]
    task_instances: tuple[TestedTask, ...]
    world: MemoryWorld = field(repr=False)
    order: tuple[str, ...] = ()
    """Instances in the order in which their attempts began, retries included."""

    @property
    def states(self) -> dict[str, TaskInstanceState | None]:
        """Task id, with the index in brackets when mapped → state."""
        return {_shown(task.task_id, task.map_path): task.state for task in self.task_instances}

    @property
    def xcoms(self) -> dict[str, dict[str, Any]]:
        """Task id, with the index in brackets when mapped → key → value."""
        return {
            _shown(task.task_id, task.map_path): {
                key: self.xcom(task.task_id, key, map_index=task.map_path)
                for key in sorted(self.world.xcoms.get((task.task_id, path_text(task.map_path)), ()))
            }
            for task in self.task_instances
            if self.world.xcoms.get((task.task_id, path_text(task.map_path)))
        }

    def snapshot(self) -> dict[str, Any]:
        """What a test may compare: state of the run and of its tasks, their order, their values. No dates, no ids."""
        states = {name: None if state is None else state.value for name, state in sorted(self.states.items())}
        return {"state": self.state.value, "tasks": states, "order": list(self.order), "xcoms": self.xcoms}

    def get_task_instances(self) -> list[TestedTask]:
        return list(self.task_instances)

    def get_task_instance(self, task_id: str, map_index: int = -1) -> TestedTask | None:
        """The instance of a task; None when there is none."""
        return next((t for t in self.task_instances if (t.task_id, t.map_index) == (task_id, map_index)), None)

    def xcom(
        self, task_id: str, key: str = RETURN_KEY, *, map_index: int | tuple[int, ...] = -1, default: Any = None
    ) -> Any:
        """A value a task left; `default` when it left none."""
        path = map_index if isinstance(map_index, tuple) else () if map_index < 0 else (map_index,)
        stored = self.world.xcoms.get((task_id, path_text(path)), {}).get(key)
        if stored is None:
            return default
        return decode_value(stored, MemoryClient(self.world, (task_id, "")), _EVERY_CLASS)


def run_dag(
    dag: DAG,
    *,
    run_after: datetime | None = None,
    logical_date: Any = NOTSET,
    run_conf: dict[str, Any] | None = None,
    conn_file_path: str | None = None,
    variable_file_path: str | None = None,
    use_executor: bool = False,
    mark_success_pattern: re.Pattern[str] | str | None = None,
    connections: Mapping[str, Connection | str | Mapping[str, Any]] | None = None,
    variables: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    pause: Callable[[float], object] = time.sleep,
    wait_seconds_max: float = RESCHEDULE_SECONDS_MAX,
) -> TestedRun:
    """Run every task of `dag` here and now. A task that fails does not raise: the run's state says so.

    Parameters:
        run_after: instant before which the run would not start; default: now.
        logical_date: of the run; default: now; None: a run without one. As `run_after`, a datetime or an ISO text; one
            without time zone is meant in core.default_timezone.
        run_conf: its conf.
        conn_file_path, variable_file_path: JSON, YAML or `.env` file with connections or variables.
        use_executor: each attempt in a process of its own, as on a server: what it changes in memory is gone after it.
        mark_success_pattern: tasks whose id it matches are taken as successful without running.
        connections: by id: a `Connection`, a URI, or its fields; they win over those of the file.
        variables: by name: texts, or whatever JSON can hold; they win over those of the file.
        clock, pause: a clock of one's own, and what waits on it.
        wait_seconds_max: longest wait between two pokes of a rescheduled sensor, in seconds.

    Raises:
        InvalidDag: the DAG cannot be built.
        BadInput: a file cannot be read, or a connection is none.
    """
    machine = clock or SystemClock()
    facts = _run_facts(dag, run_after, logical_date, run_conf or {}, machine.now())
    world = MemoryWorld(
        dag.dag_id,
        facts.run_id,
        {**(read_connections(conn_file_path) if conn_file_path else {}), **given_connections(connections or {})},
        {**(read_variables(variable_file_path) if variable_file_path else {}), **given_variables(variables or {})},
    )
    run = _Run(dag, facts, world, machine, pause, re.compile(mark_success_pattern) if mark_success_pattern else None)
    run.in_processes, run.wait_seconds_max = use_executor, wait_seconds_max
    with _visible_log(world):
        return run.run()


def _run_facts(
    dag: DAG, run_after: datetime | None, logical_date: Any, conf: dict[str, Any], now: datetime
) -> RunFacts:
    date = now if logical_date is NOTSET else instant("logical_date", logical_date)
    after = instant("run_after", run_after) or now
    interval = dag.timetable.infer_manual_interval(date) if date is not None else (None, None)
    return RunFacts(
        run_key="test",
        dag_id=dag.dag_id,
        run_id=f"manual__{(date or after).isoformat()}",
        run_type=DagRunType.MANUAL,
        run_after=after,
        logical_date=date,
        data_interval_start=interval[0],
        data_interval_end=interval[1],
        start_date=now,
        conf=conf,
    )


@dataclass(slots=True)
class _Instance:
    """What is remembered of one task instance while the run goes on."""

    state: TaskInstanceState | None = None
    tries: int = 0
    max_tries: int = 0
    infrastructure_tries: int = 0
    first_start: datetime | None = None
    resumes: bool = False
    """Comes back from a reschedule or a wait: the try goes on."""
    resume: Resume | Outcome | None = None
    """How it goes on after a wait, or what the wait ended the task with."""
    reason: str = ""
    duration: float | None = None
    rendered: dict[str, Any] = field(default_factory=dict)


class _Run:
    def __init__(
        self,
        dag: DAG,
        facts: RunFacts,
        world: MemoryWorld,
        clock: Clock,
        pause: Callable[[float], object],
        mark_success: re.Pattern[str] | None,
    ) -> None:
        from tradewind.sdk.compile import compile_dag

        dag.validate()
        self._dag = dag
        self._facts = facts
        self._world = world
        self._clock = clock
        self._pause = pause
        self._mark_success = mark_success
        document = compile_dag(dag, file=dag.fileloc)
        self._document: DagDocument = without(document, absent_tasks(document, facts.logical_date, facts.run_type))
        world.assets = self._document.assets
        self._tasks: dict[str, TaskDocument] = {task.task_id: task for task in self._document.tasks}
        self._instances: dict[events.Key, _Instance] = {}
        self._ready: list[tuple[int, int, events.Key]] = []
        self._resting: list[tuple[datetime, events.Key]] = []
        self._order = 0
        self._begun: list[str] = []
        self.in_processes = False
        """Each attempt in a process of its own."""
        self.wait_seconds_max = RESCHEDULE_SECONDS_MAX
        self._result: changes.FinishRun | None = None

    def run(self) -> TestedRun:
        self._plan, follows = RunPlan.start(Graph.of(self._document))
        self._carry_out(follows)
        while self._result is None:
            if self._ready:
                self._carry_out(self._one(heappop(self._ready)[2]))
            elif self._resting:
                self._carry_out(self._wake())
            else:
                raise AssertionError("the planner left a run without anything to do and without an end")
        self._call_back(self._result)
        return self._tested(self._result)

    def _call_back(self, end: changes.FinishRun) -> None:
        """The DAG's own callbacks. One that raises is logged; the others, and the result, stay."""
        succeeded = end.state is DagRunState.SUCCESS
        name = "on_success_callback" if succeeded else "on_failure_callback"
        failed = [key for key, instance in self._instances.items() if instance.state is TaskInstanceState.FAILED]
        witness = (failed or list(self._instances))[-1:]
        for number, callback in enumerate(getattr(self._dag, name)):
            facts = {
                "run": msgspec.to_builtins(self._facts),
                "run_state": end.state.value,
                "reason": "success" if succeeded else "task_failure",
                "ti": {"task_id": witness[0][0], "map_path": path_text(witness[0][1])} if witness else {},
            }
            client = MemoryClient(self._world, _where(witness[0]) if witness else ("", ""))
            try:
                make_calls(
                    dag=self._dag, path="", kwargs={}, facts=facts, callback=name, number=number, task_id=None,
                    client=client, clock=self._clock,
                )  # fmt: skip
            except Exception as error:
                called = getattr(callback, "__qualname__", type(callback).__qualname__)
                _log.error("%s %s of DAG %s failed: %s", name, called, self._dag.dag_id, error, exc_info=error)

    # --- what the planner says ---------------------------------------------------------------------------------------

    def _carry_out(self, follows: list[changes.Change]) -> None:
        for change in follows:
            match change:
                case changes.Create(key, _):
                    self._create(key)
                case changes.Rename(key, to, _):
                    self._instances[to] = self._instances.pop(key)
                    self._world.states[_where(to)] = self._world.states.pop(_where(key), None)
                case changes.Ready(key, _):
                    self._order += 1
                    heappush(self._ready, (-self._tasks[key[0]].effective_weight, self._order, key))
                case changes.FinishRun():
                    self._result = change
                case _:
                    self._end(change.key, _STATE_OF[type(change)], change.reason)

    def _create(self, key: events.Key) -> None:
        task = self._tasks[key[0]]
        self._instances[key] = _Instance(max_tries=task.retries)
        self._world.states[_where(key)] = None
        if task.depends_on_past or task.wait_for_downstream:
            self._carry_out(self._plan.apply(events.PastGate(key, True, "no run before this one in dag.test()")))

    def _end(self, key: events.Key, state: TaskInstanceState, reason: str) -> None:
        instance = self._instances[key]
        instance.state, instance.reason = state, reason
        self._world.states[_where(key)] = state
        self._tell(key, f"{state}{f': {reason}' if reason else ''}")

    # --- what the tasks do -------------------------------------------------------------------------------------------

    def _one(self, key: events.Key) -> list[changes.Change]:
        instance = self._instances[key]
        if instance.state is not None and instance.state not in _RESTING:
            return []  # the plan took it back after it was ready
        self._plan.apply(events.Admitted(key))
        if self._mark_success is not None and self._mark_success.match(key[0]):
            self._end(key, TaskInstanceState.SUCCESS, "marked by mark_success_pattern")
            return self._plan.apply(events.Ended(key, TaskInstanceState.SUCCESS))
        if not instance.resumes:
            instance.tries += 1
            # As on a server: a new try begins without the values of the one before.
            self._world.xcoms.pop(_where(key), None)
        outcome = self._execute(key, instance)
        self._world.put(_where(key), outcome.xcoms)
        instance.duration = outcome.duration_seconds
        instance.rendered = outcome.rendered_fields or {}
        return self._follow(key, instance, outcome)

    def _execute(self, key: events.Key, instance: _Instance) -> Outcome:
        self._plan.apply(events.Started(key))
        instance.state = TaskInstanceState.RUNNING
        self._world.states[_where(key)] = instance.state
        self._tell(key, f"running, try {instance.tries}")
        self._begun.append(_shown(*key))
        task = self._tasks[key[0]]
        workload, inputs = self._workload(key, instance, task), self._inputs(task)

        def run(client: TaskClient) -> Outcome:
            return run_task(self._dag.get_task(key[0]), workload, client, inputs, clock=self._clock, pause=self._pause)

        client = MemoryClient(self._world, _where(key))
        return in_child(run, client) if self.in_processes else run(client)

    def _follow(self, key: events.Key, instance: _Instance, outcome: Outcome) -> list[changes.Change]:
        """What becomes of an outcome: the retry decision of production, without its delay."""
        now = self._clock.now()
        if outcome.deferral is not None:
            instance.first_start = instance.first_start or outcome.started_at
            instance.resume = self._wait(key, outcome, outcome.deferral)
            if isinstance(instance.resume, Outcome):
                self._world.put(_where(key), instance.resume.xcoms)
                return self._follow(key, instance, instance.resume)
            return self._rest(key, instance, outcome.state, now, outcome.reason)
        instance.resume = None
        if outcome.state is TaskInstanceState.UP_FOR_RESCHEDULE:
            instance.first_start = instance.first_start or outcome.started_at
            return self._rest(key, instance, outcome.state, outcome.reschedule_at or now, outcome.reason)
        if outcome.state is TaskInstanceState.FAILED:
            verdict = decide_failure(
                self._tasks[key[0]],
                instance.tries,
                instance.max_tries,
                instance.infrastructure_tries,
                outcome.cause,
                now,
                retry_wanted=outcome.retry,
                retry_delay_override=outcome.retry_delay_seconds,
            )
            instance.max_tries, instance.infrastructure_tries = verdict.max_tries, verdict.infrastructure_tries
            if verdict.retry:
                said = f"{outcome.reason}; {verdict.reason}, which dag.test() does not wait for"
                return self._rest(key, instance, TaskInstanceState.UP_FOR_RETRY, now, said)
        stored = self._world.xcoms.get(_where(key), {}).get(RETURN_KEY)
        if outcome.state is TaskInstanceState.SUCCESS:
            self._world.tell(outcome.asset_events or (), key[0], key[1][-1] if key[1] else -1, now)
        self._end(key, outcome.state, outcome.reason)
        length = stored.length if stored is not None else None
        return self._plan.apply(events.Ended(key, outcome.state, length, outcome.skips))

    def _rest(
        self, key: events.Key, instance: _Instance, state: TaskInstanceState, due_at: datetime, reason: str
    ) -> list[changes.Change]:
        instance.resumes = state is not TaskInstanceState.UP_FOR_RETRY
        if not instance.resumes:
            instance.first_start = None
        self._end(key, state, reason)
        heappush(self._resting, (due_at, key))
        return self._plan.apply(events.Waiting(key, state, due_at))

    def _wait(self, key: events.Key, outcome: Outcome, deferral: Deferral) -> Resume | Outcome:
        """Wait for a trigger here and now; of a question, take the answer that was meant for when nobody answers."""
        self._tell(key, f"{outcome.state}: {outcome.reason}")
        client = MemoryClient(self._world, _where(key))
        with working_on(Attempt(client, f"test-{_shown(*key)}", self._clock, self._pause)):
            return wait_here(deferral, outcome.question, self._clock.now())

    def _wake(self) -> list[changes.Change]:
        due_at, key = heappop(self._resting)
        seconds = (due_at - self._clock.now()).total_seconds()
        if seconds > 0:
            self._pause(min(seconds, self.wait_seconds_max))
        return self._plan.apply(events.Due(key))

    def _workload(self, key: events.Key, instance: _Instance, task: TaskDocument) -> Workload:
        return Workload(
            token=f"test-{_shown(*key)}-{instance.tries}",
            ti_id=_shown(*key),
            task_id=key[0],
            map_path=path_text(key[1]),
            try_number=instance.tries,
            max_tries=instance.max_tries,
            version_id="test",
            bundle="test",
            bundle_version="",
            file=self._dag.fileloc,
            run=self._facts,
            queue=task.queue,
            execution_timeout_seconds=task.execution_timeout_seconds,
            inputs=task.inputs,
            owner=task.owner,
            first_start=instance.first_start if instance.resumes else None,
            resume=instance.resume if isinstance(instance.resume, Resume) else None,
        )

    def _inputs(self, task: TaskDocument) -> dict[str, XComValue]:
        xcoms = self._world.xcoms
        return {each: xcoms[each, ""][RETURN_KEY] for each in task.inputs if RETURN_KEY in xcoms.get((each, ""), {})}

    # --- what people see ---------------------------------------------------------------------------------------------

    def _tell(self, key: events.Key, what: str) -> None:
        _log.info("%s: %s", _shown(*key), what)

    def _tested(self, end: changes.FinishRun) -> TestedRun:
        _log.info("run %s of DAG %s: %s (%s)", self._facts.run_id, self._dag.dag_id, end.state, end.reason)
        return TestedRun(
            dag_id=self._dag.dag_id,
            run_id=self._facts.run_id,
            state=end.state,
            reason=end.reason,
            logical_date=self._facts.logical_date,
            run_after=self._facts.run_after,
            conf=self._facts.conf,
            task_instances=tuple(
                TestedTask(
                    task_id=task_id,
                    map_index=path[-1] if path else -1,
                    map_path=path,
                    state=instance.state,
                    try_number=instance.tries,
                    reason=instance.reason,
                    duration=instance.duration,
                    rendered_fields=instance.rendered,
                )
                for (task_id, path), instance in sorted(self._instances.items())
            ),
            world=self._world,
            order=tuple(self._begun),
        )


_RESTING = frozenset(
    {
        TaskInstanceState.UP_FOR_RETRY,
        TaskInstanceState.UP_FOR_RESCHEDULE,
        TaskInstanceState.DEFERRED,
        TaskInstanceState.AWAITING_INPUT,
    }
)
_STATE_OF: dict[type, TaskInstanceState] = {
    changes.Skip: TaskInstanceState.SKIPPED,
    changes.FailUpstream: TaskInstanceState.UPSTREAM_FAILED,
    changes.Remove: TaskInstanceState.REMOVED,
    changes.SucceedEmpty: TaskInstanceState.SUCCESS,
    changes.Stop: TaskInstanceState.FAILED,
}


def _where(key: events.Key) -> tuple[str, str]:
    return key[0], path_text(key[1])


def _shown(task_id: str, path: tuple[int, ...]) -> str:
    return f"{task_id}[{path_text(path)}]" if path else task_id


class _Redacting(logging.Formatter):
    def __init__(self, world: MemoryWorld) -> None:
        super().__init__("[%(asctime)s] %(levelname)s %(name)s: %(message)s", "%H:%M:%S")
        self._world = world

    def format(self, record: logging.LogRecord) -> str:
        return self._world.redact(super().format(record))


@contextmanager
def _visible_log(world: MemoryWorld) -> Iterator[None]:
    """Show what happens on standard error, unless the program has set up its own logging."""
    root = logging.getLogger()
    if root.handlers:
        yield
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_Redacting(world))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
