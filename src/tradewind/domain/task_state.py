"""The table of legal changes of a task instance. `store/transitions` has one function per row; nobody else writes the state.

Each change names the states it may start from, the state it ends in, who may ask, whether the attempt token must match, and what is set and
cleared. The drawing in `docs/internals/states.md` is made from this table. Airflow's state names; the changes are ours.
"""

# ruff: noqa: E501 - a table reads best with a row a line
from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tradewind.wire.states import TaskInstanceState as S

NO_STATUS: None = None


class Asker(StrEnum):
    """Who may ask for a change."""

    OWNER = "owner"
    """The scheduler that owns the run, fenced by owner and epoch."""
    WORKER = "worker"
    """An agent, fenced by the attempt token."""
    PERSON = "person"
    """A command on behalf of a person or the API."""
    MAINTENANCE = "maintenance"
    """A periodic duty, fenced by the attempt token it read."""


@dataclass(frozen=True, slots=True)
class TaskChange:
    """One legal change. `sets` and `clears` name columns of the task instance row beside `state`, `reason` and `updated_at`."""

    name: str
    origins: frozenset[S | None]
    target: S | None
    askers: frozenset[Asker]
    fenced_by_token: bool
    sets: tuple[str, ...]
    clears: tuple[str, ...]
    duty: str


_OWNER = frozenset({Asker.OWNER})
_WORKER = frozenset({Asker.WORKER, Asker.MAINTENANCE})
_PERSON = frozenset({Asker.PERSON})
_NOT_STARTED: frozenset[S | None] = frozenset({NO_STATUS, S.SCHEDULED})
_RESTING: frozenset[S | None] = frozenset({S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE})
_WAITING_OUTSIDE: frozenset[S | None] = frozenset({S.DEFERRED, S.AWAITING_INPUT})
_WAKERS = frozenset({Asker.WORKER, Asker.PERSON, Asker.OWNER})
_IN_HAND: frozenset[S | None] = frozenset({S.QUEUED, S.RUNNING, S.RESTARTING})
_ANY: frozenset[S | None] = frozenset({NO_STATUS, *S})


def _change(
    name: str,
    origins: frozenset[S | None],
    target: S | None,
    askers: frozenset[Asker],
    duty: str,
    *,
    token: bool = False,
    sets: tuple[str, ...] = (),
    clears: tuple[str, ...] = (),
) -> TaskChange:
    return TaskChange(name, origins, target, askers, token, sets, clears, duty)


