"""Waiting for the end of a run: a line of JSON each interval, the last one with results."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from tradewind.ports.reads import Ask, Op, PublicTransaction, Sort, Where
from tradewind.wire.errors import InvalidValue, NotFound, Unavailable
from tradewind.wire.states import LIVE_RUN_STATES

from .office import Office
from .values import value_of

_RETURN_VALUE = "return_value"
_RESULTS_MAX = 10_000


async def wait_for_run(
    office: Office, dag_id: str, run_id: str, interval_seconds: float, tasks: Sequence[str]
) -> AsyncIterator[bytes]:
    """Lines until the run is over or the server stops, at least one. A database that is away for a moment is waited
    for.
    """
    over = False
    while True:
        try:
            said, over = await office.read(lambda tx: _look(office, tx, dag_id, run_id, tasks))
            yield msgspec.json.encode(said) + b"\n"
        except Unavailable:
            pass  # the next look may succeed
        if over or not await office.pause(interval_seconds):
            return


def _look(
    office: Office, tx: PublicTransaction, dag_id: str, run_id: str, tasks: Sequence[str]
) -> tuple[dict[str, Any], bool]:
    run = tx.run_find(dag_id, run_id)
    if run is None:
        return {"state": None}, True  # deleted meanwhile
    said: dict[str, Any] = {"state": run.state}
    over = run.state not in LIVE_RUN_STATES
    if over and tasks:
        said["results"] = _results(office, tx, dag_id, run_id, tasks)
    return said, over


def _results(office: Office, tx: PublicTransaction, dag_id: str, run_id: str, tasks: Sequence[str]) -> dict[str, Any]:
    """Return values by task; of a mapped task a list in the order of its indexes."""
    where = (
        Where("dag_id", Op.IS, dag_id),
        Where("run_id", Op.IS, run_id),
        Where("task_id", Op.ANY, list(tasks)),
        Where("key", Op.IS, _RETURN_VALUE),
    )
    sort = (Sort("task_id"), Sort("map_index"))
    rows = [view.xcom for view in tx.ask_list("xcoms", Ask(where, sort, limit=_RESULTS_MAX, count_max=0)).rows]
    found: dict[str, Any] = {}
    for task_id, group in groupby(rows, key=lambda row: row.task_id):
        members = list(group)
        try:
            values = [value_of(office.settings, row) for row in members]
        except (NotFound, InvalidValue):
            values = [None] * len(members)
        found[task_id] = values[0] if len(members) == 1 and not members[0].map_path else values
    return found
