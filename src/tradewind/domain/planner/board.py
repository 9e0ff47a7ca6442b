"""The memory of one run: states, counters of upstreams, and where mapped indexes stand. One byte and one block of
counters per place, no objects.

A *place* is a node of the graph inside one *scope*; a scope is one index of a mapped group, scope 0 the run itself.
The places of scope 0 have the numbers of their nodes; the places of another scope are allocated together, so a place
is found by adding the node's offset to the base of the scope.

A place holds either one instance (also the placeholder of what has not expanded yet), or, marked EXPANDED, nothing
itself: its instances then stand in the *fan* of a mapped task, or at the places of inner scopes when a mapped group
around the task has spread.

A *handle* (place, index) names an instance: index -1 for the one at the place, otherwise its index in the fan.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import heappush

from tradewind.wire.errors import NotFound
from tradewind.wire.ids import MapPath, path_text

from . import counters as c
from . import status as st
from .events import Key
from .graph import EXPANDER, LEAF, OWN_MAPPED, TEARDOWN, Graph

Handle = tuple[int, int]
Wake = tuple[int, int, int, int]
"""(node, place, index or -1 for all, cause): look again at a place; the cause is the upstream node that moved, times
8, plus its counter; -1 if none."""

_GONE = -1
_SLOT = tuple(
    c.OPEN if code < st.FIRST_TERMINAL else code - st.FIRST_TERMINAL if code != st.REMOVED else _GONE
    for code in range(st.SIZE)
)
"""Which counter of its readers an instance of this status is in."""


class Board:
    """See the module. `wakes` is the heap of places whose upstreams moved; the plan empties it in the order of the
    graph."""

    __slots__ = (
        "graph", "status", "counts", "node_at", "scope_at", "scope_base", "scope_parent", "scope_path", "scope_group",
        "spreads", "fans", "tally", "failed_leaves", "failures", "wakes", "widths", "notes", "lengths",
        "skippers", "skipped_by", "gates", "gated", "due_at",
    )  # fmt: skip

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.status = bytearray(graph.size)
        self.counts = array("i", graph.root_base)
        self.node_at = array("i")
        self.scope_at = array("i")
        """Node and scope of the places after those of scope 0."""
        self.scope_base = array("i", [0])
        self.scope_parent = array("i", [-1])
        self.scope_group = array("i", [-1])
        self.scope_path: list[MapPath] = [()]
        self.spreads: dict[int, list[int]] = {}
        """Place of a group's expander → its scopes by index, those that shrank away included."""
        self.fans: dict[int, bytearray] = {}
        """Place of a mapped task → status by index."""
        self.tally = [0] * st.SIZE
        self.tally[st.NONE] = graph.tasks
        self.failed_leaves = 0
        self.failures = 0
        """Failed instances that are not teardowns."""
        self.wakes: list[Wake] = []
        self.widths: dict[int, int] = {}
        """Place of a settled expander → number of indexes."""
        self.notes: dict[int, str] = {}
        """Place of an expander → why it can not expand, when its upstreams' states do not say so."""
        self.lengths: dict[Handle, int] = {}
        """Items in the return value, for those that something expands over."""
        self.skippers: dict[int, dict[Handle, None]] = {}
        """Place → the branching instances that say: skip all at and below it."""
        self.skipped_by: dict[Handle, list[int]] = {}
        """The same by branching instance."""
        self.gates: dict[Handle, tuple[bool, str]] = {}
        self.gated: dict[Handle, None] = {}
        """Instances that only the run before this one holds back."""
        self.due_at: dict[Handle, datetime | None] = {}

    # --- where things are

    def node(self, place: int) -> int:
        size = self.graph.size
        return place if place < size else self.node_at[place - size]

    def scope(self, place: int) -> int:
        size = self.graph.size
        return 0 if place < size else self.scope_at[place - size]

    def place(self, scope: int, node: int) -> int:
        if not scope:
            return node
        return self.scope_base[scope] + self.graph.groups[self.scope_group[scope]].offset[node]

    def outer(self, scope: int, depth: int) -> int:
        """The scope around (or equal to) `scope` that has `depth` indexes."""
        while len(self.scope_path[scope]) > depth:
            scope = self.scope_parent[scope]
        return scope

    def lineage(self, place: int) -> Iterator[int]:
        """The place and the places of the same node in the scopes around, innermost first."""
        node, scope = self.node(place), self.scope(place)
        while scope >= 0:
            yield self.place(scope, node)
            scope = self.scope_parent[scope]

    def expander_below(self, place: int) -> int:
        """Place of the expander of the next mapped group inwards, for a node that is deeper than its place."""
        node, scope = self.node(place), self.scope(place)
        group = self.graph.groups[self.graph.chains[node][len(self.scope_path[scope])]]
        return self.place(scope, group.expander)

    def below(self, place: int) -> Iterator[int]:
        """Places one scope further in, for an EXPANDED place without a fan."""
        node = self.node(place)
        for scope in self.spreads[self.expander_below(place)]:
            yield self.place(scope, node)

    def handles(self, place: int) -> Iterator[Handle]:
        """Every instance at or below the place, in order of index."""
        if self.status[place] != st.EXPANDED:
            yield place, -1
        elif place in self.fans:
            for index in range(len(self.fans[place])):
                yield place, index
        else:
            for inner in self.below(place):
                yield from self.handles(inner)

    def code(self, handle: Handle) -> int:
        place, index = handle
        return self.status[place] if index < 0 else self.fans[place][index]

    def key(self, place: int, index: int) -> Key:
        graph = self.graph
        if place < graph.size:
            return (graph.ids[place], ()) if index < 0 else (graph.ids[place], (index,))
        path = self.scope_path[self.scope(place)]
        return graph.ids[self.node(place)], path if index < 0 else (*path, index)

    def find(self, key: Key) -> Handle:
        """Raises `NotFound` naming the instance."""
        task_id, path = key
        place = self.graph.index.get(task_id, -1)
        if place < 0:
            raise NotFound(f"task '{task_id}' is not part of this version of DAG '{self.graph.dag_id}'")
        if not path:
            if self.status[place] == st.EXPANDED:
                raise self._missing(key)
            return place, -1
        node = place
        for depth, index in enumerate(path):
            if self.status[place] != st.EXPANDED or index < 0:
                raise self._missing(key)
            fan = self.fans.get(place)
            if fan is not None:
                if depth + 1 < len(path) or index >= len(fan):
                    raise self._missing(key)
                return place, index
            scopes = self.spreads[self.expander_below(place)]
            if index >= len(scopes):
                raise self._missing(key)
            place = self.place(scopes[index], node)
        if self.status[place] == st.EXPANDED:
            raise self._missing(key)
        return place, -1

    def _missing(self, key: Key) -> NotFound:
        return NotFound(
            f"task instance '{key[0]}' [{path_text(key[1])}] is not part of this run of DAG '{self.graph.dag_id}'"
        )

    # --- changes

    def move(self, place: int, index: int, new: int) -> None:
        """Give an instance (or an expander) a status; its readers' counters follow, and those who may decide anew are
        woken."""
        if index < 0:
            old = self.status[place]
            self.status[place] = new
        else:
            fan = self.fans[place]
            old = fan[index]
            fan[index] = new
        graph = self.graph
        node = place if place < graph.size else self.node_at[place - graph.size]
        flags = graph.flags[node]
        if flags & EXPANDER:
            return
        self.tally[old] -= 1
        self.tally[new] += 1
        if (old < st.FIRST_TERMINAL and new < st.FIRST_TERMINAL) or old == new:
            return
        if flags & LEAF:
            self.failed_leaves += (new in (st.FAILED, st.UPSTREAM_FAILED)) - (old in (st.FAILED, st.UPSTREAM_FAILED))
        if not flags & TEARDOWN:
            self.failures += (new == st.FAILED) - (old == st.FAILED)
        if old < st.FIRST_TERMINAL and new < st.REMOVED and place < graph.size:
            self._tell_end(node, index, new - st.FIRST_TERMINAL)
        else:
            self._tell_change(place, node, index, _SLOT[old], _SLOT[new])

    def _tell_end(self, node: int, index: int, slot: int) -> None:
        """The common case, kept short: an instance outside mapped groups ended. A reader decides anew only at the
        first such end or at the last end."""
        graph, counts, status, wakes = self.graph, self.counts, self.status, self.wakes
        out_node, out_info = graph.out_node, graph.out_info
        cause = node << 3 | slot
        for edge in range(graph.out_start[node], graph.out_start[node + 1]):
            info = out_info[edge]
            if info:
                # A placeholder of a group tells nobody inside: the counters there begin with the indexes.
                if info >> c.DEPTH_SHIFT == 0:
                    self._shift(0, node, index, edge, c.OPEN, slot, cause)
                continue
            reader = out_node[edge]
            block = reader << c.SHIFT
            number = counts[block + slot] + 1
            counts[block + slot] = number
            left = counts[block + c.OPEN] - 1
            counts[block + c.OPEN] = left
            if number == 1 or not left:
                code = status[reader]
                if code in st.UNDECIDED:
                    heappush(wakes, (reader, reader, -1, cause))
                elif code == st.EXPANDED:
                    self.wake(reader, cause)

    def _tell_change(self, place: int, node: int, index: int, old_slot: int, new_slot: int) -> None:
        graph = self.graph
        scope = self.scope(place)
        depth = len(self.scope_path[scope])
        cause = node << 3 | new_slot if new_slot >= 0 else -1
        for edge in range(graph.out_start[node], graph.out_start[node + 1]):
            if graph.out_info[edge] >> c.DEPTH_SHIFT <= depth:
                self._shift(scope, node, index, edge, old_slot, new_slot, cause)

    def _shift(self, scope: int, node: int, index: int, edge: int, old_slot: int, new_slot: int, cause: int) -> None:
        """Move one instance from one counter of one reader to another."""
        graph, counts = self.graph, self.counts
        info = graph.out_info[edge]
        kind = info & c.KIND_MASK
        outer = self.outer(scope, info >> c.DEPTH_SHIFT)
        reader = self.scope_base[outer] + graph.out_offset[edge]
        block = reader << c.SHIFT
        if kind == c.DEEP_INPUT and self._is_real(scope, node, index):
            # An expansion over a mapped upstream needs its indexes to be done; whether some of them may fail is for
            # the trigger rule.
            old_slot = old_slot if old_slot in (c.OPEN, _GONE) else c.SUCCESS
            new_slot = new_slot if new_slot in (c.OPEN, _GONE) else c.SUCCESS
        if kind == c.DIRECT_GUARD:
            bases: tuple[int, ...] = (block + c.GUARD,)
        elif kind == c.DIRECT_SETUP:
            bases = (block, block + c.SETUP)
        else:
            bases = (block,)
        first = False
        for base in bases:
            if old_slot >= 0:
                counts[base + old_slot] -= 1
            if new_slot >= 0:
                counts[base + new_slot] += 1
                first = first or counts[base + new_slot] == 1
        if old_slot != c.OPEN or first or not counts[bases[0] + c.OPEN]:
            self.wake(reader, cause)

    def _is_real(self, scope: int, node: int, index: int) -> bool:
        """Whether an instance is a true one, not a placeholder."""
        if self.graph.flags[node] & OWN_MAPPED and index < 0:
            return False
        return len(self.scope_path[scope]) == self.graph.level[node]

    def wake(self, place: int, cause: int = -1) -> None:
        """Look again at everything undecided at or below a place."""
        code = self.status[place]
        if code == st.EXPANDED and place not in self.fans:
            for inner in self.below(place):
                self.wake(inner, cause)
            return
        node = self.node(place)
        if code in st.UNDECIDED or code == st.EXPANDED or self.graph.flags[node] & EXPANDER:
            heappush(self.wakes, (node, place, -1, cause))

    def widen(self, place: int, more: int, *, grown: bool = False) -> None:
        """Instances without status were added below a place: its readers have more to wait for. When something had
        `grown` that was expanded before, readers that had all they waited for are woken; a first expansion changes
        nothing for anyone."""
        graph, counts = self.graph, self.counts
        node, scope = self.node(place), self.scope(place)
        depth = len(self.scope_path[scope])
        self.tally[st.NONE] += more
        for edge in range(graph.out_start[node], graph.out_start[node + 1]):
            info = graph.out_info[edge]
            if info >> c.DEPTH_SHIFT > depth:
                continue
            outer = self.outer(scope, info >> c.DEPTH_SHIFT)
            reader = self.scope_base[outer] + graph.out_offset[edge]
            block = reader << c.SHIFT
            kind = info & c.KIND_MASK
            if grown:
                self.wake(reader)
            if kind != c.DIRECT_GUARD:
                counts[block + c.OPEN] += more
            if kind == c.DIRECT_SETUP:
                counts[block + c.SETUP + c.OPEN] += more
            elif kind == c.DIRECT_GUARD:
                counts[block + c.GUARD + c.OPEN] += more

    def add_scope(self, group_index: int, parent: int, index: int) -> int:
        """Allocate one more index of a mapped group: a place without status for each node inside."""
        group = self.graph.groups[group_index]
        scope = len(self.scope_path)
        self.scope_base.append(len(self.status))
        self.scope_parent.append(parent)
        self.scope_group.append(group_index)
        self.scope_path.append((*self.scope_path[parent], index))
        self.status.extend(bytes(len(group.members)))
        self.counts.extend(group.base)
        self.node_at.extend(group.members)
        self.scope_at.extend([scope] * len(group.members))
        return scope

    # --- what branches said

    def remember_skips(self, handle: Handle, task_ids: Iterable[str]) -> None:
        """An instance decided that these tasks are skipped, in the scopes it shares with them. Ids the graph does not
        know are passed over."""
        graph = self.graph
        place = handle[0]
        node, scope = self.node(place), self.scope(place)
        for task_id in task_ids:
            target = graph.index.get(task_id)
            if target is None:
                continue
            skipped = self.place(self.outer(scope, graph.common_depth(node, target)), target)
            self.skippers.setdefault(skipped, {})[handle] = None
            self.skipped_by.setdefault(handle, []).append(skipped)
            self.wake(skipped)

    def forget_skips(self, handle: Handle) -> None:
        for place in self.skipped_by.pop(handle):
            said_by = self.skippers.get(place, {})
            said_by.pop(handle, None)
            if not said_by:
                self.skippers.pop(place, None)
            self.wake(place)

    def carry_over(self, old: int, new: int) -> None:
        """The placeholder at `old` became the instance at `new`: what is remembered of it goes along."""
        before, after = (old, -1), (new, -1)
        self.gated.pop(before, None)
        if before in self.lengths:
            self.lengths[after] = self.lengths.pop(before)
        if before in self.skipped_by:
            task_ids = [self.graph.ids[self.node(place)] for place in self.skipped_by[before]]
            self.forget_skips(before)
            self.remember_skips(after, task_ids)
