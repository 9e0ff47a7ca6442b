"""What lists show of DAG documents, decoded once per version: only the fields shown are decoded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from tradewind.ports.reads import PublicTransaction
from tradewind.wire.schedule import NullSchedule, Schedule

_KEPT_MAX = 20_000


class TaskFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What lists show of a task."""

    task_id: str
    display_name: str | None = None
    operator: str = ""
    module: str = ""
    executor_config: dict[str, Any] = {}
    pool: str = "default_pool"
    max_active_tis_per_dag: int | None = None
    max_active_tis_per_dagrun: int | None = None


class DagFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What lists show of a DAG."""

    dag_id: str
    display_name: str | None = None
    schedule: Schedule = NullSchedule()
    timezone: str = "UTC"
    start_date: datetime | None = None
    catchup: bool = False
    max_active_tasks: int = 16
    allowed_run_types: tuple[str, ...] | None = None
    tasks: tuple[TaskFacts, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def has_task_limits(self) -> bool:
        """Whether some task limits how many of its instances run at once."""
        return any(
            task.max_active_tis_per_dag is not None or task.max_active_tis_per_dagrun is not None for task in self.tasks
        )


_UNKNOWN = DagFacts(dag_id="")
_decoder = msgspec.json.Decoder(DagFacts)


class FactsOfVersions:
    """A bounded cache; versions never change, so it is always right. Safe between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[DagFacts, dict[str, TaskFacts]]] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, tx: PublicTransaction, version_ids: Iterable[str]) -> None:
        """Have these at hand, with one statement for all that are missing."""
        with self._lock:
            missing = {version_id for version_id in version_ids if version_id and version_id not in self._kept}
        if not missing:
            return
        found = tx.version_documents(missing)
        decoded = {version_id: _decode(document) for version_id, document in found.items()}
        with self._lock:
            for version_id, facts in decoded.items():
                self._kept[version_id] = (facts, {task.task_id: task for task in facts.tasks})
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)

    def dag(self, version_id: str) -> DagFacts:
        """The DAG as of this version; without facts when it is not at hand."""
        found = self._kept.get(version_id)
        return found[0] if found is not None else _UNKNOWN

    def task(self, version_id: str, task_id: str) -> TaskFacts | None:
        found = self._kept.get(version_id)
        return found[1].get(task_id) if found is not None else None


def _decode(document: bytes) -> DagFacts:
    try:
        return _decoder.decode(document)
    except msgspec.ValidationError:
        return _UNKNOWN  # of a format to come: a list shows the row all the same
