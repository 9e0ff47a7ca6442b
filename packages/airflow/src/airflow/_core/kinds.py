"""`airflow.decorators.python` and its like: each kind of `@task` by a name of its own."""

from __future__ import annotations

from typing import Any

from tradewind.sdk import task

_KINDS = {
    "python_task": "python",
    "branch_task": "branch",
    "bash_task": "bash",
    "sensor_task": "sensor",
    "short_circuit_task": "short_circuit",
    "virtualenv_task": "virtualenv",
    "external_python_task": "external_python",
    "branch_virtualenv_task": "branch_virtualenv",
    "branch_external_python_task": "branch_external_python",
}


def __getattr__(name: str) -> Any:
    if name not in _KINDS:
        raise AttributeError(name)
    return getattr(task, _KINDS[name])
