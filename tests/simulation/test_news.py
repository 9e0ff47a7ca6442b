"""The order in which a scheduler hears news of a run: cases that simulation found, by themselves."""

from __future__ import annotations

from tradewind.scheduler.step import in_order
from tradewind.wire.inbox import (
    ClearedInstance,
    InboxEvent,
    InstanceReported,
    InstancesCleared,
    PastChanged,
    RunStopAsked,
)
from tradewind.wire.states import DagRunState, TaskInstanceState

S = TaskInstanceState


def ended(name: str, state: TaskInstanceState = S.SUCCESS) -> InstanceReported:
    return InstanceReported(ti_id=name, task_id=name, state=state)


def cleared(*names: str) -> InstancesCleared:
    return InstancesCleared(tuple(ClearedInstance(name, name) for name in names))


STOP = RunStopAsked(state=DagRunState.FAILED, reason="a person said so")


def test_clears_come_first() -> None:
    assert in_order([ended("a"), cleared("b")]) == [cleared("b"), ended("a")]


def test_a_report_of_what_was_cleared_since_is_not_heard() -> None:
    assert in_order([ended("a", S.FAILED), cleared("a", "b")]) == [cleared("a", "b")]


def test_what_a_person_sets_after_a_clear_is_heard() -> None:
    assert in_order([cleared("a"), ended("a")]) == [cleared("a"), ended("a")]


def test_what_rests_is_known_before_an_end_may_stop_it() -> None:
    resting = ended("b", S.UP_FOR_RETRY)
    assert in_order([ended("a", S.FAILED), PastChanged(("c",)), resting]) == [
        PastChanged(("c",)),
        resting,
        ended("a", S.FAILED),
    ]


def test_the_end_of_a_run_is_asked_after_its_facts_and_a_later_clear_opens_it_again() -> None:
    news: list[InboxEvent] = [cleared("a"), STOP, cleared("b"), ended("c")]
    assert in_order(news) == [cleared("a"), cleared("b"), ended("c"), STOP, cleared("b")]


def test_what_was_set_after_the_clear_that_opened_the_run_is_heard_after_it_too() -> None:
    by_hand = ended("a", S.FAILED)
    assert in_order([STOP, cleared("a"), by_hand]) == [cleared("a"), by_hand, STOP, cleared("a"), by_hand]


def test_what_was_set_before_the_last_clear_is_never_heard() -> None:
    news: list[InboxEvent] = [STOP, cleared("a"), ended("a", S.FAILED), cleared("a")]
    assert in_order(news) == [cleared("a"), cleared("a"), STOP, cleared("a"), cleared("a")]


def test_ends_downstream_come_before_the_end_that_would_decide_them() -> None:
    resting, marked = ended("c", S.UP_FOR_RETRY), ended("b", S.FAILED)
    assert in_order([ended("a"), marked, resting], {"a": 0, "b": 1, "c": 2}) == [resting, marked, ended("a")]
