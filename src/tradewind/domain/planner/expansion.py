"""Expansion of mapped tasks and groups: from a placeholder to indexes, and to more or fewer of them when the input
was cleared and came back different."""

from __future__ import annotations

from collections.abc import Iterator

from tradewind.domain.mapping import NotExpandable, expansion_size, first_empty
from tradewind.domain.trigger_rules import Decision
from tradewind.wire.document import FromTask

from . import status as st
from .board import Board
from .changes import Change, Create, Remove, Rename
from .graph import EXPANDER
from .judgement import Gone, exists, is_outgrown, judge_inputs, judge_scopes, visible

RETURN_VALUE = "return_value"

_STATUS = {Decision.SKIP: st.SKIPPED, Decision.FAIL_UPSTREAM: st.UPSTREAM_FAILED, Decision.WAIT: st.NONE}


def settle(board: Board, place: int, out: list[Change]) -> None:
    """Decide anew how many indexes an expander has, and let what it expands follow."""
    node, scope = board.node(place), board.scope(place)
    if len(board.scope_path[scope]) < board.graph.level[node] or isinstance(judge_scopes(board, node, scope), Gone):
        return
    judgement = judge_inputs(board, place)
    board.notes.pop(place, None)
    if judgement.decision is not Decision.READY:
        board.status[place] = _STATUS[judgement.decision]
        board.widths.pop(place, None)
        _wake_expanded(board, place)
        return
    mapping = board.graph.mappings[node]

    def length_of(source: FromTask) -> int:
        return _length(board, place, source)

    try:
        width = expansion_size(mapping, length_of)
        if not width:
            board.notes[place] = first_empty(mapping, length_of)
    except NotExpandable as error:
        board.status[place] = st.UPSTREAM_FAILED
        board.notes[place] = str(error)
        board.widths.pop(place, None)
        _wake_expanded(board, place)
        return
    if board.status[place] == st.SUCCESS and board.widths.get(place) == width:
        return
    board.status[place] = st.SUCCESS
    board.widths[place] = width
    target = board.graph.expands[node]
    if target >= 0:
        _resize_fan(board, board.place(scope, target), width, out)
    else:
        _resize_group(board, place, -1 - target, width, out)
    _wake_expanded(board, place)


def expand_task(board: Board, place: int, width: int, out: list[Change]) -> None:
    """The placeholder of a mapped task, whose rule is met, becomes `width` indexes (at least one)."""
    placeholder = board.key(place, -1)
    board.widen(place, width - 1)
    board.fans[place] = bytearray(width)
    board.status[place] = st.EXPANDED
    out.append(Rename(placeholder, board.key(place, 0), f"'{placeholder[0]}' expands to {width}"))
    reason = f"index of '{placeholder[0]}', which expands to {width}"
    out.extend(Create(board.key(place, index), reason) for index in range(1, width))


def spread_silently(board: Board, expander: int, width: int) -> None:
    """Take-over: a group has this many indexes in the rows."""
    group_index = -1 - board.graph.expands[board.node(expander)]
    scope = board.scope(expander)
    for node in board.graph.groups[group_index].members:
        place = board.place(scope, node)
        if not board.graph.flags[node] & EXPANDER:
            board.widen(place, width - 1)
        board.status[place] = st.EXPANDED
    board.spreads[expander] = [board.add_scope(group_index, scope, index) for index in range(width)]


def _wake_expanded(board: Board, expander: int) -> None:
    """Everything undecided that hangs on an expander is judged again."""
    node, scope = board.node(expander), board.scope(expander)
    target = board.graph.expands[node]
    for member in (target,) if target >= 0 else board.graph.groups[-1 - target].members:
        board.wake(board.place(scope, member))


def _length(board: Board, reader: int, source: FromTask) -> int:
    """Length of what a task left. A mapped upstream is as long as it has successful indexes; a single one as its
    return value."""
    graph = board.graph
    upstream = graph.index[source.task_id]
    place = visible(board, reader, upstream)
    if graph.is_deep(upstream, board.node(reader)) and board.status[place] == st.EXPANDED:
        return sum(board.code(handle) == st.SUCCESS for handle in board.handles(place))
    length = board.lengths.get((place, -1))
    if length is None or source.key != RETURN_VALUE:
        raise NotExpandable(
            f"'{source.task_id}' left nothing to expand over under key '{source.key}': return a list, tuple or dict"
        )
    return length


