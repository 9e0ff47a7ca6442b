"""The planner by example: what a person would expect of small runs, and the sentences they read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tradewind.domain.planner import Graph, InstanceSnapshot, ReasonKind, RunPlan, changes, events
from tradewind.domain.trigger_rules import Decision
from tradewind.wire.document import DagDocument, FromTask, GroupDocument, Literal, Mapping, TaskDocument
from tradewind.wire.errors import DagCycle, InvalidDag, NotFound
from tradewind.wire.states import DagRunState, TriggerRule
from tradewind.wire.states import TaskInstanceState as S


def task(task_id: str, *upstream: str, **fields: Any) -> TaskDocument:
    return TaskDocument(task_id=task_id, operator="x", upstream=tuple(sorted(upstream)), **fields)


def graph_of(*tasks: TaskDocument, groups: tuple[GroupDocument, ...] = (), **fields: Any) -> Graph:
    ordered = tuple(sorted(tasks, key=lambda t: t.task_id))
    return Graph.of(DagDocument(format=1, dag_id="d", file="d.py", tasks=ordered, groups=groups, **fields))


def start(*tasks: TaskDocument, **fields: Any) -> tuple[RunPlan, list[str]]:
    plan, out = RunPlan.start(graph_of(*tasks, **fields))
    return plan, [line for line in brief(out) if not line.startswith("Create")]


def brief(out: list[changes.Change]) -> list[str]:
    """Changes as short lines: `Ready a`, `Skip b[0]`, `Rename m → m[0]`."""
    lines = []
    for change in out:
        assert change.reason, change
        words = [type(change).__name__]
        if isinstance(change, changes.FinishRun):
            words.append(change.state.value)
        else:
            words.append(_key(change.key))
        if isinstance(change, changes.Rename):
            words += ["→", _key(change.to)]
        if isinstance(change, changes.Stop):
            words.append(change.as_state.value)
        lines.append(" ".join(words))
    return lines


def _key(key: tuple[str, tuple[int, ...]]) -> str:
    return key[0] + "".join(f"[{index}]" for index in key[1])


def end(
    plan: RunPlan,
    task_id: str,
    *path: int,
    state: S = S.SUCCESS,
    length: int | None = None,
    skips: tuple[str, ...] = (),
) -> list[str]:
    return brief(plan.apply(events.Ended((task_id, path), state, length, skips)))


def over(*names: str) -> Mapping:
    return Mapping(tuple((f"x{i}", FromTask(name)) for i, name in enumerate(names)))


def test_chain_runs_to_its_end() -> None:
    plan, out = start(task("a"), task("b", "a"))
    assert out == ["Ready a"]
    assert plan.state(("a", ())) == S.SCHEDULED
    assert brief(plan.apply(events.Admitted(("a", ())))) == []
    assert plan.state(("a", ())) == S.QUEUED
    assert end(plan, "a") == ["Ready b"]
    assert end(plan, "b") == ["FinishRun success"]
    assert plan.finished
    assert plan.counts() == {S.SUCCESS: 2}


def test_creates_come_first_and_name_every_instance() -> None:
    _, out = RunPlan.start(graph_of(task("a"), task("b", "a")))
    assert brief(out) == ["Create a", "Create b", "Ready a"]


def test_empty_dag_is_a_success() -> None:
    assert start()[1] == ["FinishRun success"]


def test_a_failure_runs_down_the_graph_in_one_go() -> None:
    plan, _ = start(task("a"), task("b", "a"), task("c", "b"), task("d", "c", trigger_rule=TriggerRule.ALL_DONE))
    assert end(plan, "a", state=S.FAILED) == ["FailUpstream b", "FailUpstream c", "Ready d"]
    assert end(plan, "d") == ["FinishRun success"]


def test_reason_names_the_first_offender() -> None:
    plan, _ = start(task("a"), task("b"), task("c", "a", "b"))
    out = plan.apply(events.Ended(("b", ()), S.FAILED))
    assert out[0].reason == "all_success can not be met: of 2 upstreams, 1 failed ('b')"


def test_the_failed_leaf_is_named() -> None:
    plan, _ = start(task("a"))
    assert plan.apply(events.Ended(("a", ()), S.FAILED))[-1].reason == "'a' is failed"


def test_empty_tasks_need_no_executor() -> None:
    plan, out = start(task("a", is_empty=True), task("b", "a", is_empty=True), task("c", "b"))
    assert out == ["SucceedEmpty a", "SucceedEmpty b", "Ready c"]
    assert end(plan, "c") == ["FinishRun success"]


def test_a_failure_that_arrives_with_a_skip_outweighs_it() -> None:
    rules = {"k": TriggerRule.ALL_FAILED, "f": TriggerRule.ALL_SUCCESS}
    plan, _ = start(
        task("a"), task("f", "a"), task("x", "a"), task("k", "x", trigger_rule=rules["k"]), task("z", "f", "k")
    )
    assert end(plan, "x") == ["Skip k", "Skip z"]
    plan, _ = start(
        task("a"),
        task("y", "a", trigger_rule=TriggerRule.ONE_SUCCESS),
        task("k", "a", trigger_rule=TriggerRule.NONE_FAILED),
        task("z", "y", "k"),
    )
    assert end(plan, "a", state=S.FAILED) == ["FailUpstream k", "FailUpstream y", "FailUpstream z", "FinishRun failed"]


def test_wide_fan_in_asks_only_at_first_and_last() -> None:
    plan, _ = start(task("s"), task("m", "s", mapping=over("s")), task("r", "m"))
    end(plan, "s", length=3000)
    for index in range(2999):
        assert end(plan, "m", index) == []
    assert end(plan, "m", 2999) == ["Ready r"]


# --- mapping


def test_mapped_task_expands() -> None:
    plan, _ = start(task("s"), task("m", "s", mapping=over("s")))
    assert end(plan, "s", length=2) == ["Rename m → m[0]", "Create m[1]", "Ready m[0]", "Ready m[1]"]
    assert end(plan, "m", 0) == []
    assert end(plan, "m", 1) == ["FinishRun success"]


def test_nothing_to_map_is_skipped_and_says_over_what() -> None:
    plan, _ = start(task("s"), task("m", "s", mapping=over("s")))
    out = plan.apply(events.Ended(("s", ()), S.SUCCESS, length=0))
    assert brief(out) == ["Skip m", "FinishRun success"]
    assert out[0].reason == "nothing to expand 'm' over: argument 'x0' of 's' is empty"


def test_a_value_that_is_no_list_fails_the_reader() -> None:
    plan, _ = start(task("s"), task("m", "s", mapping=over("s")))
    out = plan.apply(events.Ended(("s", ()), S.SUCCESS))
    assert brief(out) == ["FailUpstream m", "FinishRun failed"]
    assert "'s' left nothing to expand over under key 'return_value'" in out[0].reason


def test_mapped_over_mapped_counts_what_succeeded() -> None:
    last = task("n", "m", mapping=over("m"), trigger_rule=TriggerRule.ALL_DONE)
    plan, _ = start(task("m", mapping=Mapping((("x", Literal(3)),))), last)
    end(plan, "m", 0)
    end(plan, "m", 1, state=S.SKIPPED)
    assert end(plan, "m", 2) == ["Rename n → n[0]", "Create n[1]", "Ready n[0]", "Ready n[1]"]


GROUP = (GroupDocument(group_id="g", label="g", mapping=over("s")),)


def test_mapped_group_expands_together_and_pairs_by_index() -> None:
    plan, _ = start(task("s"), task("a", "s", group_id="g"), task("b", "a", group_id="g"), task("z", "b"), groups=GROUP)
    out = end(plan, "s", length=2)
    assert out == ["Rename a → a[0]", "Rename b → b[0]", "Create a[1]", "Create b[1]", "Ready a[0]", "Ready a[1]"]
    assert end(plan, "a", 1) == ["Ready b[1]"]
    assert end(plan, "b", 1) == []
    assert end(plan, "a", 0, state=S.FAILED) == ["FailUpstream b[0]", "FailUpstream z", "FinishRun failed"]


def test_expansion_inside_a_mapped_group() -> None:
    inner = task("m", "a", group_id="g", mapping=over("a"))
    plan, _ = start(task("s"), task("a", "s", group_id="g"), inner, task("r", "m", group_id="g"), groups=GROUP)
    end(plan, "s", length=2)
    assert end(plan, "a", 1, length=2) == ["Rename m[1] → m[1][0]", "Create m[1][1]", "Ready m[1][0]", "Ready m[1][1]"]
    end(plan, "m", 1, 0)
    assert end(plan, "m", 1, 1) == ["Ready r[1]"]


def test_placeholder_marked_before_the_group_expands_keeps_its_state_and_length() -> None:
    inner = task("m", "a", group_id="g", mapping=over("a"))
    plan, _ = start(task("s"), task("a", "s", group_id="g"), inner, groups=GROUP)
    assert end(plan, "a", length=3) == []
    out = end(plan, "s", length=2)
    assert plan.state(("a", (0,))) == S.SUCCESS
    assert "Ready m[0][2]" in out
    assert "Ready a[1]" in out


def test_cleared_input_that_shrinks_and_grows_again() -> None:
    plan, _ = start(task("s"), task("m", "s", mapping=over("s")))
    end(plan, "s", length=3)
    for index in range(3):
        end(plan, "m", index)
    assert plan.finished
    assert brief(plan.apply(events.Cleared((("s", ()), ("m", (0,)))))) == ["Ready s"]
    assert end(plan, "s", length=1) == ["Remove m[1]", "Remove m[2]", "Ready m[0]"]
    assert end(plan, "m", 0) == ["FinishRun success"]
    plan.apply(events.Cleared((("s", ()),)))
    assert end(plan, "s", length=2) == ["Create m[1]", "Ready m[1]"]


def test_a_live_index_that_is_gone_is_removed_when_it_ends() -> None:
    plan, _ = start(task("s"), task("m", "s", mapping=over("s")))
    end(plan, "s", length=2)
    plan.apply(events.Admitted(("m", (1,))))
    plan.apply(events.Cleared((("s", ()),)))
    assert end(plan, "s", length=1) == []
    assert end(plan, "m", 1) == ["Remove m[1]"]


# --- branches, setups, gates


def test_branch_skips_whatever_the_rule_and_remembers() -> None:
    always = TriggerRule.ALL_DONE
    plan, _ = start(task("b"), task("x", "b", trigger_rule=always), task("y", "b"))
    out = plan.apply(events.Ended(("b", ()), S.SUCCESS, skips=("x",)))
    assert brief(out) == ["Skip x", "Ready y"]
    assert out[0].reason == "skipped by the choice of 'b'"
    assert brief(plan.apply(events.Cleared((("x", ()),)))) == ["Skip x"]
    assert brief(plan.apply(events.Cleared((("b", ()), ("x", ()))))) == ["Ready b"]
    assert end(plan, "b", skips=("y",)) == ["Skip y", "Ready x"]


def test_teardown_runs_after_failed_work_and_does_not_decide_the_run() -> None:
    down = task("down", "up", "work", is_teardown=True, setups=("up",), trigger_rule=TriggerRule.ALL_DONE_SETUP_SUCCESS)
    plan, _ = start(task("up", is_setup=True), task("work", "up"), down)
    end(plan, "up")
    assert end(plan, "work", state=S.FAILED) == ["Ready down"]
    assert end(plan, "down") == ["FinishRun failed"]
    plan, _ = start(task("up", is_setup=True), task("work", "up"), down)
    end(plan, "up")
    end(plan, "work")
    assert end(plan, "down", state=S.FAILED) == ["FinishRun success"]


def test_a_setup_guards_tasks_further_down() -> None:
    plan, _ = start(task("up", is_setup=True), task("a", "up"), task("b", "a", trigger_rule=TriggerRule.ALL_DONE))
    out = plan.apply(events.Ended(("up", ()), S.FAILED))
    assert brief(out) == ["FailUpstream a", "FailUpstream b", "FinishRun failed"]
    assert out[1].reason == "its setup 'up' failed"


def test_fail_fast_stops_the_rest_but_not_teardowns() -> None:
    down = task("down", "up", "b", is_teardown=True, setups=("up",), trigger_rule=TriggerRule.ALL_DONE_SETUP_SUCCESS)
    plan, _ = start(task("up", is_setup=True), task("a", "up"), task("b", "up"), task("c", "b"), down, fail_fast=True)
    end(plan, "up")
    plan.apply(events.Admitted(("b", ())))
    assert end(plan, "a", state=S.FAILED) == ["Stop b failed", "Skip c", "Ready down"]
    assert end(plan, "down") == ["FinishRun failed"]


def test_past_gate_holds_a_run_without_deadlock() -> None:
    plan, out = start(task("a", depends_on_past=True))
    assert out == []
    assert plan.why(("a", ())).kind is ReasonKind.PAST
    assert brief(plan.apply(events.PastGate(("a", ()), ok=False, reason="'a' of the run before failed"))) == []
    assert str(plan.why(("a", ()))) == "'a' waits to start: 'a' of the run before failed"
    assert brief(plan.apply(events.PastGate(("a", ()), ok=True))) == ["Ready a"]


def test_deadlock_is_said_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rule waits for ever, so only a broken one can show it."""
    graph = graph_of(task("a"), task("b", "a"))
    monkeypatch.setattr(graph, "rules", [lambda *_: Decision.WAIT] * 2)
    plan, _ = RunPlan.start(graph)
    out = plan.apply(events.Ended(("a", ()), S.SUCCESS))
    assert brief(out) == ["FinishRun failed"]
    assert out[0].reason == "deadlocked: nothing runs, and 'b' can never start"


