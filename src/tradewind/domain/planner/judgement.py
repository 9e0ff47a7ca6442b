"""What the run says about the undecided instances of one place: may they start, and if not, why not. Reads the board,
changes nothing.

Several things must agree: the groups around the task have expanded, no branch skipped it, the setups guarding it
succeeded, its own expansion is settled, and its trigger rule is met. A failure outweighs a skip, a skip outweighs
waiting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tradewind.domain.trigger_rules import Decision, UpstreamCounts, explain
from tradewind.wire.ids import path_text

from . import counters as c
from . import status as st
from .board import Board
from .graph import OWN_MAPPED

NAMED_MAX = 64
"""How many upstream tasks a sentence looks at to name the first offender: reasons stay cheap for wide fan-ins."""

_WEIGHT = {Decision.READY: 0, Decision.WAIT: 1, Decision.SKIP: 2, Decision.FAIL_UPSTREAM: 3}
_BAD = (st.FAILED, st.UPSTREAM_FAILED)


@dataclass(frozen=True, slots=True)
class Gone:
    """The scope or index does not exist any more."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision about all undecided instances at one place, with its sentence."""

    decision: Decision
    sentence: str


_READY = Judgement(Decision.READY, "")


def rule_counts(board: Board, place: int) -> UpstreamCounts:
    """The direct upstreams of a place, added up over the scopes around it."""
    numbers = _added(board, place, 0, 2 * c.SETUP)
    (
        success,
        failed,
        skipped,
        upstream_failed,
        left,
        setup_success,
        setup_failed,
        setup_skipped,
        setup_uf,
        setup_left,
    ) = numbers
    return UpstreamCounts(
        success, failed, skipped, upstream_failed, success + failed + skipped + upstream_failed + left,
        setup_success, setup_skipped, setup_success + setup_failed + setup_skipped + setup_uf + setup_left,
    )  # fmt: skip


def judge(board: Board, place: int, cause: int = -1) -> Judgement | Gone:
    """Weigh everything that can hold back, skip or fail the instances at `place`. A branch's skip is found with
    `branch_skip`."""
    node, scope = board.node(place), board.scope(place)
    worst = judge_scopes(board, node, scope)
    if isinstance(worst, Gone):
        return worst
    if len(board.scope_path[scope]) < board.graph.level[node]:
        # A placeholder inside a group that has not expanded: its rule is judged index by index, later.
        return worst if worst is not _READY else Judgement(Decision.WAIT, "the group around it has not expanded yet")
    if node in board.graph.guards:
        worst = _worse(worst, _judge_guards(board, place, node))
    if board.graph.flags[node] & OWN_MAPPED:
        worst = _worse(worst, _judge_expander(board, board.place(scope, board.graph.own_expander[node])))
    rule = judge_rule(board, place, node, cause)
    return rule if worst is _READY else _worse(worst, rule)


def judge_rule(board: Board, place: int, node: int, cause: int) -> Judgement:
    """The trigger rule alone."""
    counts = rule_counts(board, place)
    rule = board.graph.rule_names[node]
    decision = Decision.READY
    if counts.total:
        decision = board.graph.rules[node](
            counts.success, counts.failed, counts.skipped, counts.upstream_failed, counts.total,
            counts.setup_success, counts.setup_skipped, counts.setup_total,
        )  # fmt: skip
    sentence = explain(rule, decision, counts)
    if decision in (Decision.SKIP, Decision.FAIL_UPSTREAM):
        sentence += _offender(board, place, decision, counts, cause)
    return Judgement(decision, sentence)


def branch_skip(board: Board, place: int) -> str | None:
    """The sentence, if a branch or short circuit said that what stands at this place is skipped."""
    if not board.skippers:
        return None
    for around in board.lineage(place):
        for skipper in board.skippers.get(around, ()):
            if board.code(skipper) == st.SUCCESS:
                return f"skipped by the choice of {name(board, *skipper)}"
    return None


