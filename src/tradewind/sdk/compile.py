"""From a DAG to its document: all that the control plane knows, as canonical data. Equal DAGs give equal documents."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from tradewind.domain.permissions import access_of_document
from tradewind.wire.deadlines import DeadlineDocument
from tradewind.wire.deferral import Deferral
from tradewind.wire.document import (
    FORMAT,
    DagDocument,
    EdgeLabel,
    GroupDocument,
    ParamDocument,
    TaskDocument,
)
from tradewind.wire.states import Isolation, WeightRule

from .asset_documents import facts_of, leaves_of
from .dag_checks import check_complete, topological_order
from .deadlines import DeadlineAlert, deadline_document
from .definition import DAG
from .errors import InvalidDag, WrongValue
from .groups import MappedTaskGroup, TaskGroup
from .mapped import MappedOperator
from .node import Task
from .notset import NOTSET
from .operator import BaseOperator
from .shown import shown
from .weights import effective_weights
from .xcomarg import XCOM_RETURN_KEY, references_of

_CALLBACKS = (
    "on_execute_callback",
    "on_failure_callback",
    "on_success_callback",
    "on_retry_callback",
    "on_skipped_callback",
)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def compile_dag(dag: DAG, *, file: str, code_digest: str = "") -> DagDocument:
    """The document of a complete DAG.

    Parameters:
        file: path of the DAG file inside its bundle.
        code_digest: digest of the code, from `LoadedFile.code_digest`.

    Raises:
        InvalidDag: the DAG has a cycle, or something in it contradicts itself; the message names it.
        InvalidConf: a param of a scheduled DAG has no valid default.
    """
    check_complete(dag)
    weights = effective_weights(topological_order(dag))
    assets, aliases = facts_of(dag)
    tasks = [_task_document(task, weights[task.task_id]) for task in dag.tasks]
    return DagDocument(
        format=FORMAT,
        dag_id=dag.dag_id,
        file=file,
        code_digest=code_digest,
        display_name=None if dag.dag_display_name == dag.dag_id else dag.dag_display_name,
        description=dag.description,
        doc_md=dag.doc_md,
        schedule=dag.wire_schedule,
        timezone=dag.timezone_name,
        start_date=dag.start_date,
        end_date=dag.end_date,
        catchup=dag.catchup,
        max_active_runs=dag.max_active_runs,
        max_active_tasks=dag.max_active_tasks,
        max_consecutive_failed_dag_runs=dag.max_consecutive_failed_dag_runs,
        dagrun_timeout_seconds=_seconds(dag.dagrun_timeout),
        fail_fast=dag.fail_fast,
        retry=dag.run_retry,
        is_paused_upon_creation=dag.is_paused_upon_creation,
        isolation=dag.isolation,
        tags=tuple(sorted(dag.tags)),
        owners=tuple(sorted({task.owner for task in dag.tasks})),
        owner_links=dict(sorted(dag.owner_links.items())),
        params={name: _param_document(param) for name, param in dag.params.params().items()},
        allowed_run_types=dag.allowed_run_types,
        render_template_as_native_obj=dag.render_template_as_native_obj,
        has_on_success_callback=bool(dag.on_success_callback),
        has_on_failure_callback=bool(dag.on_failure_callback),
        access=access_of_document(dag.access_control),
        disable_bundle_versioning=dag.disable_bundle_versioning,
        rerun_with_latest_version=dag.rerun_with_latest_version,
        on_success_callback_count=len(dag.on_success_callback),
        on_failure_callback_count=len(dag.on_failure_callback),
        tasks=tuple(sorted(tasks, key=lambda task: task.task_id)),
        groups=tuple(_group_document(dag.group_dict[group_id]) for group_id in sorted(dag.group_dict)),
        edge_labels=_edge_labels(dag),
        assets=assets,
        aliases=aliases,
        deadlines=tuple(deadline_document(alert) for alert in dag.deadline),
        warnings=tuple(_warnings(dag)),
        extra=_dag_extra(dag),
    )


def _task_document(task: Task, weight: int) -> TaskDocument:
    cls = task.operator_class
    group = task.task_group
    return TaskDocument(
        task_id=task.task_id,
        operator=task.operator_name,
        module=cls.__module__,
        display_name=None if task.task_display_name == task.task_id else task.task_display_name,
        group_id=None if group is None else group.group_id,
        upstream=tuple(sorted(task.upstream_task_ids)),
        trigger_rule=task.trigger_rule,
        mapping=task.expansion.document() if isinstance(task, MappedOperator) else None,
        inputs=tuple(sorted(_inputs(task))),
        owner=task.owner,
        retries=task.retries,
        retry_delay_seconds=task.retry_delay.total_seconds(),
        retry_exponential_backoff=task.retry_exponential_backoff,
        max_retry_delay_seconds=_seconds(task.max_retry_delay),
        execution_timeout_seconds=_seconds(task.execution_timeout),
        depends_on_past=task.depends_on_past,
        ignore_first_depends_on_past=task.ignore_first_depends_on_past,
        wait_for_downstream=task.wait_for_downstream,
        wait_for_past_depends_before_skipping=task.wait_for_past_depends_before_skipping,
        priority_weight=task.priority_weight,
        weight_rule=task.weight_rule if isinstance(task.weight_rule, WeightRule) else WeightRule.ABSOLUTE,
        effective_weight=weight,
        pool=task.pool,
        pool_slots=task.pool_slots,
        queue=task.queue,
        executor=task.executor,
        executor_config=_json(task.executor_config),
        isolation=_isolation(task),
        run_as_user=task.run_as_user,
        max_active_tis_per_dag=task.max_active_tis_per_dag,
        max_active_tis_per_dagrun=task.max_active_tis_per_dagrun,
        start_date=task.start_date,
        end_date=task.end_date,
        is_setup=task.is_setup,
        is_teardown=task.is_teardown,
        on_failure_fail_dagrun=task.on_failure_fail_dagrun,
        setups=tuple(sorted(before.task_id for before in task.upstream_list if before.is_setup))
        if task.is_teardown
        else (),
        is_sensor=_is_sensor(task),
        is_empty=_is_empty(task),
        reschedules=_is_sensor(task) and _argument(task, "mode") == "reschedule",
        deferrable=_argument(task, "deferrable") is True,
        start_trigger=_start_trigger(task),
        do_xcom_push=task.do_xcom_push,
        multiple_outputs=task.multiple_outputs,
        has_callbacks=bool(task.email) or any(getattr(task, name) for name in _CALLBACKS),
        map_index_template=task.map_index_template,
        template_fields=tuple(task.template_fields),
        template_fields_renderers=dict(task.template_fields_renderers),
        arguments=_arguments(task),
        doc_md=task.doc_md or task.doc or task.doc_rst or task.doc_yaml,
        ui_color=task.ui_color,
        ui_fgcolor=task.ui_fgcolor,
        links=_links(task),
        resources=_json(task.resources),
        inlets=leaves_of(task.inlets),
        outlets=leaves_of(task.outlets),
        deadlines=_deadlines(task),
        extra=_task_extra(task),
    )


def _deadlines(task: Task) -> tuple[DeadlineDocument, ...]:
    # Operators of others may have an attribute of this name for something else.
    alerts = getattr(task, "deadline", ())
    if not isinstance(alerts, tuple):
        return ()
    return tuple(deadline_document(alert) for alert in alerts if isinstance(alert, DeadlineAlert))


def _start_trigger(task: Task) -> Deferral | None:
    """How a task begins in the triggerer, when it does."""
    arguments = _argument(task, "start_trigger_args") or getattr(task.operator_class, "start_trigger_args", None)
    begins = _argument(task, "start_from_trigger")
    if begins is None:
        begins = getattr(task.operator_class, "start_from_trigger", False)
    if not begins or arguments is None:
        return None
    from .triggers import start_deferral

    return start_deferral(task, arguments, task.queue)


def _isolation(task: Task) -> Isolation | None:
    """A process that has become another user's cannot run anything after it."""
    own = task.isolation or (task.dag.isolation if task.has_dag() else None)
    return Isolation.FORK if task.run_as_user and own is Isolation.REUSE else task.isolation