# --- waiting, stopping, taking over


def test_retry_comes_back_when_due() -> None:
    plan, _ = start(task("a"))
    plan.apply(events.Waiting(("a", ()), S.UP_FOR_RETRY, datetime(2026, 1, 1, tzinfo=UTC)))
    assert str(plan.why(("a", ()))) == "'a' waits for its next try until 2026-01-01T00:00:00+00:00"
    assert brief(plan.apply(events.Due(("a", ())))) == ["Ready a"]
    assert brief(plan.apply(events.Due(("a", ())))) == []


def test_stop_run_failed_and_success() -> None:
    stop = events.StopRun(DagRunState.FAILED, "run time-out of 60 s passed", S.SKIPPED)
    plan, _ = start(task("a"), task("b", "a"), task("c"))
    plan.apply(events.Admitted(("a", ())))
    out = plan.apply(stop)
    assert brief(out) == ["Stop a skipped", "Skip c", "Skip b", "FinishRun failed"]
    assert {change.reason for change in out} == {stop.reason}
    assert end(plan, "a") == []
    plan, _ = start(task("a"), task("b", "a"))
    assert brief(plan.apply(events.StopRun(DagRunState.SUCCESS, "marked"))) == ["FinishRun success"]
    assert plan.state(("b", ())) is None


