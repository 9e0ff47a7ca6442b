"""Cluster policies: what an installation decides about all DAGs and tasks.

Functions of the module `tradewind_local_settings` or `airflow_local_settings` (in HOME/config, HOME/plugins, or
installed), and hooks of packages with an entry point of the group `airflow.policy`:

- `task_policy(task)` and `dag_policy(dag)` are called when a DAG file has been loaded; they may change what they get,
  or raise `AirflowClusterPolicyViolation` (the DAG is refused) or `AirflowClusterPolicySkipDag` (it is left out);
- `task_instance_mutation_hook(task_instance)` is called then too, once per task; where it sets pool, queue, weights,
  executor or retries, every instance follows. It is called again in each attempt's process;
- `get_airflow_context_vars(context)` gives environment variables of a task;
- `get_dagbag_import_timeout(dag_file_path)` gives seconds a DAG file may take; it can only shorten the setting;
- `pod_mutation_hook(pod)` is for executors that make pods.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from .entry_points import entry_points
from .exceptions import AirflowClusterPolicyError

if TYPE_CHECKING:
    from .definition import DAG
    from .node import Task

MODULES = ("tradewind_local_settings", "airflow_local_settings")
GROUP = "airflow.policy"
NAMES = (
    "task_policy",
    "dag_policy",
    "task_instance_mutation_hook",
    "pod_mutation_hook",
    "get_airflow_context_vars",
    "get_dagbag_import_timeout",
)
_MUTABLE = (
    "pool",
    "pool_slots",
    "queue",
    "priority_weight",
    "executor",
    "executor_config",
    "max_tries",
)
_policies: dict[str, list[Callable[..., Any]]] | None = None


def policies(name: str) -> list[Callable[..., Any]]:
    """The functions of a policy, in the order in which they apply. Raises what their module raises at import."""
    global _policies
    if _policies is None:
        found: dict[str, list[Callable[..., Any]]] = {each: [] for each in NAMES}
        for module in _modules():
            for each in NAMES:
                function = getattr(module, each, None)
                if callable(function):
                    found[each].append(function)
        _policies = found
    return _policies[name]


def forget_policies() -> None:
    """Read them anew the next time; for tests."""
    global _policies
    _policies = None


def _modules() -> list[Any]:
    home = os.environ.get("TRADEWIND_HOME")
    for folder in ("config", "plugins"):
        path = str(Path(home) / folder) if home else ""
        if path and path not in sys.path and Path(path).is_dir():
            sys.path.append(path)
    found = [importlib.import_module(name) for name in MODULES if importlib.util.find_spec(name) is not None]
    return [*found, *(point.load() for point in entry_points(GROUP))]


def apply_policies(dag: DAG) -> None:
    """Let the policies look at a DAG that was just made, its tasks first.

    Raises:
        AirflowClusterPolicyViolation, AirflowClusterPolicySkipDag: what a policy decided.
        AirflowClusterPolicyError: a policy itself is broken.
    """
    try:
        for task in dag.tasks:
            _apply_to_task(task)
        for policy in policies("dag_policy"):
            policy(dag)
    except AirflowClusterPolicyError:
        raise
    except Exception as error:
        raise AirflowClusterPolicyError(f"a cluster policy failed for DAG {dag.dag_id!r}: {error}") from error


def _apply_to_task(task: Task) -> None:
    for policy in policies("task_policy"):
        policy(task)
    hooks = policies("task_instance_mutation_hook")
    if not hooks:
        return
    instance = SimpleNamespace(
        task=task,
        task_id=task.task_id,
        dag_id=task.dag_id,
        run_id=None,
        map_index=-1,
        try_number=0,
        operator=task.operator_name,
        **{name: getattr(task, name, None) for name in _MUTABLE if name != "max_tries"},
        max_tries=task.retries,
    )
    before = dict(vars(instance))
    for hook in hooks:
        hook(instance)
    for name in _MUTABLE:
        if getattr(instance, name) != before[name]:
            setattr(task, "retries" if name == "max_tries" else name, getattr(instance, name))


def mutate_instance(task_instance: Any, dag_run: Any = None) -> None:
    """Let `task_instance_mutation_hook` look at the instance that is about to run."""
    for hook in policies("task_instance_mutation_hook"):
        code = getattr(hook, "__code__", None)
        if code is not None and code.co_argcount >= 2:
            hook(task_instance, dag_run)
        else:
            hook(task_instance)


def context_variables(context: Any) -> Mapping[str, str]:
    """Environment variables that the installation adds to a task. Raises `AirflowClusterPolicyError` for others than
    texts.
    """
    added: dict[str, str] = {}
    for policy in policies("get_airflow_context_vars"):
        for name, value in (policy(context) or {}).items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise AirflowClusterPolicyError(
                    f"get_airflow_context_vars must give texts by text, not {name!r}: {value!r}"
                )
            added[name] = value
    return added


def import_seconds(path: str, seconds: float) -> float:
    """How long a DAG file may take: what the policy says, at most `seconds`; 0 and below mean no bound of its own."""
    for policy in policies("get_dagbag_import_timeout"):
        wish = policy(path)
        if wish is not None and wish > 0:
            seconds = min(seconds, float(wish))
    return seconds