def _inputs(task: Task) -> set[str]:
    """Tasks whose return value an argument reads: own fields, own expansion, expansions of groups around."""
    if isinstance(task, MappedOperator):
        values: list[Any] = [task.partial_kwargs.get(field) for field in task.template_fields]
        found = list(task.expansion.references())
    else:
        values = [getattr(task, field, None) for field in task.template_fields]
        found = []
    for value in values:
        found.extend(references_of(value))
    return {other.task_id for other, key in found if key == XCOM_RETURN_KEY}


def _arguments(task: Task) -> dict[str, str]:
    if isinstance(task, MappedOperator):
        given = {name: task.partial_kwargs[name] for name in task.template_fields if name in task.partial_kwargs}
        sources = getattr(task.expansion, "sources", None) or {"expand_kwargs": getattr(task.expansion, "source", None)}
        given |= {f"{name} (mapped)": value for name, value in sources.items()}
    else:
        given = {}
        for name in task.template_fields:
            if not hasattr(task, name):
                raise WrongValue(
                    f"task {task.task_id!r}: {name!r} is in template_fields of {task.task_type}, but the operator "
                    "has no such "
                    f"attribute; set self.{name} in __init__"
                )
            given[name] = getattr(task, name)
    return {name: shown(name, value) for name, value in given.items() if value is not None and not _is_nothing(value)}


