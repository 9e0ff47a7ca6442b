"""Watching a run: each task's state is printed when it changes, until the run is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tradewind.cli.output import coloured
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import Store
from tradewind.wire.errors import NotFound
from tradewind.wire.states import LIVE_RUN_STATES, TaskInstanceState

_POLL_SECONDS = 1.0
"""The bell rings for every change; this is for a bell that could not be heard."""
_EXPLAINED = frozenset(
    {
        TaskInstanceState.FAILED,
        TaskInstanceState.UP_FOR_RETRY,
        TaskInstanceState.UP_FOR_RESCHEDULE,
        TaskInstanceState.SKIPPED,
        TaskInstanceState.UPSTREAM_FAILED,
    }
)
Seen = dict[str, tuple[TaskInstanceState | None, int]]
"""ti_id → state and try that were printed."""


def follow_run(store: Store, run_key: str, tell: Callable[[str], None]) -> tuple[RunRow, list[TaskRow]]:
    """Wait until the run is over; the run and its tasks as they ended.

    Raises:
        NotFound: the run was deleted meanwhile.
    """
    seen: Seen = {}
    told_queued = False
    with store.listen(["changes"]) as bell:
        while True:
            with store.read() as tx:
                run, rows = tx.run_get(run_key), tx.task_list(run_key)
            if run is None:
                raise NotFound("the run was deleted while it was waited for")
            for line in _news(seen, rows):
                tell(line)
            if run.state not in LIVE_RUN_STATES:
                return run, rows
            rung = bell.wait(_POLL_SECONDS)
            if not rung and run.started_at is None and not told_queued:
                told_queued = True
                tell(_why_queued(store, run))


def clock_text(instant: datetime | None) -> str:
    """`12:34:56.789`, local time."""
    return instant.astimezone().strftime("%H:%M:%S.%f")[:-3] if instant is not None else " " * 12


def task_name(row: TaskRow) -> str:
    """`load`, or `load[3]`."""
    return f"{row.task_id}[{row.map_path}]" if row.map_path else row.task_id


def run_seconds(run: RunRow) -> str:
    """` in 1.2 s`, or nothing for a run that did not start."""
    if run.started_at is None or run.ended_at is None:
        return ""
    return f" in {(run.ended_at - run.started_at).total_seconds():.3f} s"


def _news(seen: Seen, rows: list[TaskRow]) -> list[str]:
    news = []
    for row in rows:
        mark = (row.state, row.try_number)
        if row.state is not None and seen.get(row.ti_id) != mark:
            seen[row.ti_id] = mark
            news.append((_when(row), _line(row)))
    return [line for _, line in sorted(news)]


def _line(row: TaskRow) -> str:
    assert row.state is not None
    parts = [clock_text(row.updated_at), f"{task_name(row):24}", coloured(f"{row.state.value:17}")]
    if row.try_number > 1 or row.max_tries:
        parts.append(f"try {row.try_number} of {row.max_tries + 1}")
    if row.state in _EXPLAINED and row.reason:
        parts.append(row.reason)
    elif row.state is TaskInstanceState.SUCCESS and row.duration_seconds is not None:
        parts.append(f"{row.duration_seconds:.3f} s")
    return "  ".join(parts).rstrip()


def _when(row: TaskRow) -> str:
    return row.updated_at.isoformat() if row.updated_at is not None else ""


def _why_queued(store: Store, run: RunRow) -> str:
    from tradewind.scheduler.reasons import why_run_waits

    with store.read() as tx:
        return f"{clock_text(tx.now())}  {why_run_waits(tx, run)}"
