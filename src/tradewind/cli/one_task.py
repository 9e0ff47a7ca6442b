"""One task in this process: run it, or render its fields, without scheduler and agent. Nothing is recorded."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tradewind.kernel.clock import SystemClock
from tradewind.wire.errors import BadInput
from tradewind.wire.execution import Outcome, XComValue
from tradewind.wire.ids import path_of
from tradewind.wire.states import DagRunType
from tradewind.wire.workload import RunFacts, Workload

if TYPE_CHECKING:
    from tradewind.sdk.connections import Connection
    from tradewind.sdk.definition import DAG
    from tradewind.sdk.memory_client import MemoryWorld

_RETURN_KEY = "return_value"


@dataclass(frozen=True, slots=True)
class Setting:
    """The world around the task.

    `xcoms`: (task id, map path) → key → value, what the tasks before left.
    """

    connections: Mapping[str, Connection] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    xcoms: Mapping[tuple[str, str], Mapping[str, XComValue]] = field(default_factory=dict)
    stored: Mapping[str, bytes] = field(default_factory=dict)
    """url → bytes of values outside the database."""


def run_facts(dag: DAG, logical_date: datetime, conf: dict[str, Any]) -> RunFacts:
    """A manual run of this moment."""
    interval = dag.timetable.infer_manual_interval(logical_date)
    return RunFacts(
        run_key="test",
        dag_id=dag.dag_id,
        run_id=f"manual__{logical_date.isoformat()}",
        run_type=DagRunType.MANUAL,
        run_after=logical_date,
        logical_date=logical_date,
        data_interval_start=interval[0],
        data_interval_end=interval[1],
        start_date=logical_date,
        conf=conf,
    )


def run_one(dag: DAG, task_id: str, map_path: str, run: RunFacts, setting: Setting) -> Outcome:
    """Run one attempt of a task instance here. Raises `NotFound` for a task that the DAG does not have."""
    from tradewind.sdk.attempt import Attempt, working_on
    from tradewind.sdk.execution import run_task
    from tradewind.sdk.memory_client import MemoryClient
    from tradewind.sdk.wait_here import wait_here

    world = _world(run, setting)
    task, workload = dag.get_task(task_id), _workload(dag, task_id, map_path, run)
    client, clock = MemoryClient(world, (task_id, map_path)), SystemClock()
    outcome = run_task(task, workload, client, _inputs(workload, setting), clock=clock)
    while outcome.deferral is not None:
        with working_on(Attempt(client, workload.token, clock)):
            ended = wait_here(outcome.deferral, outcome.question, clock.now())
        if isinstance(ended, Outcome):
            return ended
        resumed = msgspec.structs.replace(workload, resume=ended)
        outcome = run_task(task, resumed, client, _inputs(workload, setting), clock=clock)
    return outcome


def render_one(dag: DAG, task_id: str, map_path: str, run: RunFacts, setting: Setting) -> dict[str, Any]:
    """The templated fields of a task instance as they would be when it runs, secrets masked.

    Raises:
        NotFound: the DAG has no such task.
        InvalidDag, TemplateError...: whatever rendering raises, naming the field.
    """
    importlib.import_module("pendulum")
    from tradewind.sdk.attempt import Attempt, working_on
    from tradewind.sdk.class_gate import TaskGate
    from tradewind.sdk.context import build_context, current_context, merged_params
    from tradewind.sdk.mapped import instance_operator
    from tradewind.sdk.memory_client import MemoryClient
    from tradewind.sdk.rendered import rendered_fields
    from tradewind.sdk.task_instance import RuntimeTaskInstance
    from tradewind.sdk.templates import FieldRenderer
    from tradewind.sdk.values import ValueLimits
    from tradewind.sdk.xcoms import XComReader

    clock = SystemClock()
    task, workload = dag.get_task(task_id), _workload(dag, task_id, map_path, run)
    attempt = Attempt(MemoryClient(_world(run, setting), (task_id, map_path)), workload.token, clock)
    reader = XComReader(workload, attempt, _inputs(workload, setting), TaskGate(task, workload.file), task)
    instance = RuntimeTaskInstance(task, workload, attempt, reader, ValueLimits(), clock.now())
    context = build_context(task, instance, run, attempt)
    instance.set_template_context(context)
    with working_on(attempt), current_context(context):
        context["params"] = reader.params = merged_params(task, run.conf)
        operator: Any = instance_operator(task, path_of(map_path), reader)
        instance.task = context["task"] = operator
        FieldRenderer(operator, context, reader).render_fields()
        return rendered_fields(operator, attempt)


def _world(run: RunFacts, setting: Setting) -> MemoryWorld:
    from tradewind.sdk.memory_client import MemoryWorld

    world = MemoryWorld(run.dag_id, run.run_id, setting.connections, setting.variables)
    world.xcoms.update({where: dict(values) for where, values in setting.xcoms.items()})
    world.stored.update(setting.stored)
    return world


def _workload(dag: DAG, task_id: str, map_path: str, run: RunFacts) -> Workload:
    from tradewind.sdk.compile import compile_dag

    dag.validate()
    documents = {task.task_id: task for task in compile_dag(dag, file=dag.fileloc).tasks}
    dag.get_task(task_id)  # names the nearest id when there is none
    document = documents[task_id]
    _check_path(dag.get_task(task_id), map_path)
    return Workload(
        token="test",  # noqa: S106 # nobody checks it here
        ti_id="test",
        task_id=task_id,
        map_path=map_path,
        max_tries=document.retries,
        version_id="test",
        bundle="test",
        bundle_version="",
        file=dag.fileloc,
        run=run,
        queue=document.queue,
        execution_timeout_seconds=document.execution_timeout_seconds,
        inputs=document.inputs,
        owner=document.owner,
    )


def _check_path(task: Any, map_path: str) -> None:
    """Raises `BadInput` unless the path says one index for every mapping around the task."""
    scopes = int(task.is_mapped) + sum(1 for _ in task.iter_mapped_task_groups())
    if scopes == len(path_of(map_path)):
        return
    if not scopes:
        raise BadInput(f"task {task.task_id!r} is not mapped: leave out --map-index {map_path}")
    example = ".".join(["0"] * scopes)
    raise BadInput(f"task {task.task_id!r} is mapped: say which instance, for example --map-index {example}")


def _inputs(workload: Workload, setting: Setting) -> dict[str, XComValue]:
    left = {task_id: setting.xcoms.get((task_id, ""), {}).get(_RETURN_KEY) for task_id in workload.inputs}
    return {task_id: value for task_id, value in left.items() if value is not None}
