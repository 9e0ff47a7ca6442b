"""The local executor takes the exam, before a real agent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.executor_exam import PARALLELISM, ExecutorExam
from tests.unit.runtime.conftest import Worker
from tests.unit.runtime.face import WAIT_SECONDS

from tradewind.wire.execution import Outcome
from tradewind.wire.workload import Workload

FLOW = """
import signal
def quick(workload, client, inputs): pass
def patient(workload, client, inputs):
    open({folder!r} + "/" + workload.token, "w").close()
    while True:
        signal.pause()
"""


class LocalSite:
    """See `executor_exam.Site`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._worker = Worker(folder, slots=PARALLELISM)
        self._worker.write("flow.py", FLOW.format(folder=str(folder)))
        self._worker.start_agent()
        self.executor = self._worker.make_executor(PARALLELISM)

    def workload(self, task: str) -> Workload:
        workload = self._worker.workload(task)
        if task == "patient":
            self._worker.fifo(workload.token)
        return workload

    def outcome(self, workload: Workload) -> Outcome:
        return self._worker.face.outcome(workload.token)

    def claims(self, workload: Workload) -> int:
        return len(self._worker.face.claims(workload.token))

    def await_begun(self, workload: Workload) -> None:
        (self._folder / workload.token).open().close()

    def await_wake(self) -> None:
        assert self._worker.woken.wait(WAIT_SECONDS)

    def agents_down(self) -> None:
        self._worker.stop_agent()

    def agents_up(self) -> None:
        self._worker.start_agent()

    def close(self) -> None:
        self.executor.stop(5.0)
        self._worker.close()


class TestLocalExecutor(ExecutorExam):
    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[LocalSite]:
        site = LocalSite(tmp_path)
        yield site
        site.close()


def test_a_workload_with_a_foreign_seal_is_returned(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.start_agent()
    stranger = worker.make_executor(4, key=b"another key")
    stranger.start()
    workload = worker.workload()
    stranger.submit([workload])
    assert worker.woken.wait(WAIT_SECONDS)
    returned = stranger.events()
    assert [each.token for each in returned] == [workload.token]
    assert "execution.key_file" in returned[0].reason
    stranger.stop(5.0)
    worker.close()
