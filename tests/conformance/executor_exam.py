"""The exam every executor passes (`ports.executor`). A plug's test module subclasses it and gives a `site`:

    class TestMyExecutor(ExecutorExam):
        @pytest.fixture
        def site(self, tmp_path): ...   # an executor before real agents and a scripted execution face

That something does *not* happen is shown by what a later message brings, never by waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest

from tradewind.ports.executor import Executor
from tradewind.wire.execution import Outcome
from tradewind.wire.states import CauseOfDeath, TaskInstanceState
from tradewind.wire.workload import Workload

PARALLELISM = 4
"""What the executor of a site is made with."""


class Site(Protocol):
    """Where the exam takes place. Its DAG file has the tasks `quick`, which ends at once, and `patient`, which ends
    when it is cancelled. The executor is started by the exam."""

    executor: Executor

    def workload(self, task: str) -> Workload:
        """A new attempt."""

    def outcome(self, workload: Workload) -> Outcome:
        """As soon as it is reported."""

    def claims(self, workload: Workload) -> int:
        """How often the attempt was claimed until now."""

    def await_begun(self, workload: Workload) -> None:
        """Until user code of a `patient` runs."""

    def await_wake(self) -> None:
        """Until the executor has called `wake`."""

    def agents_down(self) -> None:
        """All agents end, giving back what waits."""

    def agents_up(self) -> None: ...


class ExecutorExam:
    """What an executor promises."""

    @pytest.fixture
    def site(self) -> Site:
        raise NotImplementedError("a plug's test gives a site")

    @pytest.fixture
    def executor(self, site: Site) -> Executor:
        site.executor.start()
        return site.executor

    def test_carries_workloads(self, site: Site, executor: Executor) -> None:
        workloads = [site.workload("quick") for _ in range(3)]
        executor.submit(workloads)
        for workload in workloads:
            assert site.outcome(workload).state is TaskInstanceState.SUCCESS

    def test_the_same_token_twice_starts_once(self, site: Site, executor: Executor) -> None:
        workload = site.workload("quick")
        executor.submit([workload, workload])
        executor.submit([workload])
        site.outcome(workload)
        executor.submit([workload])
        self._run_another(site, executor)
        assert site.claims(workload) == 1

    def test_capacity_follows_what_is_in_hand(self, site: Site, executor: Executor) -> None:
        assert executor.capacity() == PARALLELISM
        workload = site.workload("quick")
        executor.submit([workload])
        assert executor.capacity() == PARALLELISM - 1
        site.outcome(workload)
        assert executor.capacity() == PARALLELISM - 1, "only the owner knows that it has seen the end"
        executor.release([workload.token])
        executor.release([workload.token, "never heard of"])
        assert executor.capacity() == PARALLELISM
        executor.occupy([f"adopted-{number}" for number in range(PARALLELISM + 2)])
        assert executor.capacity() == 0

    def test_cancel_ends_what_runs(self, site: Site, executor: Executor) -> None:
        workload = site.workload("patient")
        executor.submit([workload])
        site.await_begun(workload)
        executor.cancel([workload.token], "enough")
        outcome = site.outcome(workload)
        assert (outcome.state, outcome.cause) == (TaskInstanceState.FAILED, CauseOfDeath.USER)
        assert outcome.reason == "enough"

    def test_a_cancelled_attempt_does_not_start_when_it_is_submitted_late(self, site: Site, executor: Executor) -> None:
        workload = site.workload("quick")
        executor.cancel([workload.token], "never mind")
        executor.submit([workload])
        assert site.outcome(workload).cause is CauseOfDeath.USER
        assert site.claims(workload) == 0

    def test_unknown_names_what_nobody_has(self, site: Site, executor: Executor) -> None:
        workload = site.workload("patient")
        executor.submit([workload])
        site.await_begun(workload)
        assert executor.unknown([workload.token, "stranger"]) == {"stranger"}
        assert executor.unknown([]) == set()

    def test_an_unreachable_agent_is_waited_for(self, site: Site, executor: Executor) -> None:
        self._run_another(site, executor)
        site.agents_down()
        before = executor.capacity()
        workload, cancelled = site.workload("quick"), site.workload("quick")
        executor.submit([workload, cancelled])
        assert executor.capacity() == before - 2
        executor.cancel([cancelled.token], "meanwhile")
        assert executor.unknown([workload.token, "stranger"]) == set(), "nobody can be asked"
        site.agents_up()
        assert site.outcome(workload).state is TaskInstanceState.SUCCESS
        assert site.claims(cancelled) == 0

    def test_what_an_agent_did_not_begin_is_returned(self, site: Site, executor: Executor) -> None:
        running = [site.workload("patient") for _ in range(PARALLELISM)]
        executor.submit(running)
        for workload in running:
            site.await_begun(workload)
        waiting = site.workload("quick")
        executor.submit([waiting])
        self._until_known(executor, [waiting])
        site.agents_down()
        site.await_wake()
        returned = executor.events()
        assert [each.token for each in returned] == [waiting.token]
        assert returned[0].reason
        assert executor.events() == []

    def test_what_runs_outlives_the_executor(self, site: Site, executor: Executor) -> None:
        workload = site.workload("patient")
        executor.submit([workload])
        site.await_begun(workload)
        executor.stop(5.0)
        executor.stop(5.0)
        assert site.claims(workload) == 1

    @staticmethod
    def _run_another(site: Site, executor: Executor) -> None:
        workload = site.workload("quick")
        executor.submit([workload])
        site.outcome(workload)
        executor.release([workload.token])

    @staticmethod
    def _until_known(executor: Executor, workloads: Sequence[Workload]) -> None:
        assert executor.unknown([workload.token for workload in workloads]) == set()
