"""From a DAG document to a graph: numbers, edges, setups that guard, expanders, and the counters every scope begins
with."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable

from tradewind.domain.mapping import sources_of
from tradewind.domain.trigger_rules import RULES
from tradewind.wire.document import DagDocument, Mapping, TaskDocument
from tradewind.wire.errors import DagCycle, InvalidDag
from tradewind.wire.states import TriggerRule

from . import counters as c
from .graph import (
    EMPTY,
    EXPANDER,
    GATED,
    INVOLVED,
    LEAF,
    OWN_MAPPED,
    PAST_BEFORE_SKIP,
    SOURCE,
    TEARDOWN,
    Graph,
    MappedGroup,
    common_depth,
)


class Compiler:
    """Works on provisional numbers (document order, then expanders) and renumbers at the end."""

    def __init__(self, document: DagDocument) -> None:
        self.document = document
        self.tasks = document.tasks
        self.number = {task.task_id: i for i, task in enumerate(document.tasks)}
        self.groups: list[MappedGroup] = []
        self.group_index: dict[str, int] = {}
        self.chain_of_group: dict[str | None, tuple[int, ...]] = {None: ()}
        self.parents = {group.group_id: group for group in document.groups}
        self.chains: list[tuple[int, ...]] = [self._chain(task.group_id) for task in document.tasks]
        self.expander_mapping: list[Mapping] = []
        self.expander_target: list[int] = []
        """Mapped task, or -1 - group index."""
        self.edge_from = array("i")
        self.edge_to = array("i")
        self.edge_kind = bytearray()
        self.order_from = array("i")
        self.order_to = array("i")

    def compile(self) -> Graph:
        self._direct_edges()
        self._guard_edges()
        self._expanders()
        return self._number_and_pack()

    def _chain(self, group_id: str | None) -> tuple[int, ...]:
        """Mapped groups from the root down to `group_id`."""
        known = self.chain_of_group.get(group_id)
        if known is not None:
            return known
        group = self.parents.get(group_id or "")
        if group is None:
            raise InvalidDag(f"DAG '{self.document.dag_id}' has a task in group '{group_id}', which it does not have")
        chain = self._chain(group.parent_id)
        if group.mapping is not None:
            self.group_index[group.group_id] = len(self.groups)
            self.groups.append(MappedGroup(group.group_id, len(chain) + 1))
            chain = (*chain, len(self.groups) - 1)
        self.chain_of_group[group_id] = chain
        return chain

    def _upstream_ids(self, task: TaskDocument) -> Iterable[str]:
        if task.setups:
            return sorted({*task.upstream, *task.setups})
        return task.upstream

    def _direct_edges(self) -> None:
        for reader, task in enumerate(self.tasks):
            for upstream_id in self._upstream_ids(task):
                upstream = self.number.get(upstream_id)
                if upstream is None:
                    raise InvalidDag(
                        f"task '{task.task_id}' of DAG '{self.document.dag_id}' waits for '{upstream_id}', "
                        "which is not a task of this DAG"
                    )
                self.edge_from.append(upstream)
                self.edge_to.append(reader)
                self.edge_kind.append(c.DIRECT_SETUP if self.tasks[upstream].is_setup else c.DIRECT)

    def _guard_edges(self) -> None:
        """A setup guards every task between it and its teardowns (every task after it, when it has none), also those
        that do not wait for it directly."""
        if not any(task.is_setup for task in self.tasks):
            return
        down: list[list[int]] = [[] for _ in self.tasks]
        up: list[list[int]] = [[] for _ in self.tasks]
        for upstream, reader in zip(self.edge_from, self.edge_to, strict=True):
            down[upstream].append(reader)
            up[reader].append(upstream)
        for setup, task in enumerate(self.tasks):
            if not task.is_setup:
                continue
            guarded = _reachable(setup, down)
            teardowns = [reader for reader in down[setup] if self.tasks[reader].is_teardown]
            if teardowns:
                guarded &= set().union(*(_reachable(teardown, up) for teardown in teardowns))
            for reader in sorted(guarded.difference(down[setup])):
                if not self.tasks[reader].is_teardown and self.tasks[reader].trigger_rule is not TriggerRule.ALWAYS:
                    self.edge_from.append(setup)
                    self.edge_to.append(reader)
                    self.edge_kind.append(c.DIRECT_GUARD)

    def _expanders(self) -> None:
        for number, task in enumerate(self.tasks):
            if task.mapping is not None:
                expander = self._expander(task.mapping, number, self.chains[number], f"task '{task.task_id}'")
                self._order(expander, number)
        for index, group in enumerate(self.groups):
            document = self.parents[group.group_id]
            assert document.mapping is not None
            outer = self.chain_of_group[document.parent_id]
            group.expander = self._expander(document.mapping, -1 - index, outer, f"group '{group.group_id}'")
        for number, chain in enumerate(self.chains):
            for index in chain:
                self._order(self.groups[index].expander, number)

    def _expander(self, mapping: Mapping, target: int, chain: tuple[int, ...], what: str) -> int:
        expander = len(self.chains)
        self.chains.append(chain)
        self.expander_mapping.append(mapping)
        self.expander_target.append(target)
        for source_id in sorted({source.task_id for source in sources_of(mapping)}):
            source = self.number.get(source_id)
            if source is None:
                raise InvalidDag(
                    f"{what} of DAG '{self.document.dag_id}' expands over '{source_id}', "
                    "which is not a task of this DAG"
                )
            deep = self.tasks[source].mapping is not None or len(self.chains[source]) > common_depth(
                self.chains[source], chain
            )
            self.edge_from.append(source)
            self.edge_to.append(expander)
            self.edge_kind.append(c.DEEP_INPUT if deep else c.INPUT)
        return expander

    def _order(self, first: int, then: int) -> None:
        self.order_from.append(first)
        self.order_to.append(then)

    def _sorted(self) -> list[int]:
        """Provisional numbers in topological order (Kahn; stable)."""
        size = len(self.chains)
        missing = array("i", bytes(4 * size))
        start = array("i", bytes(4 * (size + 1)))
        both = ((self.edge_from, self.edge_to), (self.order_from, self.order_to))
        for sources, targets in both:
            for source in sources:
                start[source + 1] += 1
            for target in targets:
                missing[target] += 1
        for node in range(size):
            start[node + 1] += start[node]
        fill = array("i", start)
        out = array("i", bytes(4 * start[size]))
        for sources, targets in both:
            for source, target in zip(sources, targets, strict=True):
                out[fill[source]] = target
                fill[source] += 1
        queue = deque(node for node in range(size) if not missing[node])
        order: list[int] = []
        while queue:
            node = queue.popleft()
            order.append(node)
            for target in out[start[node] : start[node + 1]]:
                missing[target] -= 1
                if not missing[target]:
                    queue.append(target)
        if len(order) < size:
            raise DagCycle(self._describe_cycle(missing))
        return order

    def _describe_cycle(self, missing: array[int]) -> str:
        both = ((self.edge_from, self.edge_to), (self.order_from, self.order_to))
        upstream = {
            target: source
            for sources, targets in both
            for source, target in zip(sources, targets, strict=True)
            if missing[source] and missing[target]
        }
        node = next(iter(upstream))
        path: list[int] = []
        while node not in path:
            path.append(node)
            node = upstream[node]
        circle = [*path[path.index(node) :], node][::-1]
        names = [self._name(number) for number in circle]
        return f"DAG '{self.document.dag_id}' has a cycle: {' → '.join(names)}; remove one of these dependencies"

    def _name(self, number: int) -> str:
        if number < len(self.tasks):
            return self.tasks[number].task_id
        target = self.expander_target[number - len(self.tasks)]
        return f"{self.tasks[target].task_id if target >= 0 else self.groups[-1 - target].group_id} (expansion)"

    def _number_and_pack(self) -> Graph:
        order = self._sorted()
        size, tasks = len(order), len(self.tasks)
        place = array("i", bytes(4 * size))
        for node, number in enumerate(order):
            place[number] = node
        graph = Graph()
        graph.dag_id = self.document.dag_id
        graph.fail_fast = self.document.fail_fast
        graph.size, graph.tasks = size, tasks
        # Copies, made in the order of the nodes: what is read one after another then stands together in memory.
        graph.ids = ["".join([*self.tasks[n].task_id]) if n < tasks else "" for n in order]
        graph.index = {graph.ids[place[n]]: place[n] for n in order if n < tasks}
        graph.rule_names = [self.tasks[n].trigger_rule if n < tasks else TriggerRule.ALL_SUCCESS for n in order]
        graph.rules = [RULES[name] for name in graph.rule_names]
        graph.chains = [self.chains[n] for n in order]
        graph.level = bytearray(len(chain) for chain in graph.chains)
        graph.groups = self.groups
        self._place_expanders(graph, place)
        self._pack_edges(graph, place)
        self._set_flags(graph, order)
        self._set_bases(graph)
        return graph

    def _place_expanders(self, graph: Graph, place: array[int]) -> None:
        graph.own_expander, graph.expands, graph.mappings = {}, {}, {}
        for i, (mapping, target) in enumerate(zip(self.expander_mapping, self.expander_target, strict=True)):
            node = place[len(self.tasks) + i]
            graph.mappings[node] = mapping
            if target >= 0:
                graph.own_expander[place[target]] = node
                graph.expands[node] = place[target]
                graph.ids[node] = self.tasks[target].task_id
            else:
                self.groups[-1 - target].expander = node
                graph.expands[node] = target
                graph.ids[node] = self.groups[-1 - target].group_id
        for node, chain in enumerate(graph.chains):
            for index in chain:
                group = self.groups[index]
                group.offset[node] = len(group.members)
                group.members.append(node)
                group.tasks += node not in graph.expands

    def _pack_edges(self, graph: Graph, place: array[int]) -> None:
        size = graph.size
        out_start = array("i", bytes(4 * (size + 1)))
        in_start = array("i", bytes(4 * (size + 1)))
        graph.guards = {}
        for source, target, kind in zip(self.edge_from, self.edge_to, self.edge_kind, strict=True):
            out_start[place[source] + 1] += 1
            if kind != c.DIRECT_GUARD:
                in_start[place[target] + 1] += 1
        for node in range(size):
            out_start[node + 1] += out_start[node]
            in_start[node + 1] += in_start[node]
        out_node = array("i", bytes(4 * out_start[size]))
        out_offset = array("i", bytes(4 * out_start[size]))
        out_info = bytearray(out_start[size])
        in_node = array("i", bytes(4 * in_start[size]))
        out_fill, in_fill = array("i", out_start), array("i", in_start)
        for source, target, kind in zip(self.edge_from, self.edge_to, self.edge_kind, strict=True):
            node, reader = place[source], place[target]
            depth = common_depth(self.chains[source], self.chains[target])
            at = out_fill[node]
            out_fill[node] += 1
            out_node[at] = reader
            out_info[at] = kind | depth << c.DEPTH_SHIFT
            out_offset[at] = self.groups[self.chains[source][depth - 1]].offset[reader] if depth else reader
            if kind == c.DIRECT_GUARD:
                graph.guards.setdefault(reader, []).append(node)
            else:
                in_node[in_fill[reader]] = node
                in_fill[reader] += 1
        graph.out_start, graph.out_node, graph.out_info, graph.out_offset = out_start, out_node, out_info, out_offset
        graph.in_start, graph.in_node = in_start, in_node

    def _set_flags(self, graph: Graph, order: list[int]) -> None:
        leaves = self._leaf_numbers()
        graph.flags = array("H", bytes(2 * graph.size))
        for node, number in enumerate(order):
            if number >= len(self.tasks):
                graph.flags[node] = EXPANDER
                continue
            task = self.tasks[number]
            flags = (
                EMPTY * task.is_empty
                | OWN_MAPPED * (task.mapping is not None)
                | GATED * (task.depends_on_past or task.wait_for_downstream)
                | PAST_BEFORE_SKIP * task.wait_for_past_depends_before_skipping
                | TEARDOWN * task.is_teardown
                | LEAF * (number in leaves)
            )
            if flags & (OWN_MAPPED | GATED) or graph.chains[node] or node in graph.guards:
                flags |= INVOLVED
            graph.flags[node] = flags
        for node in graph.mappings:
            for source in graph.upstreams(node):
                graph.flags[source] |= SOURCE

    def _leaf_numbers(self) -> set[int]:
        """Tasks that decide the state of the run: nothing but ignorable teardowns after them. A teardown is ignorable
        unless it asks to fail the run."""
        ignorable = {n for n, task in enumerate(self.tasks) if task.is_teardown and not task.on_failure_fail_dagrun}
        inner: set[int] = set()
        with_reader: set[int] = set()
        for upstream, reader, kind in zip(self.edge_from, self.edge_to, self.edge_kind, strict=True):
            if kind <= c.DIRECT_SETUP:
                with_reader.add(upstream)
                if reader not in ignorable:
                    inner.add(upstream)
        everything = set(range(len(self.tasks)))
        return everything - inner - ignorable or everything - with_reader

    def _set_bases(self, graph: Graph) -> None:
        """Counters every new scope begins with: one instance, the placeholder, per upstream inside the scope."""
        graph.root_base = array("i", bytes(4 * c.STRIDE * graph.size))
        for group in self.groups:
            group.base = array("i", bytes(4 * c.STRIDE * len(group.members)))
        for node in range(graph.size):
            for edge in range(graph.out_start[node], graph.out_start[node + 1]):
                depth = graph.out_info[edge] >> c.DEPTH_SHIFT
                base = self.groups[graph.chains[node][depth - 1]].base if depth else graph.root_base
                block = graph.out_offset[edge] << c.SHIFT
                kind = graph.out_info[edge] & c.KIND_MASK
                if kind != c.DIRECT_GUARD:
                    base[block + c.OPEN] += 1
                if kind == c.DIRECT_SETUP:
                    base[block + c.SETUP + c.OPEN] += 1
                elif kind == c.DIRECT_GUARD:
                    base[block + c.GUARD + c.OPEN] += 1


def _reachable(start: int, neighbours: list[list[int]]) -> set[int]:
    seen: set[int] = set()
    todo = [start]
    while todo:
        for node in neighbours[todo.pop()]:
            if node not in seen:
                seen.add(node)
                todo.append(node)
    return seen
