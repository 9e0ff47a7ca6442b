"""Making one callback that was written down before: of a DAG whose run ended, of a task whose machine was lost, of a
missed deadline.

The context is the one the task would have seen, as far as it can be told afterwards.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from tradewind.kernel.clock import Clock
from tradewind.ports.task_client import TaskClient
from tradewind.sdk.attempt import Attempt, working_on
from tradewind.sdk.awaiting import run_to_end
from tradewind.sdk.context import Context, DagRun, build_context, current_context, filled, merged_params
from tradewind.sdk.task_instance import RuntimeTaskInstance
from tradewind.sdk.values import PatternGate, ValueLimits
from tradewind.sdk.xcoms import XComReader
from tradewind.wire.errors import NotFound
from tradewind.wire.workload import RunFacts, Workload

if TYPE_CHECKING:
    from tradewind.sdk.definition import DAG


def make_calls(
    *,
    dag: DAG | None,
    path: str,
    kwargs: Mapping[str, Any],
    facts: Mapping[str, Any],
    callback: str | None,
    number: int | None,
    task_id: str | None,
    client: TaskClient,
    clock: Clock,
) -> int:
    """Make the calls; how many.

    Parameters:
        dag: that the callback belongs to.
        path, kwargs: a callback by name, with arguments.
        facts: what is known of the run, the task and the reason (see `commands.outbox.put_callback`).
        callback: attribute of DAG or task that holds the callbacks; number: which one, None: all.
        task_id: the task, for those of a task.
        client: answers questions for variables, connections and values.
        clock: tells the time.

    Raises:
        NotFound: the callback does not exist (any more).
        Exception: whatever the callback raises; those after it are not called.
    """
    attempt = Attempt(client, str(facts.get("token") or "callback"), clock)
    with working_on(attempt):
        context = context_of(dag, facts, attempt, clock)
        with current_context(context):
            if path:
                call(find(path), context, kwargs)
                return 1
            chosen = _chosen(dag, callback, number, task_id)
            for one in chosen:
                call(one, context, {})
            if task_id is not None and dag is not None:
                _mail(dag.get_task(task_id), context, retried=callback == "on_retry_callback")
            return len(chosen)


def _mail(task: Any, context: Context, *, retried: bool) -> None:
    """The e-mail that the process of the task could not send."""
    from .around import mail_failure

    if task.email and (task.email_on_retry if retried else task.email_on_failure):
        mail_failure(task, context["ti"], context.get("exception"), retried=retried)


def _chosen(dag: DAG | None, callback: str | None, number: int | None, task_id: str | None) -> list[Callable[..., Any]]:
    if dag is None or callback is None:
        raise NotFound("a callback needs a path, or a DAG and the name of its attribute")
    holder: Any = dag if task_id is None else dag.get_task(task_id)
    listed = list(getattr(holder, callback, None) or ())
    if number is None:
        return listed
    if number >= len(listed):
        raise NotFound(f"DAG {dag.dag_id!r} has no {callback} number {number + 1} any more")
    return [listed[number]]


def context_of(dag: DAG | None, facts: Mapping[str, Any], attempt: Attempt, clock: Clock) -> Context:
    """The variables of a callback. Without a run there are only those that were written down."""
    raw = facts.get("run")
    if raw is None or dag is None:
        return Context({name: value for name, value in facts.items() if name != "ti"})
    run = msgspec.convert(raw, RunFacts)
    ti = facts.get("ti") or {}
    task = dag.task_dict.get(ti.get("task_id", ""))
    if task is None:
        context = Context(dag=dag, dag_run=DagRun.of(run), run_id=run.run_id, params={})
    else:
        context = filled(_of_task(task, run, ti, attempt, clock))
    conf = dict(run.conf)
    context["dag_run"] = dataclasses.replace(context["dag_run"], state=str(facts.get("run_state") or "running"))
    context["params"] = _params(task if task is not None else dag, conf)
    context["reason"] = facts.get("reason", "")
    if "deadline" in facts:
        context["deadline"] = facts["deadline"]
    if "exception" in facts:
        context["exception"] = str(facts["exception"])
    return context


def _of_task(task: Any, run: RunFacts, ti: Mapping[str, Any], attempt: Attempt, clock: Clock) -> Context:
    workload = Workload(
        token=attempt.token,
        ti_id=str(ti.get("ti_id", "")),
        task_id=task.task_id,
        map_path=str(ti.get("map_path", "")),
        try_number=int(ti.get("try_number", 1)),
        max_tries=int(ti.get("max_tries", 0)),
        version_id="",
        bundle="",
        bundle_version="",
        file=task.dag.fileloc,
        run=run,
        owner=task.owner,
    )
    reader = XComReader(workload, attempt, {}, PatternGate(), task)
    instance = RuntimeTaskInstance(task, workload, attempt, reader, ValueLimits(), clock.now())
    instance.state = str(ti.get("state") or "")
    context = build_context(task, instance, run, attempt)
    instance.set_template_context(context)
    return context


def _params(owner: Any, conf: dict[str, Any]) -> Mapping[str, Any]:
    try:
        if hasattr(owner, "task_id"):
            return merged_params(owner, conf)
        return {**owner.params.dump_values(), **conf}
    except Exception:  # params that are not valid are no reason to keep silent about a failure
        return conf


def find(path: str) -> Any:
    """The object behind `module.name`. Raises `NotFound` naming the path."""
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        found: Any = importlib.import_module(module)
        return getattr(found, name)
    except (ImportError, AttributeError, ValueError) as error:
        raise NotFound(f"callback {path!r} cannot be imported: {error}") from error


def call(callback: Any, context: Context, kwargs: Mapping[str, Any]) -> Any:
    """Call a function, a notifier or a notifier class, sync or async, to its end."""
    from .notifier import BaseNotifier

    if isinstance(callback, type) and issubclass(callback, BaseNotifier):
        callback, kwargs = callback(**kwargs), {}
    if isinstance(callback, BaseNotifier):
        return callback.deliver(context)
    if kwargs or not _takes_one(callback):
        given = dict(kwargs)
        if _takes(callback, "context"):
            given.setdefault("context", context)
        result = callback(**given)
    else:
        result = callback(context)
    return run_to_end(result)


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def _takes(function: Any, name: str) -> bool:
    return any(p.name == name or p.kind is p.VAR_KEYWORD for p in _parameters(function))


def _takes_one(function: Any) -> bool:
    kinds = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return any(p.kind in kinds for p in _parameters(function)) or not _parameters(function)
