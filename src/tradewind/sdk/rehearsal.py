"""Running an attempt of nothing, over and over, before the first real one.

CPython rewrites the code of a function while it runs the first times, and libraries fill their caches. In a process
just forked each of these writes copies a page. So the process that all others are forked from runs an empty task often
enough beforehand.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from tradewind.kernel.clock import SystemClock
from tradewind.sdk.callables import CallableOperator
from tradewind.sdk.execution import run_task
from tradewind.sdk.operator import BaseOperator
from tradewind.wire.execution import AgentMessage, Outcome
from tradewind.wire.states import DagRunType
from tradewind.wire.workload import RunFacts, Workload

TIMES = 16
"""Code is specialised after eight runs (PEP 659); twice as many for what is not reached in each."""


class _Nobody:
    """A task client that nobody answers: an empty task asks nothing."""

    def ask(self, message: AgentMessage) -> NoReturn:
        raise AssertionError(f"the rehearsal asked {message!r}")

    def tell(self, message: AgentMessage) -> None:
        raise AssertionError(f"the rehearsal told {message!r}")

    def fetch(self, url: str, sha256: str | None) -> NoReturn:
        raise AssertionError(f"the rehearsal fetched {url} ({sha256})")

    def store(self, data: bytes, name: str) -> NoReturn:
        raise AssertionError(f"the rehearsal stored {len(data)} bytes as {name}")

    def mask(self, secret: str) -> None:
        """Nothing is logged."""


def rehearse(times: int = TIMES) -> list[Outcome]:
    """Run an empty task so often; the outcomes, all success."""
    task, workload = rehearsal_task(), rehearsal_workload()
    return [run_task(task, workload, _Nobody(), {}, clock=SystemClock()) for _ in range(times)]


def rehearsal_task() -> BaseOperator:
    """A task that does nothing."""
    return CallableOperator(task_id="rehearsal", python_callable=lambda: None)


def rehearsal_workload() -> Workload:
    """An attempt of `rehearsal_task`."""
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    run = RunFacts(
        run_key="rehearsal",
        dag_id="rehearsal",
        run_id="rehearsal",
        run_type=DagRunType.MANUAL,
        run_after=moment,
        logical_date=moment,
        data_interval_start=moment,
        data_interval_end=moment,
    )
    return Workload(
        token="",
        ti_id="rehearsal",
        task_id="rehearsal",
        version_id="",
        bundle="",
        bundle_version="",
        file="rehearsal.py",
        run=run,
    )
