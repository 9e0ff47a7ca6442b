"""Effective priorities: what a task's own weight becomes by its rule, once, when the DAG is compiled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tradewind.wire.states import WeightRule

from .arguments import WEIGHT_MAX, WEIGHT_MIN
from .errors import WrongValue

if TYPE_CHECKING:
    from .node import Task


class PriorityWeightStrategy(ABC):
    """A rule of one's own for weights: `weight_rule=MyStrategy()`. Asked once for each task, when its DAG is compiled,
    with a first try.
    """

    @abstractmethod
    def get_weight(self, ti: Any) -> int:
        """The weight of a task: `ti` has `task`, `task_id`, `dag_id`, `priority_weight`, `try_number` and what else a
        task instance is known by before it runs."""

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> PriorityWeightStrategy:
        """What `serialize` gave."""
        return cls(**data)

    def serialize(self) -> dict[str, Any]:
        """Arguments of the constructor, as plain data."""
        return {}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.serialize() == other.serialize()

    def __hash__(self) -> int:
        return hash(type(self))


def _by_strategy(strategy: PriorityWeightStrategy, task: Task) -> int:
    weight = strategy.get_weight(
        SimpleNamespace(
            task=task,
            task_id=task.task_id,
            dag_id=task.dag_id,
            priority_weight=task.priority_weight,
            try_number=1,
            map_index=-1,
            pool=task.pool,
            queue=task.queue,
            operator=task.operator_name,
        )
    )
    if isinstance(weight, bool) or not isinstance(weight, int):
        raise WrongValue(
            f"{type(strategy).__name__} gave task {task.task_id!r} the weight {weight!r}; get_weight must give a whole "
            "number"
        )
    return weight


def effective_weights(order: Sequence[Task]) -> dict[str, int]:
    """Weight by task id, within 32 bits.

    Parameters:
        order: all tasks of a DAG, each after those it waits for.
    """
    index = {task.task_id: number for number, task in enumerate(order)}
    masks: dict[int, int] = {}
    for number, task in enumerate(order):
        masks[task.priority_weight] = masks.get(task.priority_weight, 0) | 1 << number
    rules = {task.weight_rule for task in order if isinstance(task.weight_rule, WeightRule)}
    after = _reached(order[::-1], index, downstream=True) if WeightRule.DOWNSTREAM in rules else []
    before = _reached(order, index, downstream=False) if WeightRule.UPSTREAM in rules else []
    weights = {}
    for number, task in enumerate(order):
        weight = task.priority_weight
        if isinstance(task.weight_rule, PriorityWeightStrategy):
            weight = _by_strategy(task.weight_rule, task)
        elif task.weight_rule is not WeightRule.ABSOLUTE:
            reached = (after if task.weight_rule is WeightRule.DOWNSTREAM else before)[number]
            weight += sum(own * (reached & mask).bit_count() for own, mask in masks.items())
        weights[task.task_id] = max(WEIGHT_MIN, min(WEIGHT_MAX, weight))
    return weights


def _reached(order: Sequence[Task], index: dict[str, int], *, downstream: bool) -> list[int]:
    """For each task, by number, all tasks it reaches, as the bits of one number: union is one machine operation per 64
    tasks."""
    reached = [0] * len(order)
    for task in order:
        bits = 0
        for task_id in task.downstream_task_ids if downstream else task.upstream_task_ids:
            bits |= reached[index[task_id]] | 1 << index[task_id]
        reached[index[task.task_id]] = bits
    return reached
