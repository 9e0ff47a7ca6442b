"""Why is a task instance (not) running? One true sentence, as far as the run itself knows; limits and pools are the
admission's to explain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from tradewind.domain.trigger_rules import Decision

from . import status as st
from .board import Board, Handle
from .judgement import Gone, branch_skip, judge, name, past_gate, unfinished

UPSTREAMS_MAX = 10
"""Upstreams a reason names."""


class ReasonKind(StrEnum):
    """What the sentence is about."""

    DONE = "done"
    LIVE = "live"
    READY = "ready"
    RESTING = "resting"
    UPSTREAM = "upstream"
    EXPANSION = "expansion"
    PAST = "past"
    RUN_OVER = "run_over"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an instance stands where it stands. `str(reason)` is the sentence."""

    kind: ReasonKind
    sentence: str
    waiting_for: tuple[str, ...] = ()
    """Ids of upstream tasks it waits for (the first ten)."""

    def __str__(self) -> str:
        return self.sentence


def explain_instance(board: Board, handle: Handle, *, finished: bool) -> Reason:
    """See `RunPlan.why`."""
    code = board.code(handle)
    who = name(board, *handle)
    state = st.STATE_OF[code]
    if code >= st.FIRST_TERMINAL:
        return Reason(ReasonKind.DONE, f"{who} is over: {state}")
    if finished:
        return Reason(ReasonKind.RUN_OVER, f"{who} does not start: the run is over")
    if code == st.SCHEDULED:
        return Reason(ReasonKind.READY, f"{who} is ready and waits for its slots")
    if code in (st.DEFERRED, st.AWAITING_INPUT):
        what = "a trigger" if code == st.DEFERRED else "a person's answer"
        return Reason(ReasonKind.RESTING, f"{who} waits for {what}{_until(board, handle)}")
    if code in (st.UP_FOR_RETRY, st.UP_FOR_RESCHEDULE):
        what = "its next try" if code == st.UP_FOR_RETRY else "its next look"
        return Reason(ReasonKind.RESTING, f"{who} waits for {what}{_until(board, handle)}")
    if code not in st.UNDECIDED:
        return Reason(ReasonKind.LIVE, f"{who} is {state}")
    return _undecided(board, handle, who)


def _undecided(board: Board, handle: Handle, who: str) -> Reason:
    place, index = handle
    verdict = judge(board, place)
    assert not isinstance(verdict, Gone), "an index that is gone was removed when it was judged"
    if verdict.decision is Decision.WAIT:
        names = tuple(islice(unfinished(board, place), UPSTREAMS_MAX))
        if len(board.key(place, index)[1]) < board.graph.level[board.node(place)] or not names:
            return Reason(ReasonKind.EXPANSION, f"{who} waits: {verdict.sentence}", names)
        waiting = ", ".join(f"'{task_id}'" for task_id in names)
        return Reason(ReasonKind.UPSTREAM, f"{who} waits for {waiting}: {verdict.sentence}", names)
    gate = past_gate(board, place, index)
    past = (gate[1] if gate else "") or "the run before this one has not been looked at yet"
    what = "to start" if verdict.decision is Decision.READY and branch_skip(board, place) is None else "to be skipped"
    return Reason(ReasonKind.PAST, f"{who} waits {what}: {past}")


def _until(board: Board, handle: Handle) -> str:
    due = board.due_at.get(handle)
    return f" until {due.isoformat()}" if due else ""
