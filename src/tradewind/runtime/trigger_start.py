"""Tasks that begin in the triggerer: what their trigger is made with, rendered as the task's own fields would be.

The operator of the instance is built here, mapped arguments and templates included, as a process of its own would.
"""

from __future__ import annotations

import importlib
from typing import Any

from tradewind.kernel.clock import Clock
from tradewind.sdk.attempt import Attempt
from tradewind.sdk.class_gate import TaskGate
from tradewind.sdk.context import build_context, current_context, merged_params
from tradewind.sdk.definition import DAG
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.mapped import instance_operator
from tradewind.sdk.task_instance import RuntimeTaskInstance
from tradewind.sdk.templates import FieldRenderer
from tradewind.sdk.values import ValueLimits
from tradewind.sdk.xcoms import XComReader
from tradewind.wire.ids import path_of
from tradewind.wire.workload import Workload


def start_kwargs(dag: DAG, workload: Workload, attempt: Attempt, clock: Clock) -> dict[str, Any]:
    """Arguments of the trigger that this instance begins with.

    Raises:
        AirflowException: the task does not begin in the triggerer (any more). What building and rendering raise comes
            through.
    """
    importlib.import_module("pendulum")  # what contexts are made of
    task = dag.get_task(workload.task_id)
    reader = XComReader(workload, attempt, {}, TaskGate(task, workload.file), task)
    instance = RuntimeTaskInstance(task, workload, attempt, reader, ValueLimits(), clock.now())
    context = build_context(task, instance, workload.run, attempt)
    instance.set_template_context(context)
    with current_context(context):
        context["params"] = reader.params = merged_params(task, workload.run.conf)
        operator: Any = instance_operator(task, path_of(workload.map_path), reader)
        instance.task = context["task"] = operator
        renderer = FieldRenderer(operator, context, reader)
        renderer.render_fields()
        arguments = operator.start_trigger_args
        if not operator.start_from_trigger or arguments is None:
            raise AirflowException(f"task {workload.task_id!r} does not begin in the triggerer")
        rendered: dict[str, Any] = renderer.render(arguments.trigger_kwargs or {}, "start_trigger_args.trigger_kwargs")
        return rendered
