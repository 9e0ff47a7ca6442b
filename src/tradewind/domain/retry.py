"""Whether a failed attempt is tried again, and when. Pure: the caller brings the time and the budgets, and writes the
verdict.

A task has `max_tries` ordinary retries after its first try. Deaths that are not its doing (`INFRASTRUCTURE_CAUSES`)
spend a bounded budget of their own: the attempt is repeated at once and `max_tries` grows by one, so the author's
retries are untouched. When that budget is spent they count as ordinary failures.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, isfinite

from tradewind.wire.document import RunRetry, TaskDocument
from tradewind.wire.states import INFRASTRUCTURE_CAUSES, CauseOfDeath


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """Bounds no task can exceed."""

    infrastructure_tries_max: int = 3
    map_length_max: int = 100_000
    """Most instances a mapped task may expand to over one value (setting core.max_map_length)."""
    delay_seconds_max: float = 86_400.0
    """Cap for every exponential delay (24 hours)."""


@dataclass(frozen=True, slots=True)
class RetryVerdict:
    """What becomes of a failed attempt, with the budgets to write."""

    retry: bool
    due_at: datetime | None
    """When the next try may start; None without retry."""
    max_tries: int
    infrastructure_tries: int
    reason: str


DEFAULT_LIMITS = RetryLimits()


def decide_failure(
    task: TaskDocument,
    try_number: int,
    max_tries: int,
    infrastructure_tries: int,
    cause: CauseOfDeath | None,
    now: datetime,
    *,
    retry_wanted: bool | None = None,
    retry_delay_override: float | None = None,
    limits: RetryLimits = DEFAULT_LIMITS,
    identity: str = "",
) -> RetryVerdict:
    """Decide about the attempt `try_number` (counted from 1) that just failed.

    `max_tries` is the number of retries given at creation plus what infrastructure added; `retry_delay_override`
    (seconds) and `retry_wanted` (False: no further try) come from a retry policy of the task; `identity` names the task
    instance, so that equal delays of many instances spread (run and map path; the task id is always part of it).
    """
    if cause in INFRASTRUCTURE_CAUSES and infrastructure_tries < limits.infrastructure_tries_max:
        spent = infrastructure_tries + 1
        reason = (
            f"{cause}: not the task's doing, tried again at once ({spent} of {limits.infrastructure_tries_max} repeats)"
        )
        return RetryVerdict(True, now, max_tries + 1, spent, reason)
    kept = (max_tries, infrastructure_tries)
    if cause is CauseOfDeath.FAIL_NOW:
        return RetryVerdict(False, None, *kept, "not tried again")
    if cause is CauseOfDeath.USER:
        return RetryVerdict(False, None, *kept, "ended on purpose: not tried again")
    if retry_wanted is False:
        return RetryVerdict(False, None, *kept, "not tried again: its retry policy decided so")
    if try_number > max_tries:
        own = max_tries - infrastructure_tries
        spent_words = "no retries are configured" if own == 0 else f"all {own + 1} tries are used"
        if infrastructure_tries:
            spent_words += f", and {infrastructure_tries} repeats of lost or killed tries are used"
        return RetryVerdict(False, None, *kept, f"failed: {spent_words}")
    delay = retry_delay_seconds(task, try_number, override=retry_delay_override, limits=limits, identity=identity)
    reason = f"try {try_number} of {max_tries + 1} failed; the next in {_short(delay)} s"
    return RetryVerdict(True, now + timedelta(seconds=delay), *kept, reason)


def retry_delay_seconds(
    task: TaskDocument,
    try_number: int,
    *,
    override: float | None = None,
    limits: RetryLimits = DEFAULT_LIMITS,
    identity: str = "",
) -> float:
    """Seconds between the failure of attempt `try_number` and the next: the override, the plain delay, or the
    exponential one with its jitter.

    Exponential: base = ceil(delay × multiplier^(try - 1)), at least 1; the jitter adds between 0 and base, the same
    for the same attempt every time it is asked.
    """
    if override is not None:
        return max(0.0, override)
    if not task.retry_exponential_backoff:
        return max(0.0, task.retry_delay_seconds)
    delay = min(_exponential(task, try_number, limits, identity), limits.delay_seconds_max)
    if task.max_retry_delay_seconds is not None:
        delay = min(delay, task.max_retry_delay_seconds)
    return max(0.0, delay)


def run_retry_delay_seconds(retry: RunRetry, number: int) -> float:
    """Seconds between the failure of a run and its retry `number` (from 1)."""
    delay = retry.delay_seconds
    if retry.exponential_backoff:
        try:
            delay *= retry.exponential_backoff ** (number - 1)
        except OverflowError:
            delay = DEFAULT_LIMITS.delay_seconds_max
    bounds = [DEFAULT_LIMITS.delay_seconds_max] if retry.exponential_backoff else []
    if retry.max_delay_seconds is not None:
        bounds.append(retry.max_delay_seconds)
    return max(0.0, min([delay, *bounds]))


def _exponential(task: TaskDocument, try_number: int, limits: RetryLimits, identity: str) -> float:
    try:
        grown = task.retry_delay_seconds * task.retry_exponential_backoff ** (try_number - 1)
    except OverflowError:
        return limits.delay_seconds_max
    if not isfinite(grown) or grown >= limits.delay_seconds_max:
        return limits.delay_seconds_max
    base = max(1, ceil(grown))
    digest = hashlib.blake2b(f"{task.task_id}\n{identity}\n{try_number}".encode(), digest_size=8).digest()
    return base + int.from_bytes(digest, "big") % (base + 1)


def _short(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