def _is_nothing(value: Any) -> bool:
    return isinstance(value, str | list | tuple | dict) and not value


def _argument(task: Task, name: str) -> Any:
    return task.partial_kwargs.get(name) if isinstance(task, MappedOperator) else getattr(task, name, None)


def _is_sensor(task: Task) -> bool:
    return bool(getattr(task.operator_class, "is_sensor", False)) or callable(
        getattr(task.operator_class, "poke", None)
    )


def _is_empty(task: Task) -> bool:
    """Nothing to execute and nobody to tell."""
    if not task.inherits_from_empty_operator or task.on_execute_callback or task.on_success_callback or task.outlets:
        return False
    if isinstance(task, BaseOperator):
        return task._pre_execute_hook is None and task._post_execute_hook is None
    return not getattr(task, "has_hooks", False)


def _group_document(group: TaskGroup) -> GroupDocument:
    parent = group.parent_group
    return GroupDocument(
        group_id=group.group_id or "",
        label=group.group_display_name or group.label or "",
        parent_id=None if parent is None else parent.group_id,
        mapping=group.expansion.document() if isinstance(group, MappedTaskGroup) else None,
        tooltip=group.tooltip,
        doc_md=group.doc_md,
        ui_color=group.ui_color,
        ui_fgcolor=group.ui_fgcolor,
    )


def _param_document(param: Any) -> ParamDocument:
    required = param.value is NOTSET
    return ParamDocument(
        schema=_text_keys(param.schema),
        default=None if required else param.value,
        required=required,
        description=param.description,
    )


def _edge_labels(dag: DAG) -> tuple[EdgeLabel, ...]:
    return tuple(
        EdgeLabel(before, after, info["label"])
        for before, targets in sorted(dag.edge_info.items())
        for after, info in sorted(targets.items())
        if info.get("label")
    )


def _warnings(dag: DAG) -> Sequence[str]:
    """What was taken and has no effect."""
    found = []
    if dag.sla_miss_callback is not None:
        found.append("sla_miss_callback has no effect any more")
    alone = sorted(
        task.task_id for task in dag.tasks if task.is_teardown and not any(one.is_setup for one in task.upstream_list)
    )
    if alone:
        names = ", ".join(alone)
        found.append(f"a teardown without a setup runs after all its upstreams, whatever became of them ({names})")
    late = sorted(task.task_id for task in dag.tasks if getattr(task, "sla", None) is not None)
    if late:
        found.append(f"sla has no effect any more (tasks: {', '.join(late)})")
    return found


def _dag_extra(dag: DAG) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if dag.result_task_id is not None:
        extra["result_task_id"] = dag.result_task_id
    return extra


def _links(task: Task) -> dict[str, str]:
    """Links of its operator: name → key under which the address is left."""
    given = getattr(task.operator_class if isinstance(task, MappedOperator) else task, "operator_extra_links", ())
    if not isinstance(given, list | tuple | set | frozenset):
        return {}  # a property that needs an instance
    keys = ((getattr(link, "name", None), getattr(link, "xcom_key", None)) for link in given)
    return {name: key for name, key in keys if isinstance(name, str) and isinstance(key, str)}


def _task_extra(task: Task) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if task.doc_json is not None:
        extra["doc_json"] = _json({"doc": task.doc_json})["doc"]
    if task.params:
        extra["params"] = _json(task.params.dump_values())
    return extra


def _seconds(value: timedelta | None) -> float | None:
    return None if value is None else value.total_seconds()


def _text_keys(value: Any) -> Any:
    """`value` with the keys that JSON would have: `values_display={1: "One", None: "-"}` has numbers for keys."""
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else json.dumps(key, default=str): _text_keys(one) for key, one in value.items()
        }
    return [_text_keys(one) for one in value] if isinstance(value, list | tuple) else value


def _json(value: dict[str, Any]) -> dict[str, Any]:
    """`value` as plain JSON data; what is no JSON stands as text without addresses."""
    if not value:
        return {}
    try:
        text = json.dumps(value, default=lambda one: _ADDRESS.sub("", repr(one)), sort_keys=True)
    except (TypeError, ValueError) as error:
        raise InvalidDag(f"{value!r} cannot be kept as JSON: {error}") from None
    return msgspec.json.decode(text, type=dict[str, Any])
