"""Take-over: the board of a run rebuilt from its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tradewind.wire.errors import NotFound
from tradewind.wire.ids import MapPath
from tradewind.wire.states import TaskInstanceState, TriggerRule

from . import counters as c
from . import status as st
from .board import Board, Handle
from .changes import Change, Create, Remove
from .expansion import spread_silently
from .graph import EXPANDER, GATED, INVOLVED, OWN_MAPPED, SOURCE


@dataclass(frozen=True, slots=True)
class InstanceSnapshot:
    """One row, as far as planning needs it."""

    task_id: str
    path: MapPath = ()
    state: TaskInstanceState | None = None
    try_number: int = 0
    due_at: datetime | None = None
    length: int | None = None
    """Items in the return value."""
    skips: tuple[str, ...] = ()
    past_ok: bool | None = None
    """What the run before says, None when not known (a task without a gate needs none)."""


@dataclass(slots=True)
class Rows:
    """What the plan must still do about the rows."""

    scheduled: list[Handle] = field(default_factory=list)
    skips: list[tuple[Handle, tuple[str, ...]]] = field(default_factory=list)


def place_rows(board: Board, instances: Iterable[InstanceSnapshot], out: list[Change]) -> Rows:
    """Set every instance to the state of its row. Instances without a row are created; rows of tasks or indexes that
    this version of the DAG does not have are removed unless they have ended."""
    snapshots = list(instances)
    _shape(board, snapshots)
    rows = Rows()
    seen = 0
    for snapshot in snapshots:
        node = board.graph.index.get(snapshot.task_id, -1)
        if node >= 0 and not snapshot.path and board.status[node] != st.EXPANDED:
            handle = (node, -1)
        else:
            try:
                handle = board.find((snapshot.task_id, snapshot.path))
            except NotFound as error:
                if snapshot.state is None or st.CODE_OF[snapshot.state] < st.FIRST_TERMINAL:
                    out.append(Remove((snapshot.task_id, snapshot.path), str(error)))
                continue
        seen += 1
        _place(board, handle, snapshot, rows)
    board.wakes.clear()
    if seen < sum(board.tally):
        _create_missing(board, snapshots, out)
    return rows


def undecided_places(board: Board) -> Iterator[int]:
    """Every place that may have something to decide. Places whose upstreams have not begun to end are left out: there
    are many of them in a young run."""
    graph, status, counts = board.graph, board.status, board.counts
    for place, code in enumerate(status):
        node = board.node(place)
        flags = graph.flags[node]
        if flags & EXPANDER:
            if code != st.EXPANDED:
                yield place
        elif code in st.UNDECIDED:
            block = place << c.SHIFT
            if (
                flags & INVOLVED
                or counts[block] or counts[block + 1] or counts[block + 2] or counts[block + 3]
                or not counts[block + c.OPEN]
                or graph.rule_names[node] is TriggerRule.ALWAYS
            ):  # fmt: skip
                yield place
    yield from board.fans
    yield from board.skippers  # a branch decides without waiting for anything


def _shape(board: Board, snapshots: list[InstanceSnapshot]) -> None:
    """Expand groups and tasks as far as the rows go."""
    graph = board.graph
    spreads: dict[tuple[int, int, MapPath], int] = {}
    fans: dict[tuple[int, MapPath], int] = {}
    for snapshot in snapshots:
        path = snapshot.path
        node = graph.index.get(snapshot.task_id)
        if not path or node is None:
            continue
        level = graph.level[node]
        mapped = bool(graph.flags[node] & OWN_MAPPED)
        if len(path) > level + mapped:
            continue
        for depth, group in enumerate(graph.chains[node][: len(path)]):
            where = (depth, group, path[:depth])
            spreads[where] = max(spreads.get(where, 0), path[depth] + 1)
        if len(path) > level:
            fans[node, path[:level]] = max(fans.get((node, path[:level]), 0), path[level] + 1)
    for (_, group, path), width in sorted(spreads.items()):
        spread_silently(
            board,
            board.place(_scope(board, graph.chains[graph.groups[group].expander], path), graph.groups[group].expander),
            width,
        )
    for (node, path), width in fans.items():
        place = board.place(_scope(board, graph.chains[node], path), node)
        board.widen(place, width - 1)
        board.fans[place] = bytearray(width)
        board.status[place] = st.EXPANDED


def _scope(board: Board, chain: tuple[int, ...], path: MapPath) -> int:
    scope = 0
    for group, index in zip(chain, path, strict=False):
        scope = board.spreads[board.place(scope, board.graph.groups[group].expander)][index]
    return scope


def _place(board: Board, handle: Handle, snapshot: InstanceSnapshot, rows: Rows) -> None:
    code = st.CODE_OF[snapshot.state]
    if code:
        board.move(*handle, code)
    flags = board.graph.flags[board.node(handle[0])]
    if code == st.SCHEDULED:
        rows.scheduled.append(handle)
    if flags & SOURCE and snapshot.length is not None:
        board.lengths[handle] = snapshot.length
    if snapshot.skips:
        rows.skips.append((handle, snapshot.skips))
    if flags & GATED and snapshot.past_ok is not None:
        board.gates[handle] = (
            snapshot.past_ok,
            "" if snapshot.past_ok else "the run before this one has not succeeded",
        )
    if snapshot.due_at is not None:
        board.due_at[handle] = snapshot.due_at


def _create_missing(board: Board, snapshots: list[InstanceSnapshot], out: list[Change]) -> None:
    known = {(snapshot.task_id, snapshot.path) for snapshot in snapshots}
    for node in range(board.graph.size):
        if board.graph.flags[node] & EXPANDER:
            continue
        for handle in board.handles(node):
            key = board.key(*handle)
            if key not in known:
                out.append(Create(key, "it has no row yet"))
