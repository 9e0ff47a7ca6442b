"""A run that somebody ends still takes down what its setups made."""

from __future__ import annotations

from typing import Any

from tradewind.domain.planner import Graph, InstanceSnapshot, RunPlan, changes, events
from tradewind.wire.document import FORMAT, DagDocument, TaskDocument
from tradewind.wire.states import DagRunState, TaskInstanceState, TriggerRule

S = TaskInstanceState
STOP = events.StopRun(DagRunState.FAILED, "enough", keep_teardowns=True)


def task(task_id: str, *upstream: str, **facts: Any) -> TaskDocument:
    return TaskDocument(task_id=task_id, operator="T", upstream=upstream, **facts)


def house(*, setup_ends: S = S.SUCCESS) -> RunPlan:
    """A setup that has ended, its work in hand, more work, and the teardown."""
    down = task("down", "more", "up", is_teardown=True, setups=("up",), trigger_rule=TriggerRule.ALL_DONE_SETUP_SUCCESS)
    tasks = (task("up", is_setup=True), task("work", "up"), task("more", "work"), down)
    plan, _ = RunPlan.start(Graph.of(DagDocument(format=FORMAT, dag_id="d", file="d.py", tasks=tasks)))
    plan.apply(events.Ended(("up", ()), setup_ends))
    plan.apply(events.Admitted(("work", ())))
    return plan


def brief(out: list[changes.Change]) -> list[str]:
    return [
        f"{type(change).__name__} {change.state if isinstance(change, changes.FinishRun) else change.key[0]}"
        for change in out
    ]


def test_the_teardown_runs_and_then_the_run_ends_as_asked() -> None:
    plan = house()
    assert brief(plan.apply(STOP)) == ["Stop work", "Skip more", "Ready down"]
    assert not plan.finished
    assert plan.asked == (DagRunState.FAILED, "enough")
    (end,) = plan.apply(events.Ended(("down", ()), S.SUCCESS))
    assert end == changes.FinishRun(DagRunState.FAILED, "enough", asked=True)


def test_without_a_setup_that_succeeded_there_is_nothing_to_take_down() -> None:
    plan, _ = RunPlan.start(house().graph)
    assert brief(plan.apply(STOP))[-1] == "FinishRun failed"


def test_asked_twice_it_ends_at_once() -> None:
    plan = house()
    plan.apply(STOP)
    assert brief(plan.apply(STOP)) == ["Skip down", "FinishRun failed"]


def test_a_teardown_does_not_begin_before_what_was_cleared_since() -> None:
    plan = house()
    asked = events.StopRun(DagRunState.FAILED, "enough", keep_teardowns=True, reopened=True)
    assert brief(plan.apply(asked)) == ["Stop work", "Skip more"]
    assert brief(plan.apply(events.Cleared((("work", ()), ("more", ()))))) == ["Ready work"]
    assert plan.asked is None
    assert brief(plan.apply(events.Ended(("work", ()), S.SUCCESS))) == ["Ready more"]


def test_whoever_takes_over_knows() -> None:
    plan = house()
    plan.apply(STOP)
    rows = [InstanceSnapshot(key[0], (), plan.state(key)) for key in plan.keys()]  # noqa: SIM118
    loaded, out = RunPlan.load(plan.graph, rows, plan.asked)
    assert brief(out) == ["Ready down"]
    assert brief(loaded.apply(events.Ended(("down", ()), S.SUCCESS))) == ["FinishRun failed"]


def test_a_clear_opens_the_run_again() -> None:
    plan = house()
    plan.apply(STOP)
    plan.apply(events.Cleared((("work", ()), ("more", ()))))
    assert plan.asked is None
    for name in ("work", "more", "down"):
        out = plan.apply(events.Ended((name, ()), S.SUCCESS))
    assert brief(out) == ["FinishRun success"]


def test_a_time_out_and_success_wait_for_nothing() -> None:
    for stop in (
        events.StopRun(DagRunState.FAILED, "the run passed its time-out", S.SKIPPED),
        events.StopRun(DagRunState.SUCCESS, "marked", keep_teardowns=True),
    ):
        plan = house()
        plan.apply(stop)
        assert plan.finished
