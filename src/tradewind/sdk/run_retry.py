"""Run-level retry as a DAG says it: `DAG(dag_retries=2, dag_retry_delay=timedelta(minutes=5))`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tradewind.wire.document import RunRetry, RunRetryScope

from .arguments import CHECKS, whole_number
from .errors import WrongValue


def run_retry(
    of: str, retries: Any, delay: Any, scope: Any, exponential_backoff: Any, max_delay: Any
) -> RunRetry | None:
    """What the document says; None without retries.

    Parameters:
        of: the DAG, for messages.

    Raises:
        WrongArgument, WrongValue: naming the argument and what would be right.
    """
    number = whole_number(0)(f"dag_retries {of}", retries)
    wait: timedelta = CHECKS["retry_delay"](f"dag_retry_delay {of}", delay)
    most: timedelta | None = CHECKS["max_retry_delay"](f"dag_max_retry_delay {of}", max_delay)
    backoff = CHECKS["retry_exponential_backoff"](f"dag_retry_exponential_backoff {of}", exponential_backoff)
    try:
        which = RunRetryScope(scope)
    except ValueError:
        raise WrongValue(f"dag_retry_scope {of} must be 'failed' or 'all', not {scope!r}") from None
    if not number:
        return None
    return RunRetry(
        retries=number,
        delay_seconds=wait.total_seconds(),
        exponential_backoff=float(backoff),
        max_delay_seconds=None if most is None else most.total_seconds(),
        scope=which,
    )
