"""One attempt in memory: what the tests of the execution side build on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from tradewind.kernel.clock import VirtualClock
from tradewind.sdk.execution import run_task
from tradewind.sdk.memory_client import MemoryClient, MemoryWorld
from tradewind.sdk.values import ValueLimits
from tradewind.wire.execution import Outcome, XComValue
from tradewind.wire.states import DagRunType
from tradewind.wire.workload import RunFacts, Workload

DATE = datetime(2024, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass
class Bench:
    """Runs single attempts in one world, on a clock that moves only when told."""

    world: MemoryWorld = field(default_factory=lambda: MemoryWorld("d", "run"))
    clock: VirtualClock = field(default_factory=VirtualClock)
    pauses: list[float] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def run(
        self,
        task: Any,
        *,
        conf: dict[str, Any] | None = None,
        logical_date: datetime | None = DATE,
        inputs: dict[str, XComValue] | None = None,
        limits: ValueLimits | None = None,
        on_started: Callable[[], object] | None = None,
        **workload: Any,
    ) -> Outcome:
        interval = (logical_date, logical_date)
        run = RunFacts(
            run_key="k",
            dag_id="d",
            run_id="run",
            run_type=DagRunType.MANUAL,
            run_after=DATE,
            logical_date=logical_date,
            data_interval_start=interval[0],
            data_interval_end=interval[1],
            conf=conf or {},
        )
        facts = {"token": "t", "ti_id": "i", "task_id": task.task_id, "version_id": "v", "bundle": "b"}
        load = Workload(**facts, bundle_version="1", file="dag.py", run=run, **workload)
        client = MemoryClient(self.world, (task.task_id, load.map_path))
        outcome = run_task(
            task,
            load,
            client,
            inputs or {},
            clock=self.clock,
            pause=self.pause,
            limits=limits,
            on_started=on_started,
        )
        self.world.put((task.task_id, load.map_path), outcome.xcoms)
        return outcome


@pytest.fixture
def bench() -> Bench:
    return Bench()
