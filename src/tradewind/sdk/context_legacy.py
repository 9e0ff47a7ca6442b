"""Context variables of Airflow 2, computed when they are read. Each reading is noted once in the task's log, with what
to write instead.

They can be left out with the setting `core.airflow2_context`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tradewind.domain.timetables.base import DagRunInfo, Restriction
from tradewind.wire.states import DagRunType

if TYPE_CHECKING:
    from .context import Context, DagRun

_log = logging.getLogger("tradewind.task")
_AUTOMATED = frozenset({DagRunType.SCHEDULED.value, DagRunType.BACKFILL.value})

INSTEAD = {
    "execution_date": "logical_date",
    "next_execution_date": "data_interval_end",
    "next_ds": "{{ data_interval_end | ds }}",
    "next_ds_nodash": "{{ data_interval_end | ds_nodash }}",
    "prev_execution_date": "logical_date of the run before",
    "prev_ds": "{{ macros.ds_add(ds, -1) }} or logical_date of the run before",
    "prev_ds_nodash": "logical_date of the run before",
    "prev_execution_date_success": "prev_data_interval_start_success",
    "tomorrow_ds": "{{ macros.ds_add(ds, 1) }}",
    "tomorrow_ds_nodash": "{{ macros.ds_add(ds, 1) | replace('-', '') }}",
    "yesterday_ds": "{{ macros.ds_add(ds, -1) }}",
    "yesterday_ds_nodash": "{{ macros.ds_add(ds, -1) | replace('-', '') }}",
    "triggering_dataset_events": "triggering_asset_events",
    "conf": "tradewind.conf",
}
"""Name of Airflow 2 → what to write now."""


class _Noted:
    """Computes a value and says, the first time, that its name is of the past."""

    def __init__(self, name: str, compute: Callable[[], Any]) -> None:
        self._name = name
        self._compute = compute
        self._said = False

    def __call__(self) -> Any:
        if not self._said:
            self._said = True
            _log.warning("context variable %r is of Airflow 2; write %s", self._name, INSTEAD[self._name])
        return self._compute()


def add_legacy(context: Context, run: DagRun, dag: Any) -> None:
    """Put the names of Airflow 2 into `context`, those with a date only where the run has one."""
    from .context import Later

    def put(name: str, compute: Callable[[], Any]) -> None:
        context[name] = Later(_Noted(name, compute))

    put("triggering_dataset_events", lambda: context["triggering_asset_events"])
    put("conf", _configuration)
    date = run.logical_date
    if date is None:
        return

    def following() -> Any:
        return _following(run, dag)

    def before() -> Any:
        return _before(run, dag)

    put("execution_date", lambda: date)
    put("next_execution_date", following)
    put("prev_execution_date", before)
    put("prev_execution_date_success", lambda: context["prev_data_interval_start_success"])
    days: dict[str, Callable[[], Any]] = {
        "next_ds": following,
        "prev_ds": before,
        "tomorrow_ds": lambda: date + timedelta(days=1),
        "yesterday_ds": lambda: date - timedelta(days=1),
    }
    for name, moment in days.items():
        put(name, partial(_day, moment, "%Y-%m-%d"))
        put(f"{name}_nodash", partial(_day, moment, "%Y%m%d"))


def _configuration() -> Any:
    from .configuration import conf

    return conf


def _day(moment: Callable[[], Any], form: str) -> str | None:
    found = moment()
    return None if found is None else str(found.strftime(form))


def _following(run: DagRun, dag: Any) -> Any:
    """Logical date of the run after this one by the schedule; of a run that somebody triggered its own."""
    from .context import instant

    date = run.logical_date
    if dag is None or date is None or run.run_type not in _AUTOMATED:
        return date
    start, end = run.data_interval_start or date, run.data_interval_end or date
    this = DagRunInfo(run.run_after, date, start, end)
    found = dag.timetable.next_run(this, Restriction(catchup=True), run.run_after)
    return None if found is None else instant(found.logical_date)


def _before(run: DagRun, dag: Any) -> Any:
    """Logical date of the run before this one by the schedule; of a run that somebody triggered its own."""
    from .context import instant

    date = run.logical_date
    if dag is None or date is None or run.run_type not in _AUTOMATED:
        return date
    if run.data_interval_start is not None and run.data_interval_start != run.data_interval_end:
        return instant(dag.timetable.infer_manual_interval(run.data_interval_start)[0])
    following = _following(run, dag)
    return None if following is None else date - (following - date)