def test_takeover_tells_what_was_not_written_and_what_is_ready() -> None:
    graph = graph_of(task("a"), task("b", "a"), task("c"), task("d", "c"))
    rows = [InstanceSnapshot("a", (), S.SUCCESS), InstanceSnapshot("c", (), S.SCHEDULED), InstanceSnapshot("d")]
    plan, out = RunPlan.load(graph, rows)
    assert brief(out) == ["Create b", "Ready c", "Ready b"]
    assert brief(plan.apply(events.Ended(("a", ()), S.SUCCESS))) == []


def test_takeover_after_the_input_changed_its_length() -> None:
    graph = graph_of(task("s"), task("m", "s", mapping=over("s")))
    rows = [InstanceSnapshot("s", (), S.SUCCESS, length=2), *(InstanceSnapshot("m", (i,), S.SUCCESS) for i in range(3))]
    assert brief(RunPlan.load(graph, rows)[1]) == ["Remove m[2]", "FinishRun success"]


def test_takeover_removes_rows_of_vanished_tasks_that_have_not_ended() -> None:
    rows = [InstanceSnapshot("a", (), S.SUCCESS), InstanceSnapshot("old"), InstanceSnapshot("older", (), S.FAILED)]
    assert brief(RunPlan.load(graph_of(task("a")), rows)[1]) == ["Remove old", "FinishRun success"]


