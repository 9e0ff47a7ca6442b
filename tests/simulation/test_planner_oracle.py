"""The planner against the oracle on random DAGs and random lives of runs.

`TRADEWIND_SIMULATION_GRAPHS` sets how many (default 5,000, about half a minute on one core). Every property has planted
bugs that must turn it red.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradewind.domain.planner import board, expansion, judgement, plan, takeover
from tradewind.domain.planner import status as codes
from tradewind.domain.planner.compiler import Compiler
from tradewind.domain.trigger_rules import RULES, Decision
from tradewind.wire.states import TriggerRule

from .runs import Disagreement, live, random_document

GRAPHS = int(os.environ.get("TRADEWIND_SIMULATION_GRAPHS", "5000"))
PLANTED_LIVES_MAX = 3_000
"""A planted bug must show within so many lives."""


@pytest.mark.timeout(900)
@settings(max_examples=GRAPHS, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(seed=st.integers(0, 2**48), size=st.integers(1, 12), steps=st.integers(1, 40))
def test_planner_agrees_with_oracle(seed: int, size: int, steps: int) -> None:
    rng = random.Random(seed)
    live(rng, random_document(rng, size), steps)


def _rule(rule: TriggerRule, wrong: Decision) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        right = RULES[rule]

        def planted(*counts: int) -> Decision:
            decision = right(*counts)
            return wrong if decision in (Decision.SKIP, Decision.FAIL_UPSTREAM) else decision

        patch.setitem(RULES, rule, planted)

    return plant


def _replace(owner: object, name: str, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(owner, name, value)


def _after(owner: object, name: str, spoil: Callable[..., object]) -> Callable[[pytest.MonkeyPatch], None]:
    """Let the real one run, then spoil its result (or its effect): `spoil(result, *arguments)`."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = getattr(owner, name)
        patch.setattr(owner, name, lambda *a, **k: spoil(right(*a, **k), *a))

    return plant


def _nothing(*_: object, **__: object) -> None:
    return None


def _forget_wakes(_: object, this: board.Board, *__: object) -> None:
    this.wakes.clear()


PLANTED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    **{
        f"rule {rule}": _rule(rule, Decision.WAIT)
        for rule in RULES
        if rule not in (TriggerRule.ALWAYS, TriggerRule.ALL_DONE)
    },
    "skip instead of upstream_failed": _rule(TriggerRule.ALL_SUCCESS, Decision.SKIP),
    "setups do not guard": _replace(judgement, "_judge_guards", lambda *_: judgement._READY),
    "no guard edges": _replace(Compiler, "_guard_edges", _nothing),
    "branches are forgotten": _replace(board.Board, "remember_skips", _nothing),
    "a cleared branch still skips": _replace(board.Board, "forget_skips", _nothing),
    "a branch does not take back what is ready": _replace(plan.RunPlan, "_skip_ready", _nothing),
    "the past does not hold back": _replace(plan.RunPlan, "_held_by_past", lambda *_: False),
    "the past always holds back": _replace(plan, "past_gate", _nothing),
    "fail fast does nothing": _replace(plan.RunPlan, "_fail_fast", _nothing),
    "readers do not count new indexes": _replace(board.Board, "widen", _nothing),
    "shrinking keeps indexes": _replace(expansion, "_revive_and_remove", _nothing),
    "live outgrown indexes stay": _replace(plan.RunPlan, "_remove_outgrown", _nothing),
    "one index too few": _after(expansion, "expansion_size", lambda size, *_: size - 1 if size > 1 else size),
    "clears wake nobody": _after(board.Board, "_tell_change", _forget_wakes),
    "ends are judged out of order": _replace(plan, "heappop", lambda heap: heap.pop()),
    "mapped inputs must all succeed": _replace(board.Board, "_is_real", lambda *_: False),
    "a due try runs without asking its rule": _replace(plan, "_RESTING", ()),
    "teardowns decide the run": _replace(Compiler, "_leaf_numbers", lambda self: set(range(len(self.tasks)))),
    "take-over forgets lengths": _replace(takeover, "SOURCE", 0),
    "take-over forgets indexes": _replace(takeover, "_shape", _nothing),
    "take-over forgets who is ready": _after(takeover, "_place", lambda _, __, ___, ____, rows: rows.scheduled.clear()),
    "take-over looks at nothing": _replace(plan, "undecided_places", lambda _: iter(())),
    "removed instances are waited for": _replace(board, "_SLOT", tuple(0 if s < 0 else s for s in board._SLOT)),
    "the run ends while something rests": _replace(codes, "RETRY_DUE", codes.DEFERRED),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PLANTED)
def test_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTED[name](monkeypatch)
    for seed in range(PLANTED_LIVES_MAX):
        rng = random.Random(seed)
        try:
            live(rng, random_document(rng, rng.randint(1, 10)), 40)
        except (Disagreement, LookupError, AssertionError, RecursionError):
            return
    pytest.fail(f"{name}: not noticed in {PLANTED_LIVES_MAX} lives")
