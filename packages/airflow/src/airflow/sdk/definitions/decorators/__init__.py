"""`airflow.sdk.definitions.decorators`: functions as DAGs, groups and tasks."""

from __future__ import annotations

from tradewind.sdk import dag, result, setup, task, task_group, teardown

__all__ = ["dag", "result", "setup", "task", "task_group", "teardown"]
