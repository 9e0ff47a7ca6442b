"""Arrows between tasks: `>>` and `<<`, labels on them, and the functions that draw many at once.

Everything that can stand beside an arrow is `Dependable`: it names the tasks an arrow to it reaches (`roots`) and
those an arrow from it leaves (`leaves`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from .errors import WrongArgument, WrongValue

if TYPE_CHECKING:
    from .node import Task


class Dependable:
    """Something arrows can start from or lead to: a task, a group, a reference to an output, a label."""

    @property
    def roots(self) -> Sequence[Task]:
        """Tasks an arrow to this reaches."""
        raise NotImplementedError

    @property
    def leaves(self) -> Sequence[Task]:
        """Tasks an arrow from this leaves."""
        raise NotImplementedError

    def set_downstream(self, other: Any, edge_modifier: EdgeModifier | None = None) -> None:
        """`other` (one or a list, nested too) waits for this."""
        for one in _flat(other):
            if isinstance(one, EdgeModifier):
                one.set_upstream(self)
            else:
                _connect(self, one, edge_modifier)

    def set_upstream(self, other: Any, edge_modifier: EdgeModifier | None = None) -> None:
        """This waits for `other` (one or a list, nested too)."""
        for one in _flat(other):
            if isinstance(one, EdgeModifier):
                one.set_downstream(self)
            else:
                _connect(one, self, edge_modifier)

    def __rshift__(self, other: Any) -> Any:
        self.set_downstream(other)
        return other

    def __lshift__(self, other: Any) -> Any:
        self.set_upstream(other)
        return other

    def __rrshift__(self, other: Any) -> Self:
        if hasattr(other, "add_task"):  # dag >> task: the task enters the DAG
            for root in self.roots:
                other.add_task(root)
            return self
        # [a, b] >> self: a list knows no arrows
        self.set_upstream(other)
        return self

    def __rlshift__(self, other: Any) -> Self:
        self.set_downstream(other)
        return self


class EdgeModifier(Dependable):
    """A text on the arrows it is put into: `a >> Label("yes") >> b`.

    Parameters:
        label: the text.
    """

    def __init__(self, label: str | None = None) -> None:
        if label is not None and not isinstance(label, str):
            raise WrongArgument(f"a label must be a text, not {label!r}")
        self.label = label
        self._before: list[Dependable] = []
        self._after: list[Dependable] = []

    @property
    def roots(self) -> Sequence[Task]:
        return [task for node in self._before for task in node.roots]

    @property
    def leaves(self) -> Sequence[Task]:
        return [task for node in self._after for task in node.leaves]

    def set_upstream(self, other: Any, edge_modifier: EdgeModifier | None = None) -> None:  # noqa: ARG002
        for one in _flat(other):
            self._before.append(one)
            for after in self._after:
                _connect(one, after, self)

    def set_downstream(self, other: Any, edge_modifier: EdgeModifier | None = None) -> None:  # noqa: ARG002
        for one in _flat(other):
            self._after.append(one)
            for before in self._before:
                _connect(before, one, self)

    def __repr__(self) -> str:
        return f"Label({self.label!r})"


def Label(label: str) -> EdgeModifier:  # the public name
    """A text on an arrow: `a >> Label("rows found") >> b`."""
    return EdgeModifier(label)


def chain(*tasks: Any) -> None:
    """Draw arrows along a row of tasks, groups, labels and lists of them.

    Between two lists of the same length the arrows are pairwise; between a list and a single node they fan in or out.

    Raises:
        WrongValue: two neighbouring lists have different lengths.
    """
    for index, (left, right) in enumerate(pairwise(tasks)):
        lists = _is_list(left), _is_list(right)
        if lists == (True, True):
            if len(left) != len(right):
                raise WrongValue(
                    f"chain(): lists {index + 1} and {index + 2} have {len(left)} and {len(right)} items; pairs need "
                    "equal "
                    f"lengths, all-to-all arrows are chain_linear()"
                )
            for one, other in zip(left, right, strict=True):
                _checked(one).set_downstream(_checked(other))
        elif lists[0]:
            _checked(right).set_upstream(list(left))
        else:
            _checked(left).set_downstream(list(right) if lists[1] else _checked(right))


def chain_linear(*elements: Any) -> None:
    """Draw arrows along a row; between two neighbouring lists every task waits for all of the list before.

    Raises:
        WrongValue: fewer than two non-empty elements are given, so there is nothing to draw.
    """
    before: Any = None
    label: EdgeModifier | None = None
    drawn = False
    for element in elements:
        if isinstance(element, EdgeModifier):
            label = element
            continue
        nodes = [_checked(node) for node in _flat(element)]
        if not nodes:
            continue
        for node in nodes if before is not None else ():
            node.set_upstream(before, edge_modifier=label)
            drawn = True
        before, label = nodes, None
    if not drawn:
        raise WrongValue("chain_linear() drew no arrow: give at least two elements that are not empty")


def cross_downstream(from_tasks: Sequence[Any], to_tasks: Any) -> None:
    """Every one of `to_tasks` waits for every one of `from_tasks`."""
    for task in from_tasks:
        _checked(task).set_downstream(to_tasks)


def _connect(upstream: Dependable, downstream: Dependable, modifier: EdgeModifier | None) -> None:
    """Draw all arrows between two nodes."""
    label = modifier.label if modifier is not None else None
    for before in upstream.leaves:
        for after in downstream.roots:
            before.link_downstream(after, label)


def _flat(nodes: Any) -> Iterator[Dependable]:
    """The nodes in `nodes`, lists opened."""
    if isinstance(nodes, Dependable):
        yield nodes
    elif _is_list(nodes):
        for node in nodes:
            yield from _flat(node)
    else:
        raise WrongArgument(f"arrows connect tasks, groups, outputs, labels and lists of them, not {_shown(nodes)}")


def _is_list(nodes: Any) -> bool:
    return isinstance(nodes, Iterable) and not isinstance(nodes, Dependable | str | bytes)


def _checked(node: Any) -> Dependable:
    if not isinstance(node, Dependable):
        raise WrongArgument(f"arrows connect tasks, groups, outputs, labels and lists of them, not {_shown(node)}")
    return node


def _shown(node: Any) -> str:
    if getattr(node, "is_task_decorator", False):
        return f"the function {node.__name__!r}: call it to make a task"
    return f"{node!r} of type {type(node).__name__}"