def past_gate(board: Board, place: int, index: int) -> tuple[bool, str] | None:
    """What the run before said to an instance, or to the placeholder it came from; None while unknown."""
    found = board.gates.get((place, index))
    if found is not None:
        return found
    for around in board.lineage(place):
        found = board.gates.get((around, -1))
        if found is not None:
            return found
    return None


def visible(board: Board, place: int, upstream: int) -> int:
    """The place whose instances (at and below) of `upstream` the reader at `place` sees."""
    depth = board.graph.common_depth(upstream, board.node(place))
    return board.place(board.outer(board.scope(place), depth), upstream)


def own_width(board: Board, node: int, place: int) -> int | None:
    """Number of indexes of a mapped task at a place; None when it has no mapping of its own or its expansion is not
    settled."""
    if not board.graph.flags[node] & OWN_MAPPED:
        return None
    return board.widths.get(board.place(board.scope(place), board.graph.own_expander[node]))


def is_outgrown(index: int, width: int | None) -> bool:
    """Whether an index does not exist under a width. Index 0 of nothing stays: it is skipped, so readers see that
    there was nothing."""
    return width is not None and index >= max(width, 1)


def gone(board: Board, place: int, index: int) -> str | None:
    """The sentence, if an instance has an index (its own or one around) that does not exist any more."""
    node = board.node(place)
    verdict = judge_scopes(board, node, board.scope(place))
    if isinstance(verdict, Gone):
        return verdict.sentence
    width = own_width(board, node, place)
    return f"'{board.graph.ids[node]}' expands to {width} now" if is_outgrown(index, width) else None


def exists(board: Board, place: int, index: int) -> bool:
    """Whether every expansion around an instance is settled and has its index."""
    node, scope = board.node(place), board.scope(place)
    if index >= 0:
        width = own_width(board, node, place)
        if width is None or is_outgrown(index, width):
            return False
    while scope:
        parent = board.scope_parent[scope]
        expander = board.place(parent, board.graph.groups[board.scope_group[scope]].expander)
        width = board.widths.get(expander)
        if width is None or is_outgrown(board.scope_path[scope][-1], width):
            return False
        scope = parent
    return True


def judge_inputs(board: Board, place: int) -> Judgement:
    """Whether everything an expander expands over has come to a good end."""
    success, failed, skipped, upstream_failed, left = _added(board, place, 0, c.SETUP)
    if failed or upstream_failed:
        return Judgement(Decision.FAIL_UPSTREAM, f"it expands over {_named(board, place, _BAD)}, which failed")
    if skipped:
        return Judgement(Decision.SKIP, f"it expands over {_named(board, place, (st.SKIPPED,))}, which was skipped")
    if left:
        noun = "task instance" if success + left == 1 else "task instances"
        return Judgement(Decision.WAIT, f"it expands over {success + left} {noun}, {success} done")
    return _READY


def name(board: Board, place: int, index: int) -> str:
    """A task instance as people read it: 'task' or 'task' [3.1]."""
    task_id, path = board.key(place, index)
    return f"'{task_id}' [{path_text(path)}]" if path else f"'{task_id}'"


def _added(board: Board, place: int, first: int, last: int) -> list[int]:
    places = [place] if place < board.graph.size else board.lineage(place)
    total = [0] * (last - first)
    for around in places:
        block = around << c.SHIFT
        for i, number in enumerate(board.counts[block + first : block + last]):
            total[i] += number
    return total


def judge_scopes(board: Board, node: int, scope: int) -> Judgement | Gone:
    """The expansions of the mapped groups around, innermost last."""
    worst = _READY
    inner = scope
    while inner:
        parent = board.scope_parent[inner]
        group = board.graph.groups[board.scope_group[inner]]
        expander = board.place(parent, group.expander)
        index = board.scope_path[inner][-1]
        width = board.widths.get(expander)
        if is_outgrown(index, width):
            return Gone(f"group '{group.group_id}' has {width} indexes now")
        worst = _worse(worst, _judge_expander(board, expander))
        inner = parent
    depth = len(board.scope_path[scope])
    if depth < board.graph.level[node]:
        group = board.graph.groups[board.graph.chains[node][depth]]
        worst = _worse(worst, _judge_expander(board, board.place(scope, group.expander)))
    return worst


