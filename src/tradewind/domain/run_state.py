"""The table of legal changes of a DAG run. See `task_state` for how it is used."""

# ruff: noqa: E501 - a table reads best with a row a line
from __future__ import annotations

from dataclasses import dataclass

from tradewind.wire.states import DagRunState as R

from .task_state import Asker


@dataclass(frozen=True, slots=True)
class RunChange:
    """One legal change of a run. Changes by the owner are fenced by owner and epoch."""

    name: str
    origins: frozenset[R]
    target: R
    askers: frozenset[Asker]
    sets: tuple[str, ...]
    clears: tuple[str, ...]
    duty: str


RUN_CHANGES: dict[str, RunChange] = {
    change.name: change
    for change in (
        RunChange("start", frozenset({R.QUEUED}), R.RUNNING, frozenset({Asker.OWNER}), ("started_at", "owner", "epoch"), (),
                  "Claimed by a scheduler while the DAG has a free run slot (max_active_runs); the slot is counted in the same transaction."),
        RunChange("succeed", frozenset({R.RUNNING}), R.SUCCESS, frozenset({Asker.OWNER}), ("ended_at", "reason"), ("owner",),
                  "Everything is finished and no leaf failed; the run slot is given back."),
        RunChange("fail", frozenset({R.RUNNING}), R.FAILED, frozenset({Asker.OWNER}), ("ended_at", "reason"), ("owner",),
                  "A leaf failed, the time-out passed, nothing can go on, or a person ended it; the run slot is given back."),
        RunChange("requeue", frozenset({R.SUCCESS, R.FAILED}), R.QUEUED, frozenset({Asker.PERSON}), ("queued_at", "clear_number"),
                  ("started_at", "ended_at", "owner", "reason"), "Cleared: runs again when a run slot is free."),
        RunChange("mark_success", frozenset({R.QUEUED, R.FAILED}), R.SUCCESS, frozenset({Asker.PERSON}), ("ended_at", "reason"), ("owner",), "A person decided (a running one is asked through the inbox)."),
        RunChange("mark_failed", frozenset({R.QUEUED, R.SUCCESS}), R.FAILED, frozenset({Asker.PERSON}), ("ended_at", "reason"), ("owner",), "A person decided (a running one is asked through the inbox)."),
    )
}  # fmt: skip
