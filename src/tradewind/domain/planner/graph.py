"""A DAG version compiled for planning: tasks as numbers in topological order, edges as flat arrays. Immutable, shared
by all runs.

Beside its tasks the graph has one *expander* per mapping: a node that waits for what a task or group expands over and
settles how many indexes there are. An expander stands before what it expands, so one pass in the order of numbers
settles every consequence of an event.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

from tradewind.domain.trigger_rules import RuleFunction
from tradewind.wire.document import DagDocument, Mapping
from tradewind.wire.states import TriggerRule

EMPTY: Final = 1
"""Done without an executor."""
OWN_MAPPED: Final = 2
GATED: Final = 4
"""depends_on_past or wait_for_downstream."""
PAST_BEFORE_SKIP: Final = 8
TEARDOWN: Final = 16
LEAF: Final = 32
"""Counts for the state of the run."""
SOURCE: Final = 64
"""Something expands over its output."""
EXPANDER: Final = 128
INVOLVED: Final = 256
"""Evaluating it takes more than its trigger rule over one block: mapped, inside mapped groups, gated, or guarded by
setups."""


class MappedGroup:
    """One mapped task group: the nodes inside it, and the counters a new index begins with."""

    __slots__ = ("group_id", "level", "expander", "members", "offset", "base", "tasks")

    def __init__(self, group_id: str, level: int) -> None:
        self.group_id = group_id
        self.level = level
        """1 for the outermost mapped group; indexes of this group stand at `path[level - 1]`."""
        self.expander = -1
        self.members: list[int] = []
        """All nodes inside, nested groups included, ascending."""
        self.offset: dict[int, int] = {}
        self.base = array("i")
        self.tasks = 0


class Graph:
    """See the module. Made by `Graph.of`; the attributes are for the planner only."""

    __slots__ = (
        "dag_id", "fail_fast", "size", "tasks", "ids", "index", "flags", "rules", "rule_names", "level",
        "chains", "groups", "out_start", "out_node", "out_info", "out_offset", "in_start", "in_node",
        "guards", "root_base", "own_expander", "expands", "mappings",
    )  # fmt: skip

    dag_id: str
    fail_fast: bool
    size: int
    """Number of nodes, expanders included."""
    tasks: int
    ids: list[str]
    """Task id by node; of an expander: the id of the task or group it expands."""
    index: dict[str, int]
    flags: array[int]
    rules: list[RuleFunction]
    rule_names: list[TriggerRule]
    level: bytearray
    """Number of mapped groups around the node."""
    chains: list[tuple[int, ...]]
    """Mapped groups around the node, outermost first, as indexes into `groups`."""
    groups: list[MappedGroup]
    out_start: array[int]
    out_node: array[int]
    out_info: bytearray
    """Kind and common depth."""
    out_offset: array[int]
    """Place of the reader inside the scope at the common depth."""
    in_start: array[int]
    in_node: array[int]
    """Direct upstreams."""
    guards: dict[int, list[int]]
    root_base: array[int]
    own_expander: dict[int, int]
    expands: dict[int, int]
    """Expander → mapped task, or -1 - group index."""
    mappings: dict[int, Mapping]

    @classmethod
    def of(cls, document: DagDocument) -> Graph:
        """Compile. Raises `InvalidDag` (unknown upstream or group) and `DagCycle`, naming the tasks."""
        from .compiler import Compiler  # it makes graphs, so it imports this module

        return Compiler(document).compile()

    def upstreams(self, node: int) -> Sequence[int]:
        """Direct upstream nodes (of an expander: what it expands over)."""
        return self.in_node[self.in_start[node] : self.in_start[node + 1]]

    def common_depth(self, one: int, other: int) -> int:
        """Number of mapped scopes two nodes share."""
        return common_depth(self.chains[one], self.chains[other])

    def is_deep(self, upstream: int, reader: int) -> bool:
        """Whether the reader sees several instances of the upstream."""
        return bool(self.flags[upstream] & OWN_MAPPED) or self.level[upstream] > self.common_depth(upstream, reader)


def common_depth(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Number of mapped groups two chains share, from the outside."""
    depth = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        depth += 1
    return depth