def test_why_says_what_is_waited_for() -> None:
    plan, _ = start(task("a"), task("b"), task("c", "a", "b"), task("m", "a", mapping=over("a")))
    reason = plan.why(("c", ()))
    assert reason.waiting_for == ("a", "b")
    assert str(reason) == "'c' waits for 'a', 'b': all_success is not met yet: of 2 upstreams, none done"
    assert plan.why(("a", ())).kind is ReasonKind.READY
    end(plan, "a", length=1)
    assert str(plan.why(("a", ()))) == "'a' is over: success"


def test_unknown_instances_are_refused_by_name() -> None:
    plan, _ = start(task("a"))
    with pytest.raises(NotFound, match="task 'x' is not part"):
        plan.apply(events.Due(("x", ())))
    with pytest.raises(NotFound, match=r"'a' \[3\] is not part of this run"):
        plan.state(("a", (3,)))


def test_graph_refuses_what_can_not_be_planned() -> None:
    with pytest.raises(DagCycle, match=r"a → c → b → a|c → b → a → c|b → a → c → b"):
        graph_of(task("a", "b"), task("b", "c"), task("c", "a"))
    with pytest.raises(InvalidDag, match="task 'a' of DAG 'd' waits for 'ghost'"):
        graph_of(task("a", "ghost"))
    with pytest.raises(InvalidDag, match="task 'a' of DAG 'd' expands over 'ghost'"):
        graph_of(task("a", mapping=over("ghost")))