TASK_CHANGES: dict[str, TaskChange] = {
    change.name: change
    for change in (
        _change("schedule", _NOT_STARTED | _RESTING, S.SCHEDULED, _OWNER, "Ready, but a limit keeps it waiting; the reason says which.",
                sets=("scheduled_at",), clears=("due_at",)),
        _change("queue", _NOT_STARTED | _RESTING, S.QUEUED, _OWNER, "Has its slots and a fresh attempt token; goes to the executor after the commit.",
                sets=("attempt_token", "try_number", "queued_at", "scheduled_at", "holds_slot", "executor", "agent"),
                clears=("due_at", "started_at", "ended_at", "duration_seconds", "pid", "cause")),
        _change("start", frozenset({S.QUEUED}), S.RUNNING, _WORKER, "The agent's claim is granted; repeating it with the same token is success.",
                token=True, sets=("started_at", "agent", "hostname", "pid")),
        _change("succeed", frozenset({S.RUNNING, S.DEFERRED}), S.SUCCESS, _WORKER, "The task ended well, or its trigger ended it so.", token=True,
                sets=("ended_at", "duration_seconds", "xcom_length", "skips"), clears=("due_at",)),
        _change("fail", frozenset({S.QUEUED, S.RUNNING, S.DEFERRED}), S.FAILED, _WORKER, "The attempt failed and no try is left.", token=True,
                sets=("ended_at", "duration_seconds", "cause"), clears=("due_at",)),
        _change("retry", frozenset({S.QUEUED, S.RUNNING, S.DEFERRED}), S.UP_FOR_RETRY, _WORKER,
                "The attempt failed and another try is due at `due_at`; the attempt is kept as history.", token=True,
                sets=("ended_at", "duration_seconds", "cause", "due_at", "max_tries", "infrastructure_tries"), clears=("attempt_token",)),
        _change("skip_self", frozenset({S.QUEUED, S.RUNNING, S.DEFERRED}), S.SKIPPED, _WORKER, "The task raised a skip.", token=True,
                sets=("ended_at", "duration_seconds"), clears=("due_at",)),
        _change("reschedule", frozenset({S.RUNNING}), S.UP_FOR_RESCHEDULE, _WORKER, "A sensor asks to be called again at `due_at`; the try goes on.", token=True,
                sets=("due_at", "ended_at", "duration_seconds", "first_started_at"), clears=("attempt_token",)),
        _change("defer", frozenset({S.RUNNING}), S.DEFERRED, _WORKER, "The task waits for a trigger; its slots are free; the try goes on.", token=True,
                sets=("due_at", "ended_at", "duration_seconds", "first_started_at")),
        _change("defer_at_start", _NOT_STARTED | _RESTING, S.DEFERRED, _OWNER, "The try begins in the triggerer, without a process.",
                sets=("attempt_token", "try_number", "queued_at", "scheduled_at", "started_at", "first_started_at", "due_at"),
                clears=("ended_at", "duration_seconds", "pid", "cause")),
        _change("await_input", frozenset({S.RUNNING}), S.AWAITING_INPUT, _WORKER, "The task waits for a person's answer; its slots are free; the try goes on.",
                token=True, sets=("due_at", "ended_at", "duration_seconds", "first_started_at")),
        _change("wake", _WAITING_OUTSIDE, S.SCHEDULED, _WAKERS, "What it waited for has come, or will not come any more: it goes on in the method it named.",
                token=True, sets=("scheduled_at", "ended_at"), clears=("attempt_token", "due_at")),
        _change("queue_on", frozenset({S.SCHEDULED, S.UP_FOR_RETRY}), S.QUEUED, _OWNER, "Goes on after its wait, with a fresh attempt token; it keeps what it pushed before.",
                sets=("attempt_token", "try_number", "queued_at", "scheduled_at", "holds_slot", "executor", "agent"),
                clears=("due_at", "started_at", "ended_at", "duration_seconds", "pid", "cause")),
        _change("remove_self", frozenset({S.QUEUED, S.RUNNING}), S.REMOVED, _WORKER, "The task does not exist in the code any more.", token=True,
                sets=("ended_at",)),
        _change("skip", _NOT_STARTED | _RESTING, S.SKIPPED, _OWNER, "A rule of the run skipped it; the reason names the upstream.", sets=("ended_at",),
                clears=("due_at",)),
        _change("fail_upstream", _NOT_STARTED | _RESTING, S.UPSTREAM_FAILED, _OWNER, "Its trigger rule can not be met any more.", sets=("ended_at",),
                clears=("due_at",)),
        _change("remove", _NOT_STARTED | _RESTING | frozenset({S.SKIPPED, S.UPSTREAM_FAILED, S.FAILED, S.SUCCESS}), S.REMOVED, _OWNER,
                "The mapped index does not exist any more.", sets=("ended_at",), clears=("due_at",)),
        _change("succeed_empty", _NOT_STARTED | _RESTING, S.SUCCESS, _OWNER, "Nothing to execute: done without an executor.",
                sets=("started_at", "ended_at", "duration_seconds", "try_number"), clears=("due_at",)),
        _change("stop", _IN_HAND | frozenset({S.DEFERRED, S.AWAITING_INPUT}), S.FAILED, _OWNER,
                "The run ended it (time-out, fail-fast, a person); its token is void, the executor is told.", sets=("ended_at", "cause"),
                clears=("attempt_token", "due_at")),
        _change("stop_skipped", _IN_HAND | frozenset({S.DEFERRED, S.AWAITING_INPUT}), S.SKIPPED, _OWNER,
                "The run's time-out ended it; its token is void, the executor is told.", sets=("ended_at", "cause"), clears=("attempt_token", "due_at")),
        _change("requeue", frozenset({S.QUEUED}), S.SCHEDULED, _OWNER, "The executor gave it back before it began; its slots are free again.",
                token=True, sets=("try_number",), clears=("attempt_token", "queued_at", "holds_slot", "agent")),
        _change("clear", _ANY, NO_STATUS, _PERSON, "Run again: the attempt is kept as history, a live one is stopped.",
                sets=("max_tries",), clears=("attempt_token", "started_at", "ended_at", "duration_seconds", "due_at", "cause", "skips", "xcom_length",
                                             "queued_at", "scheduled_at", "first_started_at")),
        _change("mark_success", _ANY - {S.SUCCESS}, S.SUCCESS, _PERSON, "A person decided.", sets=("ended_at",), clears=("attempt_token", "due_at")),
        _change("mark_failed", _ANY - {S.FAILED}, S.FAILED, _PERSON, "A person decided.", sets=("ended_at", "cause"), clears=("attempt_token", "due_at")),
        _change("mark_skipped", _ANY - {S.SKIPPED}, S.SKIPPED, _PERSON, "A person decided.", sets=("ended_at",), clears=("attempt_token", "due_at")),
    )
}  # fmt: skip
