"""Whether a run is over, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from tradewind.wire.states import DagRunState

from . import status as st
from .board import Board, Handle
from .graph import EXPANDER, LEAF, TEARDOWN
from .judgement import has_any, name

NAMES_MAX = 5
"""Names in the sentence about a deadlock."""


def run_end(board: Board) -> tuple[DagRunState, str] | None:
    """State and reason of a run that is over: every instance is, or nothing moves, nothing will, and it is not the past
    that holds it (a deadlock; no trigger rule waits for ever, so only broken rows can show one). None while it goes
    on."""
    tally = board.tally
    if tally[st.RUNNING] or tally[st.SCHEDULED] or tally[st.QUEUED] or any(tally[st.RESTARTING : st.RETRY_DUE]):
        return None
    stuck = tally[st.NONE] + tally[st.RETRY_DUE] + tally[st.RESCHEDULE_DUE]
    if stuck:
        return None if board.gated else (DagRunState.FAILED, _deadlock(board, stuck))
    if board.failed_leaves:
        return DagRunState.FAILED, _first(board, (st.FAILED, st.UPSTREAM_FAILED), among=LEAF)
    if board.graph.fail_fast and board.failures:
        return DagRunState.FAILED, f"{_first(board, (st.FAILED,), without=TEARDOWN)} and the DAG fails fast"
    return DagRunState.SUCCESS, "everything is done and no leaf failed"


def _deadlock(board: Board, stuck: int) -> str:
    names = [name(board, *handle) for handle in islice(_undecided(board), NAMES_MAX)]
    more = f" and {stuck - len(names)} more" if stuck > len(names) else ""
    return f"deadlocked: nothing runs, and {', '.join(names)}{more} can never start"


def _first(board: Board, codes: tuple[int, ...], *, among: int = 0, without: int = 0) -> str:
    """The first task instance in one of these states, among tasks with or without a flag, and its state."""
    for node, flags in enumerate(board.graph.flags):
        if flags & (EXPANDER | without) or (flags & among) != among or not has_any(board, node, codes):
            continue
        found = next(handle for handle in board.handles(node) if board.code(handle) in codes)
        return f"{name(board, *found)} is {st.STATE_OF[board.code(found)]}"
    raise AssertionError("the counters of the board say that there is one")


def _undecided(board: Board) -> Iterator[Handle]:
    for node, flags in enumerate(board.graph.flags):
        if not flags & EXPANDER:
            yield from (handle for handle in board.handles(node) if board.code(handle) in st.UNDECIDED)
