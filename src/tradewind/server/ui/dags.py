"""The list of DAGs: filtered, counted by facet, paged; with the newest runs of each as a strip."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Any

from tradewind.ports.ui_reads import DagLine, RunLine, UiTransaction
from tradewind.wire.errors import BadInput

STRIP_RUNS = 20
PAGE_MAX = 200
SORTS = ("name", "next", "state", "latest")
_URGENCY = {"failed": 0, "running": 1, "queued": 2, "success": 3, "": 4}
_LETTER = {"queued": "q", "running": "r", "success": "s", "failed": "f"}


def dag_page(
    tx: UiTransaction,
    query: Mapping[str, str],
    favourites: frozenset[str] = frozenset(),
    visible: frozenset[str] | None = None,
) -> dict[str, Any]:
    """A page of DAGs.

    Parameters:
        query: `q` (part of name or id), `tag` (comma-separated: any), `owner`, `paused` (true, false), `state` (of the
            latest run), `sort`, `from` (how many come before), `count`.
        favourites: ids, for the filter `favourite`.
        visible: DAGs that may be seen; None: all.

    Raises:
        BadInput: a number is none, or the order is unknown.
    """
    dags = [dag for dag in tx.ui_dags() if visible is None or dag.dag_id in visible]
    latest = tx.ui_latest()
    named = [dag for dag in dags if _named(dag, query)]
    chosen = [dag for dag in named if _fits(dag, latest.get(dag.dag_id), query, favourites)]
    _sort(chosen, latest, query.get("sort", "name"))
    start, count = _number(query, "from", 0), min(_number(query, "count", PAGE_MAX), PAGE_MAX)
    page = chosen[start : start + count]
    runs: dict[str, list[RunLine]] = defaultdict(list)
    for run in tx.ui_newest_runs([dag.dag_id for dag in page], STRIP_RUNS):
        runs[run.dag_id].append(run)
    return {
        "total": len(chosen),
        "all": len(dags),
        "facets": _facets(named, latest),
        "dags": [_told(dag, runs[dag.dag_id]) for dag in page],
    }


def _named(dag: DagLine, query: Mapping[str, str]) -> bool:
    wanted = query.get("q", "").lower().split()
    name = f"{dag.dag_id} {dag.display_name or ''} {' '.join(dag.tags)} {' '.join(dag.owners)}".lower()
    return all(part in name for part in wanted)


def _fits(dag: DagLine, latest: tuple[str, int] | None, query: Mapping[str, str], favourites: frozenset[str]) -> bool:
    tags = {tag for tag in query.get("tag", "").split(",") if tag}
    if tags and not tags & set(dag.tags):
        return False
    if query.get("owner") and query["owner"] not in dag.owners:
        return False
    if query.get("paused") in ("true", "false") and dag.is_paused != (query["paused"] == "true"):
        return False
    if query.get("favourite") == "true" and dag.dag_id not in favourites:
        return False
    state = query.get("state")
    return not state or (latest[0] if latest else "none") == state


def _sort(dags: list[DagLine], latest: Mapping[str, tuple[str, int]], order: str) -> None:
    if order not in SORTS:
        raise BadInput(f"dags can be sorted by {', '.join(SORTS)}, not by {order!r}")
    if order == "next":
        dags.sort(key=lambda dag: (dag.next_run_after is None, dag.next_run_after or 0))
    elif order == "state":
        dags.sort(key=lambda dag: _URGENCY[latest[dag.dag_id][0] if dag.dag_id in latest else ""])
    elif order == "latest":
        dags.sort(key=lambda dag: -(latest[dag.dag_id][1] if dag.dag_id in latest else 0))


def _facets(dags: list[DagLine], latest: Mapping[str, tuple[str, int]]) -> dict[str, Any]:
    states = Counter(latest[dag.dag_id][0] if dag.dag_id in latest else "none" for dag in dags)
    return {
        "state": dict(states),
        "paused": {
            "true": sum(dag.is_paused for dag in dags),
            "false": sum(not dag.is_paused for dag in dags),
        },
        "tag": Counter(tag for dag in dags for tag in dag.tags).most_common(60),
        "owner": Counter(owner for dag in dags for owner in dag.owners).most_common(60),
    }


def _told(dag: DagLine, runs: list[RunLine]) -> dict[str, Any]:
    newest = runs[0] if runs else None
    seconds = [_seconds(run) for run in reversed(runs)]
    done = [each for each, run in zip(reversed(seconds), runs, strict=True) if each is not None and run.ended_at]
    return {
        "dag_id": dag.dag_id,
        "name": dag.display_name,
        "description": dag.description,
        "paused": dag.is_paused,
        "pause_reason": dag.pause_reason,
        "schedule": dag.schedule,
        "tags": dag.tags,
        "owners": dag.owners,
        "next": dag.next_run_after,
        "active": dag.runs_active,
        "strip": "".join(_LETTER[run.state] for run in reversed(runs)),
        "seconds": seconds,
        "median": median(done) if done else None,
        "latest": None if newest is None else line_of(newest),
    }


def line_of(run: RunLine) -> dict[str, Any]:
    """A run as lists show it."""
    return {
        "dag_id": run.dag_id,
        "key": run.run_key,
        "run_id": run.run_id,
        "type": run.run_type,
        "by": run.triggered_by,
        "state": run.state,
        "after": run.run_after,
        "logical": run.logical_date,
        "queued": run.queued_at,
        "start": run.started_at,
        "end": run.ended_at,
        "version": run.version_id,
        "note": run.note,
        "reason": run.reason,
        "user": run.user,
    }


def _seconds(run: RunLine) -> float | None:
    if run.started_at is None or run.ended_at is None:
        return None
    return max(0, run.ended_at - run.started_at) / 1000


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise BadInput(f"{name} must be a number, not {text!r}")
    return int(text)
