"""Effective priorities: what a task's own weight becomes by its rule, once, when the DAG is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tradewind.wire.states import WeightRule

from .arguments import WEIGHT_MAX, WEIGHT_MIN

if TYPE_CHECKING:
    from .node import Task


def effective_weights(order: Sequence[Task]) -> dict[str, int]:
    """Weight by task id, within 32 bits.

    Parameters:
        order: all tasks of a DAG, each after those it waits for.
    """
    index = {task.task_id: number for number, task in enumerate(order)}
    masks: dict[int, int] = {}
    for number, task in enumerate(order):
        masks[task.priority_weight] = masks.get(task.priority_weight, 0) | 1 << number
    rules = {task.weight_rule for task in order}
    after = _reached(order[::-1], index, downstream=True) if WeightRule.DOWNSTREAM in rules else []
    before = _reached(order, index, downstream=False) if WeightRule.UPSTREAM in rules else []
    weights = {}
    for number, task in enumerate(order):
        weight = task.priority_weight
        if task.weight_rule is not WeightRule.ABSOLUTE:
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
