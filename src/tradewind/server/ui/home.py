"""What the first screen shows: what is broken and why, what waits, then how it goes."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from tradewind.ports.deadline_rows import DeadlineRow, DeadlineState
from tradewind.ports.ui_reads import CODE_OF, FailureLine, UiTransaction
from tradewind.server.health import HealthReader

LOOK_BACK = timedelta(days=7)
STUCK_AFTER = timedelta(seconds=60)
FAILURES_MAX = 500
SHOWN_MAX = 60
RUNS_MAX = 12
_SUCCESS, _FAILED = CODE_OF["success"], CODE_OF["failed"]


def home(tx: UiTransaction) -> dict[str, Any]:
    """Everything on the first screen that comes from the database."""
    now = tx.now()
    live = tx.ui_live_runs()
    return {
        "now": milliseconds(now),
        "failing": failing(tx, now),
        "waiting": [line._asdict() for line in tx.ui_waiting(50)],
        "stuck": [line._asdict() for line in tx.ui_stuck(now - STUCK_AFTER, 50)],
        "late": late(tx, now),
        "broken": [
            {"bundle": row.bundle, "path": row.path, "message": row.message, "at": milliseconds(row.at)}
            for row in tx.list_import_errors()[:50]
        ],
        "pulse": tx.ui_pulse(),
        "live": {state: sum(run.state == state for run in live) for state in ("queued", "running")},
        "pools": [{"name": pool.name, "slots": pool.slots, "used": pool.used} for pool in tx.pool_list()],
        "hours": hours(tx, now),
        "dags": dag_counts(tx),
    }


def failing(tx: UiTransaction, now: datetime) -> list[dict[str, Any]]:
    """Tasks whose newest verdict is a failure: one line per task, newest first; what it said, since when."""
    found = tx.ui_failures(now - LOOK_BACK, FAILURES_MAX)
    if not found:
        return []
    dag_ids = sorted({line.dag_id for line in found})
    runs = tx.ui_newest_runs(dag_ids, RUNS_MAX)
    run_of = {run.run_key: run for run in runs}
    verdicts: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for cell in tx.ui_verdicts(run_of, {line.task_id for line in found}):
        run = run_of[cell.run_key]
        verdicts[run.dag_id, cell.task_id][cell.run_key] = cell.code
    lines: dict[tuple[str, str], list[FailureLine]] = defaultdict(list)
    for line in found:
        lines[line.dag_id, line.task_id].append(line)
    shown = []
    for place, members in lines.items():
        told = _tell(members, verdicts[place])
        if told is not None:
            ended = [run_of[key].ended_at or run_of[key].run_after for key in told["good"] if key in run_of]
            shown.append({**told["line"], "last_success": max(ended, default=None)})
    shown.sort(key=lambda each: (each["state"] != "failed", -(each["ended_at"] or 0)))
    return shown[:SHOWN_MAX]


def _tell(members: list[FailureLine], verdicts: dict[str, int]) -> dict[str, Any] | None:
    """The line of a task, or None when a later run of it went well. Run keys sort by time."""
    newest = max(members, key=lambda line: (line.run_key, line.ended_at or 0))
    if any(key > newest.run_key and code == _SUCCESS for key, code in verdicts.items()):
        return None
    good = [key for key, code in verdicts.items() if code == _SUCCESS]
    since = max(good, default="")
    row = [line for line in members if line.run_key > since]
    line = newest._asdict() | {
        "instances": sum(line.run_key == newest.run_key for line in members),
        "runs_in_row": len({line.run_key for line in row}),
        "since": min((line.ended_at for line in row if line.ended_at), default=newest.ended_at),
    }
    return {"line": line, "good": good}


def late(tx: UiTransaction, now: datetime) -> list[dict[str, Any]]:
    """Deadlines that were missed within a day, newest first."""
    since = now - timedelta(days=1)
    rows = [row for row, *_ in tx.deadline_list(states=[DeadlineState.MISSED], limit=50)]
    return [deadline(row) for row in rows if row.due_at is not None and row.due_at >= since]


def deadline(row: DeadlineRow) -> dict[str, Any]:
    """A deadline as the screens show it."""
    return {
        "id": row.deadline_id,
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "task_id": row.task_id,
        "name": row.name,
        "state": row.state,
        "due": None if row.due_at is None else milliseconds(row.due_at),
    }


def hours(tx: UiTransaction, now: datetime) -> list[list[int]]:
    """Runs of the last 24 hours: per hour [success, failed, running, queued], the present hour last."""
    counts = [[0, 0, 0, 0] for _ in range(24)]
    states = {"success": 0, "failed": 1, "running": 2, "queued": 3}
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    first = milliseconds(start)
    for state, at in tx.ui_run_times(5000):
        place = (at - first) // 3_600_000
        if 0 <= place < 24:
            counts[place][states[state]] += 1
    return counts


def dag_counts(tx: UiTransaction) -> dict[str, int]:
    """How many DAGs there are, and how many of them are paused."""
    every, paused = tx.ui_dag_counts()
    return {"all": every, "paused": paused}


async def components(reader: HealthReader) -> dict[str, Any]:
    """Health, component by component."""
    health = await reader.read(("scheduler", "dag-processor", "agent", "triggerer"))
    return {
        "problem": health.problem,
        "components": {
            kind: {
                "status": found.status,
                "at": milliseconds(found.latest_heartbeat) if found.latest_heartbeat else None,
                "alive": found.alive,
            }
            for kind, found in health.components.items()
        },
    }


def milliseconds(value: datetime) -> int:
    """An instant as the screens count it."""
    return round(value.timestamp() * 1000)
