"""Every rule gives the outcomes that were observed on the reference product, and explains them with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from tradewind.domain.trigger_rules import RULES, Decision, UpstreamCounts, evaluate
from tradewind.wire.states import TriggerRule

OBSERVED = Path(__file__).with_name("trigger_rule_outcomes.txt")
DECISIONS = {"R": Decision.READY, "W": Decision.WAIT, "S": Decision.SKIP, "F": Decision.FAIL_UPSTREAM}


def observed() -> Iterator[tuple[TriggerRule, str, Decision]]:
    for line in OBSERVED.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            rule, *outcomes = line.split()
            for outcome in outcomes:
                states, decision = outcome.split("=")
                yield TriggerRule(rule), states, DECISIONS[decision]


def counts(states: str) -> UpstreamCounts:
    setups = states.partition("/")[0] if "/" in states else ""
    everything = states.replace("/", "")
    return UpstreamCounts(
        everything.count("s"), everything.count("f"), everything.count("k"), everything.count("u"), len(everything),
        setups.count("s"), setups.count("k"), len(setups),
    )  # fmt: skip


def test_outcomes_are_those_of_the_reference() -> None:
    wrong = [
        (rule, states, evaluate(rule, counts(states)).decision, decision)
        for rule, states, decision in observed()
        if evaluate(rule, counts(states)).decision is not decision
    ]
    assert not wrong
    assert {rule for rule, _, _ in observed()} == set(TriggerRule) == set(RULES)


@pytest.mark.parametrize("rule", TriggerRule)
def test_no_rule_waits_when_everything_is_done(rule: TriggerRule) -> None:
    for total in range(1, 5):
        for states in combinations_with_replacement("sfku", total):
            for setups in range(total + 1):
                text = "".join(states)
                assert evaluate(rule, counts(f"{text[:setups]}/{text[setups:]}")).decision is not Decision.WAIT


@pytest.mark.parametrize("rule", TriggerRule)
def test_nothing_upstream_is_ready(rule: TriggerRule) -> None:
    assert evaluate(rule, UpstreamCounts()).decision is Decision.READY


def test_reason_names_rule_and_numbers() -> None:
    verdict = evaluate(TriggerRule.ALL_SUCCESS, UpstreamCounts(success=2, failed=1, total=5))
    assert verdict.reason == "all_success can not be met: of 5 upstreams, 2 success, 1 failed"
    waiting = evaluate(TriggerRule.ALL_DONE, UpstreamCounts(total=1))
    assert waiting.reason == "all_done is not met yet: of 1 upstream, none done"
    setup = evaluate(TriggerRule.ALL_DONE_SETUP_SUCCESS, UpstreamCounts(success=1, failed=1, total=2, setup_total=1))
    assert (
        setup.reason
        == "all_done_setup_success can not be met: of 2 upstreams, 1 success, 1 failed, 0 of 1 setups succeeded"
    )
