"""`airflow.policies`: cluster policies that do nothing."""

from __future__ import annotations

from typing import Any


def task_policy(task: Any) -> None:
    """Change a task when it is loaded."""


def dag_policy(dag: Any) -> None:
    """Change a DAG when it is loaded."""


def task_instance_mutation_hook(task_instance: Any, dag_run: Any = None) -> None:
    """Change a task instance before it is queued."""


def pod_mutation_hook(pod: Any) -> None:
    """Change a pod before it is made."""


def get_airflow_context_vars(context: Any) -> dict[str, str]:  # noqa: ARG001
    """Further environment variables of tasks."""
    return {}


def get_dagbag_import_timeout(dag_file_path: str) -> float:  # noqa: ARG001
    """Seconds that a DAG file may take to load."""
    return 30.0
