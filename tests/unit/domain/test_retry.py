"""Whether and when a failed attempt is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.retry import RetryLimits, decide_failure, retry_delay_seconds
from tradewind.wire.document import TaskDocument
from tradewind.wire.states import INFRASTRUCTURE_CAUSES, CauseOfDeath

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def task(**fields: Any) -> TaskDocument:
    return TaskDocument(task_id="t", operator="x", **fields)


def test_total_tries_are_retries_plus_one() -> None:
    verdicts = [decide_failure(task(), n, 2, 0, CauseOfDeath.EXCEPTION, NOW) for n in (1, 2, 3)]
    assert [verdict.retry for verdict in verdicts] == [True, True, False]
    assert verdicts[0].due_at == NOW + timedelta(seconds=300)
    assert verdicts[0].reason == "try 1 of 3 failed; the next in 300 s"
    assert verdicts[2].due_at is None
    assert verdicts[2].reason == "failed: all 3 tries are used"


def test_without_retries_the_reason_says_so() -> None:
    assert decide_failure(task(), 1, 0, 0, CauseOfDeath.EXCEPTION, NOW).reason == "failed: no retries are configured"


@pytest.mark.parametrize("cause", [CauseOfDeath.FAIL_NOW, CauseOfDeath.USER])
def test_some_causes_never_retry(cause: CauseOfDeath) -> None:
    assert not decide_failure(task(), 1, 5, 0, cause, NOW).retry


@pytest.mark.parametrize("cause", sorted(INFRASTRUCTURE_CAUSES))
def test_infrastructure_spends_its_own_bounded_budget(cause: CauseOfDeath) -> None:
    try_number, max_tries, spent = 1, 0, 0
    while (verdict := decide_failure(task(), try_number, max_tries, spent, cause, NOW)).retry:
        assert verdict.due_at == NOW
        try_number, max_tries, spent = try_number + 1, verdict.max_tries, verdict.infrastructure_tries
    assert (try_number, max_tries, spent) == (4, 3, 3)
    assert verdict.reason == "failed: no retries are configured, and 3 repeats of lost or killed tries are used"


def test_a_spent_infrastructure_budget_leaves_the_ordinary_retries() -> None:
    verdict = decide_failure(task(), 4, 4, 3, CauseOfDeath.LOST, NOW)
    assert verdict.retry
    assert verdict.due_at == NOW + timedelta(seconds=300)
    assert (verdict.max_tries, verdict.infrastructure_tries) == (4, 3)
    assert not decide_failure(
        task(), 1, 0, 0, CauseOfDeath.LOST, NOW, limits=RetryLimits(infrastructure_tries_max=0)
    ).retry


def test_a_policy_may_choose_the_delay() -> None:
    verdict = decide_failure(task(), 1, 1, 0, CauseOfDeath.EXCEPTION, NOW, retry_delay_override=7.5)
    assert verdict.due_at == NOW + timedelta(seconds=7.5)
    assert "next in 7.5 s" in verdict.reason


def test_plain_delay_is_the_author_s() -> None:
    assert retry_delay_seconds(task(retry_delay_seconds=200_000), 3) == 200_000
    assert retry_delay_seconds(task(retry_delay_seconds=0), 3) == 0


@given(
    delay=st.floats(0, 10_000),
    multiplier=st.floats(1, 10),
    try_number=st.integers(1, 500),
    cap=st.none() | st.floats(1, 100_000),
    identity=st.text(),
)
def test_exponential_delay(delay: float, multiplier: float, try_number: int, cap: float | None, identity: str) -> None:
    document = task(retry_delay_seconds=delay, retry_exponential_backoff=multiplier, max_retry_delay_seconds=cap)
    found = retry_delay_seconds(document, try_number, identity=identity)
    assert found == retry_delay_seconds(document, try_number, identity=identity)
    top = min(86_400.0, cap if cap is not None else 86_400.0)
    try:
        base = max(1.0, delay * multiplier ** (try_number - 1))
    except OverflowError:
        base = float("inf")
    assert min(base, top) <= found <= min(2 * (base + 1), top)


def test_jitter_spreads_instances() -> None:
    document = task(retry_delay_seconds=100, retry_exponential_backoff=2.0)
    assert len({retry_delay_seconds(document, 3, identity=f"run/{i}") for i in range(50)}) > 40