def _judge_expander(board: Board, expander: int) -> Judgement:
    code = board.status[expander]
    if code == st.SUCCESS:
        if board.widths[expander] or board.graph.expands[board.node(expander)] >= 0:
            return _READY
        return Judgement(Decision.SKIP, empty_sentence(board, expander))
    if code in (st.NONE, st.EXPANDED):
        return judge_inputs(board, expander) if code == st.NONE else Judgement(Decision.WAIT, "not expanded yet")
    if expander in board.notes:
        return Judgement(Decision.FAIL_UPSTREAM, board.notes[expander])
    return judge_inputs(board, expander)


def empty_sentence(board: Board, expander: int) -> str:
    """Why an expansion has no indexes."""
    node = board.node(expander)
    what = board.notes.get(expander, "its input")
    target = board.graph.expands[node]
    kind = "group " if target < 0 else ""
    return f"nothing to expand {kind}'{board.graph.ids[node]}' over: {what} is empty"


def _judge_guards(board: Board, place: int, node: int) -> Judgement:
    _, failed, skipped, upstream_failed, left = _added(board, place, c.GUARD, c.GUARD + c.SETUP)
    setups = board.graph.guards[node]
    if failed or upstream_failed:
        return Judgement(Decision.FAIL_UPSTREAM, f"its setup {_named(board, place, _BAD, setups)} failed")
    if skipped:
        return Judgement(Decision.SKIP, f"its setup {_named(board, place, (st.SKIPPED,), setups)} was skipped")
    if left:
        return Judgement(Decision.WAIT, f"it waits for {left} {'setup' if left == 1 else 'setups'} further up")
    return _READY


def _worse(one: Judgement, other: Judgement) -> Judgement:
    return other if _WEIGHT[other.decision] > _WEIGHT[one.decision] else one


def _offender(board: Board, place: int, decision: Decision, counts: UpstreamCounts, cause: int) -> str:
    """The first upstream in a state that speaks against the rule: the one that moved just now if it is such a one."""
    if decision is Decision.FAIL_UPSTREAM:
        codes = _BAD if counts.failed or counts.upstream_failed else (st.SKIPPED,)
    else:
        codes = (st.SKIPPED,) if counts.skipped else (st.SUCCESS,) if counts.success else _BAD
    if cause >= 0 and (cause & 7) + st.FIRST_TERMINAL in codes:
        return f" ('{board.graph.ids[cause >> 3]}')"
    named = _named(board, place, codes)
    return f" ({named})" if named != "an upstream" else ""


def _named(board: Board, place: int, codes: tuple[int, ...], upstreams: list[int] | None = None) -> str:
    node = board.node(place)
    for count, upstream in enumerate(board.graph.upstreams(node) if upstreams is None else upstreams):
        if count == NAMED_MAX:
            break
        if has_any(board, visible(board, place, upstream), codes):
            return f"'{board.graph.ids[upstream]}'"
    return "an upstream"


def has_any(board: Board, place: int, codes: tuple[int, ...]) -> bool:
    """Whether an instance at or below a place has one of these states."""
    code = board.status[place]
    if code != st.EXPANDED:
        return code in codes
    fan = board.fans.get(place)
    if fan is not None:
        return any(wanted in fan for wanted in codes)
    return any(has_any(board, inner, codes) for inner in board.below(place))


def unfinished(board: Board, place: int) -> Iterator[str]:
    """Ids of direct upstream tasks that still have something to do, as the reader at `place` sees them."""
    todo = tuple(code for code in range(st.FIRST_TERMINAL) if code != st.EXPANDED)
    for upstream in board.graph.upstreams(board.node(place)):
        if has_any(board, visible(board, place, upstream), todo):
            yield board.graph.ids[upstream]
