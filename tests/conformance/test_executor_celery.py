"""The executor celery takes the exam, over both brokers, before a real worker and a real agent."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.brokers import URLS, broker_url
from tests.conformance.executor_exam import PARALLELISM, ExecutorExam, Site
from tests.conformance.test_executor_local import FLOW
from tests.unit.runtime.conftest import KEY, Worker
from tests.unit.runtime.face import WAIT_SECONDS

from tradewind.executors.celery.executor import CeleryExecutor
from tradewind.executors.celery.words import make_app
from tradewind.kernel.clock import SystemClock
from tradewind.ports.executor import Executor
from tradewind.wire.execution import Outcome
from tradewind.wire.workload import Workload

CONSUMER = """
import sys
from pathlib import Path
from tradewind.executors.celery.worker import run_consumer
url, socket, key, queue, threads, name = sys.argv[1:]
sys.exit(run_consumer(url, Path(socket), bytes.fromhex(key), [queue], int(threads), name, "error"))
"""
THREADS = 2 * PARALLELISM
"""More than the agent has slots, so that it has attempts that wait."""


class CelerySite:
    """See `executor_exam.Site`."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self._queue = f"exam-{secrets.token_hex(6)}"
        self._worker = Worker(folder, slots=PARALLELISM)
        self._worker.write("flow.py", FLOW.format(folder=str(folder)))
        self._consumer: subprocess.Popen[bytes] | None = None
        self.agents_up()
        self.executor: Executor = CeleryExecutor(
            "celery", url, KEY, PARALLELISM, self._worker.woken.set, SystemClock(), place=self._queue, resend_seconds=0
        )

    def workload(self, task: str) -> Workload:
        workload = replace(self._worker.workload(task, queue=self._queue), token=secrets.token_hex(8))
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
        if self._consumer is not None:
            self._consumer.terminate()
            self._consumer.wait(WAIT_SECONDS)
            self._consumer = None

    def agents_up(self) -> None:
        self._worker.start_agent()
        name = f"{self._queue}@exam"
        facts = [self._url, str(self._worker.settings.socket), KEY.hex(), self._queue, str(THREADS), name]
        self._consumer = subprocess.Popen([sys.executable, "-W", "ignore", "-c", CONSUMER, *facts])
        control = make_app(self._url).control
        for _ in range(int(WAIT_SECONDS)):
            if control.ping(destination=[name], timeout=1.0, limit=1):
                return
        raise AssertionError("the consumer did not come up")

    def close(self) -> None:
        self.executor.stop(5.0)
        self.agents_down()
        self._worker.close()


@pytest.mark.parametrize("broker", list(URLS))
class TestCeleryExecutor(ExecutorExam):
    @pytest.fixture
    def site(self, tmp_path: Path, broker: str) -> Iterator[CelerySite]:
        site = CelerySite(tmp_path, broker_url(broker))
        yield site
        site.close()

    def test_an_unreachable_agent_is_waited_for(self, site: Site, executor: Executor) -> None:
        """As for every executor, but what was cancelled while it waits in the broker is refused at its claim."""
        self._run_another(site, executor)
        site.agents_down()
        before = executor.capacity()
        workload = site.workload("quick")
        executor.submit([workload])
        assert executor.capacity() == before - 1
        assert executor.unknown([workload.token, "stranger"]) == set(), "nobody can be asked"
        site.agents_up()
        assert site.outcome(workload).state == "success"


def test_a_cancellation_with_a_foreign_seal_is_refused() -> None:
    from tradewind.executors.celery.words import open_cancel, sealed_cancel
    from tradewind.wire.errors import Forbidden

    order = sealed_cancel(["a"], "enough", KEY)
    assert open_cancel(**order, key=KEY) == (["a"], "enough")
    with pytest.raises(Forbidden, match="execution key"):
        open_cancel(**order, key=b"another")
