"""`airflow.sdk.definitions.taskgroup`: task groups."""

from __future__ import annotations

from tradewind.sdk import TaskGroup
from tradewind.sdk.groups import MappedTaskGroup

__all__ = ["MappedTaskGroup", "TaskGroup"]
