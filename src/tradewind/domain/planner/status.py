"""States as small numbers: one byte per instance in memory. The numbers never leave the planner."""

from __future__ import annotations

from typing import Final

from tradewind.wire.states import TaskInstanceState as S

NONE: Final = 0
SCHEDULED: Final = 1
QUEUED: Final = 2
RUNNING: Final = 3
RESTARTING: Final = 4
DEFERRED: Final = 5
AWAITING_INPUT: Final = 6
UP_FOR_RETRY: Final = 7
UP_FOR_RESCHEDULE: Final = 8
RETRY_DUE: Final = 9
"""up_for_retry whose time has come, but whose rule (or past) says wait."""
RESCHEDULE_DUE: Final = 10
EXPANDED: Final = 11
"""No instance here: instances stand below this place."""
SUCCESS: Final = 12
FAILED: Final = 13
SKIPPED: Final = 14
UPSTREAM_FAILED: Final = 15
REMOVED: Final = 16

FIRST_TERMINAL: Final = SUCCESS
SIZE: Final = 17

STATE_OF: Final[tuple[S | None, ...]] = (
    None,
    S.SCHEDULED,
    S.QUEUED,
    S.RUNNING,
    S.RESTARTING,
    S.DEFERRED,
    S.AWAITING_INPUT,
    S.UP_FOR_RETRY,
    S.UP_FOR_RESCHEDULE,
    S.UP_FOR_RETRY,
    S.UP_FOR_RESCHEDULE,
    None,
    S.SUCCESS,
    S.FAILED,
    S.SKIPPED,
    S.UPSTREAM_FAILED,
    S.REMOVED,
)
CODE_OF: Final[dict[S | None, int]] = {
    state: code for code, state in enumerate(STATE_OF) if code not in (RETRY_DUE, RESCHEDULE_DUE, EXPANDED)
}

LIVE: Final = frozenset({QUEUED, RUNNING, RESTARTING, DEFERRED, AWAITING_INPUT})
"""Something outside works on it or holds it: ended by `Stop`."""
UNDECIDED: Final = frozenset({NONE, RETRY_DUE, RESCHEDULE_DUE})
"""Waits for a decision of the run."""
NOT_STARTED: Final = frozenset({NONE, SCHEDULED})
