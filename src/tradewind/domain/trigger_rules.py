"""Trigger rules: when a task may start, in terms of how its direct upstreams ended.

A pure function of counts. Counts are of instances: a mapped upstream with five instances counts five times, a removed
instance not at all. Every rule gives a final decision once all upstreams are done, so a run can not come to rest
between rules. Where the outcome is certain earlier, the decision is early too; a failure is judged before a skip.

With nothing upstream (or everything upstream removed) every rule is met.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from tradewind.wire.states import TriggerRule


class Decision(IntEnum):
    """What a rule says about one task instance."""

    WAIT = 0
    READY = 1
    SKIP = 2
    FAIL_UPSTREAM = 3


@dataclass(frozen=True, slots=True)
class UpstreamCounts:
    """How the direct upstream instances of one task instance stand. Removed instances are left out of every number."""

    success: int = 0
    failed: int = 0
    skipped: int = 0
    upstream_failed: int = 0
    total: int = 0
    setup_success: int = 0
    setup_skipped: int = 0
    setup_total: int = 0
    """Setups among the upstreams; they are part of the first five numbers too."""

    @property
    def done(self) -> int:
        return self.success + self.failed + self.skipped + self.upstream_failed


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision and the sentence that explains it."""

    decision: Decision
    reason: str


RuleFunction = Callable[[int, int, int, int, int, int, int, int], Decision]
"""(success, failed, skipped, upstream_failed, total, setup_success, setup_skipped, setup_total) → decision; `total`
is positive."""

_WAIT, _READY, _SKIP, _FAIL = Decision.WAIT, Decision.READY, Decision.SKIP, Decision.FAIL_UPSTREAM


def _all_success(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if f or u:
        return _FAIL
    if k:
        return _SKIP
    return _READY if s >= total else _WAIT


def _all_failed(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if s or k:
        return _SKIP
    return _READY if f + u >= total else _WAIT


def _all_done(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    return _READY if s + f + k + u >= total else _WAIT


def _all_done_min_one_success(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if k:
        return _SKIP
    if s + f + u < total:
        return _WAIT
    return _READY if s else _FAIL


def _all_done_setup_success(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:
    if s + f + k + u < total:
        return _WAIT
    if not st or ss:
        return _READY
    return _SKIP if sk >= st else _FAIL


def _all_skipped(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if s or f or u:
        return _SKIP
    return _READY if k >= total else _WAIT


def _one_success(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if s:
        return _READY
    if f + k + u < total:
        return _WAIT
    return _SKIP if k >= total else _FAIL


def _one_failed(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if f or u:
        return _READY
    return _SKIP if s + k >= total else _WAIT


def _one_done(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if s or f:
        return _READY
    return _SKIP if k + u >= total else _WAIT


def _none_failed(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if f or u:
        return _FAIL
    return _READY if s + k >= total else _WAIT


def _none_failed_min_one_success(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if f or u:
        return _FAIL
    if s + k < total:
        return _WAIT
    return _READY if s else _SKIP


def _none_skipped(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    if k:
        return _SKIP
    return _READY if s + f + u >= total else _WAIT


def _always(s: int, f: int, k: int, u: int, total: int, ss: int, sk: int, st: int) -> Decision:  # noqa: ARG001
    return _READY


RULES: dict[TriggerRule, RuleFunction] = {
    TriggerRule.ALL_SUCCESS: _all_success,
    TriggerRule.ALL_FAILED: _all_failed,
    TriggerRule.ALL_DONE: _all_done,
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: _all_done_min_one_success,
    TriggerRule.ALL_DONE_SETUP_SUCCESS: _all_done_setup_success,
    TriggerRule.ALL_SKIPPED: _all_skipped,
    TriggerRule.ONE_SUCCESS: _one_success,
    TriggerRule.ONE_FAILED: _one_failed,
    TriggerRule.ONE_DONE: _one_done,
    TriggerRule.NONE_FAILED: _none_failed,
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: _none_failed_min_one_success,
    TriggerRule.NONE_SKIPPED: _none_skipped,
    TriggerRule.ALWAYS: _always,
}


def evaluate(rule: TriggerRule, counts: UpstreamCounts) -> Verdict:
    """What `rule` says about a task whose upstreams stand as in `counts`, with the reason."""
    c = counts
    decision = _READY
    if c.total:
        decision = RULES[rule](
            c.success, c.failed, c.skipped, c.upstream_failed, c.total, c.setup_success, c.setup_skipped, c.setup_total
        )
    return Verdict(decision, explain(rule, decision, counts))


def explain(rule: TriggerRule, decision: Decision, counts: UpstreamCounts) -> str:
    """The sentence for a decision already made: the rule and the numbers it looked at."""
    if not counts.total:
        return "nothing upstream to wait for"
    numbers = _numbers(counts)
    if decision is _READY:
        return f"{rule} is met: {numbers}"
    if decision is _WAIT:
        return f"{rule} is not met yet: {numbers}"
    setups = ""
    if rule is TriggerRule.ALL_DONE_SETUP_SUCCESS:
        setups = f", {counts.setup_success} of {counts.setup_total} setups succeeded"
    return f"{rule} can not be met: {numbers}{setups}"


def _numbers(counts: UpstreamCounts) -> str:
    parts = [
        f"{number} {word}"
        for number, word in (
            (counts.success, "success"),
            (counts.failed, "failed"),
            (counts.upstream_failed, "upstream_failed"),
            (counts.skipped, "skipped"),
        )
        if number
    ]
    noun = "upstream" if counts.total == 1 else "upstreams"
    return f"of {counts.total} {noun}, {', '.join(parts) or 'none'}{' done' if not parts else ''}"