def _resize_fan(board: Board, place: int, width: int, out: list[Change]) -> None:
    fan = board.fans.get(place)
    if fan is None:
        return
    task_id = board.graph.ids[board.node(place)]
    _revive_and_remove(board, [[(place, index)] for index in range(len(fan))], width, f"'{task_id}'", out)
    more = width - len(fan)
    if more > 0:
        board.widen(place, more, grown=True)
        reason = f"index of '{task_id}', which expands to {width}"
        out.extend(Create(board.key(place, index), reason) for index in range(len(fan), width))
        fan.extend(bytes(more))


def _resize_group(board: Board, expander: int, group_index: int, width: int, out: list[Change]) -> None:
    group = board.graph.groups[group_index]
    scope = board.scope(expander)
    scopes = board.spreads.get(expander)
    if scopes is None:
        if width:
            _spread(board, expander, group_index, width, out)
        return
    tasks = [node for node in group.members if not board.graph.flags[node] & EXPANDER]
    instances = [[h for node in tasks for h in board.handles(board.place(inner, node))] for inner in scopes]
    _revive_and_remove(board, instances, width, f"group '{group.group_id}'", out)
    have = len(scopes)
    if width > have:
        for node in tasks:
            board.widen(board.place(scope, node), width - have, grown=True)
        scopes.extend(board.add_scope(group_index, scope, index) for index in range(have, width))
        for inner in scopes[have:]:
            out.extend(_created(board, inner, tasks, group.group_id, width))
            _wake_scope(board, inner, group.members)


def _spread(board: Board, expander: int, group_index: int, width: int, out: list[Change]) -> None:
    """First expansion of a group: every placeholder inside becomes the first index, whatever state it has."""
    group = board.graph.groups[group_index]
    scope = board.scope(expander)
    tasks = [node for node in group.members if not board.graph.flags[node] & EXPANDER]
    decided: dict[int, int] = {}
    for node in tasks:
        place = board.place(scope, node)
        if board.status[place] != st.NONE:
            decided[node] = board.status[place]
            board.move(place, -1, st.NONE)
    placeholders = [board.key(board.place(scope, node), -1) for node in tasks]
    spread_silently(board, expander, width)
    scopes = board.spreads[expander]
    reason = f"group '{group.group_id}' expands to {width}"
    for node, placeholder in zip(tasks, placeholders, strict=True):
        place = board.place(scopes[0], node)
        out.append(Rename(placeholder, board.key(place, -1), reason))
        board.carry_over(board.place(scope, node), place)
        if node in decided:
            board.move(place, -1, decided[node])
    for inner in scopes[1:]:
        out.extend(_created(board, inner, tasks, group.group_id, width))
    for inner in scopes:
        _wake_scope(board, inner, group.members)


def _created(board: Board, scope: int, tasks: list[int], group_id: str, width: int) -> Iterator[Change]:
    reason = f"index of group '{group_id}', which expands to {width}"
    for node in tasks:
        yield Create(board.key(board.place(scope, node), -1), reason)


def _wake_scope(board: Board, scope: int, members: list[int]) -> None:
    for node in members:
        board.wake(board.place(scope, node))


def _revive_and_remove(
    board: Board, instances: list[list[tuple[int, int]]], width: int, what: str, out: list[Change]
) -> None:
    """Existing indexes under a new width: those beyond are removed (what is live ends first), removed ones within
    come back."""
    for index, handles in enumerate(instances):
        for handle in handles:
            code = board.code(handle)
            if code == st.REMOVED and not is_outgrown(index, width) and exists(board, *handle):
                board.move(*handle, st.NONE)
                out.append(Create(board.key(*handle), f"{what} expands to {width}: the index exists again"))
                board.wake(handle[0])
            elif is_outgrown(index, width) and code != st.REMOVED and code not in st.LIVE:
                board.move(*handle, st.REMOVED)
                out.append(Remove(board.key(*handle), f"{what} expands to {width} now"))
