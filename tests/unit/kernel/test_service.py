from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from tradewind.kernel.clock import VirtualClock, VirtualClockInProduction
from tradewind.kernel.service import (
    ExitCode,
    ServiceFailed,
    ServiceGroup,
    ServiceState,
    ThreadService,
    run_until_signal,
)

LONG = 20.0


class Loop(ThreadService):
    """Waits until it is stopped; tells its steps to `story`."""

    def __init__(self, name: str = "loop", story: list[str] | None = None) -> None:
        super().__init__(name)
        self.story = [] if story is None else story

    def run(self) -> None:
        self.story.append(f"{self.name} runs")
        self.ready()
        self.stopping.wait()
        self.story.append(f"{self.name} ends")


class Failing(ThreadService):
    """Fails: at once, or after it became ready and was told to."""

    def __init__(self, name: str = "failing", *, first_ready: bool = False, error: BaseException | None = None) -> None:
        super().__init__(name)
        self.first_ready = first_ready
        self.error = error or OSError("disk full")
        self.now = threading.Event()

    def run(self) -> None:
        if self.first_ready:
            self.ready()
            self.now.wait()
        raise self.error


class NeverReady(ThreadService):
    """Starts and starts."""

    def __init__(self, name: str = "slow") -> None:
        super().__init__(name)
        self.began = threading.Event()

    def run(self) -> None:
        self.began.set()
        self.stopping.wait()


class Deaf(ThreadService):
    """Does not stop when asked."""

    def __init__(self, name: str = "deaf") -> None:
        super().__init__(name)
        self.let_go = threading.Event()

    def run(self) -> None:
        self.ready()
        self.let_go.wait()


class Short(ThreadService):
    """Ends by itself, as it may."""

    may_end = True

    def run(self) -> None:
        self.ready()


# --- one service


def test_a_life() -> None:
    service = Loop()
    states = [service.state]
    service.start()
    assert service.wait_ready(LONG)
    states.append(service.state)
    assert service.stop(LONG)
    states.append(service.state)
    assert states == [ServiceState.NEW, ServiceState.READY, ServiceState.STOPPED]
    assert service.failure is None
    assert service.story == ["loop runs", "loop ends"]


def test_everything_may_be_done_twice() -> None:
    service = Loop()
    service.start()
    service.start()
    assert service.wait_ready(LONG)
    assert service.stop(LONG)
    assert service.stop(LONG)
    service.start()
    assert service.story == ["loop runs", "loop ends"]
    assert not service.wait_ready(LONG)


def test_stopped_before_it_started_it_never_runs() -> None:
    service = Loop()
    assert service.stop(LONG)
    service.start()
    assert service.join(LONG)
    assert not service.wait_ready(LONG)
    assert service.story == []


def test_not_ready_in_time() -> None:
    service = NeverReady()
    service.start()
    assert not service.wait_ready(0.01)
    assert service.stop(LONG)


def test_stopping_ends_the_wait_for_readiness() -> None:
    service = NeverReady()
    service.start()

    def stop() -> None:
        service.began.wait(LONG)
        service.request_stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    assert not service.wait_ready(LONG)
    stopper.join(LONG)
    assert service.join(LONG)


def test_wake_is_called_once_after_stopping_is_set() -> None:
    woken: list[bool] = []

    class Waker(Loop):
        def wake(self) -> None:
            woken.append(self.stopping.is_set())

    service = Waker()
    service.start()
    service.stop(LONG)
    service.stop(LONG)
    assert woken == [True]


@pytest.mark.parametrize("error", [OSError("disk full"), SystemExit(3), KeyboardInterrupt()])
def test_an_error_ends_it_and_is_logged_once(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    service = Failing(error=error)
    service.start()
    assert service.join(LONG)
    assert service.state is ServiceState.FAILED
    assert service.failure is error
    assert caplog.messages == ["service_failed"]
    with pytest.raises(ServiceFailed, match="service failing failed") as caught:
        service.wait_ready()
    assert caught.value.__cause__ is error


def test_ending_unasked_is_a_failure_unless_it_may() -> None:
    class Forgetful(Short):
        may_end = False

    service = Forgetful("forgetful")
    service.start()
    assert service.join(LONG)
    assert service.state is ServiceState.FAILED
    assert str(service.failure) == "the service forgetful ended though nobody asked it to"
    short = Short("short")
    short.start()
    assert short.join(LONG)
    assert short.state is ServiceState.STOPPED


def test_whoever_asks_hears_of_the_end_once() -> None:
    service = Loop()
    heard: list[str] = []
    told = threading.Event()

    def hear() -> None:
        heard.append("before")
        told.set()

    service.on_end(hear)
    service.start()
    service.stop(LONG)
    assert told.wait(LONG)
    service.on_end(lambda: heard.append("after"))
    assert heard == ["before", "after"]


def test_it_cannot_wait_for_its_own_end() -> None:
    class Selfish(ThreadService):
        def run(self) -> None:
            self.stop()

    service = Selfish("selfish")
    service.start()
    assert service.join(LONG)
    assert isinstance(service.failure, RuntimeError)


# --- groups


def test_children_start_in_order_and_stop_in_reverse() -> None:
    story: list[str] = []
    group = ServiceGroup("house", [Loop("one", story), Loop("two", story), Loop("three", story)])
    group.start()
    assert group.wait_ready(LONG)
    assert group.stop(LONG)
    assert story == ["one runs", "two runs", "three runs", "three ends", "two ends", "one ends"]
    assert (group.state, group.stuck) == (ServiceState.STOPPED, ())


def test_groups_may_be_children() -> None:
    story: list[str] = []
    group = ServiceGroup("house", [Loop("one", story), ServiceGroup("flat", [Loop("two", story)])])
    group.start()
    assert group.wait_ready(LONG)
    assert group.stop(LONG)
    assert story == ["one runs", "two runs", "two ends", "one ends"]


def test_a_group_stopped_before_it_started_starts_nothing() -> None:
    child = Loop()
    group = ServiceGroup("house", [child])
    assert group.stop(LONG)
    group.start()
    assert child.state is ServiceState.NEW


def test_a_child_that_fails_at_start_ends_the_others() -> None:
    story: list[str] = []
    last = Loop("last", story)
    group = ServiceGroup("house", [Loop("first", story), Failing(), last])
    group.start()
    with pytest.raises(ServiceFailed, match="house failed"):
        group.wait_ready(LONG)
    assert group.join(LONG)
    assert str(group.failure) == "the service failing failed"
    assert story == ["first runs", "first ends"]
    assert last.state is ServiceState.STOPPED


def test_a_child_that_fails_later_ends_the_group() -> None:
    failing = Failing(first_ready=True)
    other = Loop()
    group = ServiceGroup("house", [other, failing])
    group.start()
    assert group.wait_ready(LONG)
    failing.now.set()
    assert group.join(LONG)
    assert group.state is ServiceState.FAILED
    assert group.failure is not None
    assert isinstance(group.failure.__cause__, OSError)
    assert other.state is ServiceState.STOPPED


def test_a_child_that_is_never_ready() -> None:
    group = ServiceGroup("house", [NeverReady()], ready_seconds=0.01)
    group.start()
    assert group.join(LONG)
    assert str(group.failure) == "the service slow was not ready within 0.01 s"


def test_stopping_while_a_child_starts() -> None:
    slow = NeverReady()
    group = ServiceGroup("house", [slow, Loop("after")])
    group.start()
    assert slow.began.wait(LONG)
    assert group.stop(LONG)
    assert group.state is ServiceState.STOPPED


def test_stopping_at_any_moment_of_the_start() -> None:
    for _ in range(200):
        group = ServiceGroup("house", [NeverReady("one"), NeverReady("two")])
        thread = threading.Thread(target=group.start)
        thread.start()
        assert group.stop(LONG)
        thread.join(LONG)
        assert group.state is ServiceState.STOPPED


def test_the_group_ends_when_all_children_did_as_they_may() -> None:
    group = ServiceGroup("house", [Short("one"), Short("two")])
    assert group.may_end
    group.start()
    assert group.join(LONG)
    assert group.state is ServiceState.STOPPED


def test_what_does_not_stop_is_named_and_the_others_are_asked() -> None:
    first, deaf = Loop("first"), Deaf()
    group = ServiceGroup("house", [first, deaf], stop_seconds=0.1)
    group.start()
    assert group.wait_ready(LONG)
    assert group.stop(LONG)
    assert group.stuck == ("deaf",)
    assert first.state is ServiceState.STOPPED
    deaf.let_go.set()
    assert deaf.join(LONG)


def test_a_child_whose_stop_raises_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Loop):
        def wake(self) -> None:
            raise AttributeError("no listener")

    first = Loop("first")
    group = ServiceGroup("house", [first, Broken("broken")])
    group.start()
    assert group.wait_ready(LONG)
    assert group.stop(LONG)
    assert first.state is ServiceState.STOPPED
    assert "service_stop_failed" in caplog.messages


# --- the main of a process


def signalling(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


class Then(Loop):
    """Does something once it is ready."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__("then")
        self.then = then

    def run(self) -> None:
        self.ready()
        self.then()
        self.stopping.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_process_in_order(number: int) -> None:
    handlers = [signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)]
    story: list[str] = []
    assert run_until_signal(ServiceGroup("main", [Loop("one", story), Then(signalling(number))])) == ExitCode.STOPPED
    assert story == ["one runs", "one ends"]
    assert [signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)] == handlers


def test_a_signal_while_starting() -> None:
    class Starting(NeverReady):
        def run(self) -> None:
            signalling(signal.SIGTERM)()
            super().run()

    assert run_until_signal(ServiceGroup("main", [Starting()])) == ExitCode.STOPPED


def test_a_failed_service_is_a_non_zero_code() -> None:
    failing = Failing(first_ready=True)
    failing.now.set()
    assert run_until_signal(ServiceGroup("main", [Loop(), failing])) == ExitCode.FAILED


def test_done_is_zero() -> None:
    assert run_until_signal(ServiceGroup("main", [Short("short")])) == ExitCode.STOPPED


def test_stuck_has_its_own_code() -> None:
    deaf = Deaf()
    group = ServiceGroup("main", [deaf, Then(signalling(signal.SIGTERM))], stop_seconds=0.1)
    assert run_until_signal(group) == ExitCode.STUCK
    deaf.let_go.set()
    assert deaf.join(LONG)


def test_no_virtual_clock_in_a_serving_process() -> None:
    caught: list[type[BaseException]] = []

    def use() -> None:
        try:
            VirtualClock()
        except VirtualClockInProduction as error:
            caught.append(type(error))
        signalling(signal.SIGTERM)()

    assert run_until_signal(ServiceGroup("main", [Then(use)])) == ExitCode.STOPPED
    assert caught == [VirtualClockInProduction]


def test_only_in_the_main_thread() -> None:
    errors: list[str] = []

    def call() -> None:
        try:
            run_until_signal(ServiceGroup("main", [Short("short")]))
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(LONG)
    assert errors == ["run_until_signal must be called from the main thread of the process"]


DEAF = """
import signal, sys
from tradewind.kernel.service import ServiceGroup, ThreadService, run_until_signal

SIGNALS = {signal.SIGTERM, signal.SIGINT}

class Deaf(ThreadService):
    def run(self):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self.ready()
        print("ready", flush=True)
        self.stopping.wait()
        print("asked", flush=True)
        sys.stdin.read()

if sys.argv[1] == "another":
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
sys.exit(run_until_signal(ServiceGroup("main", [Deaf("deaf")], stop_seconds=3600)))
"""


@pytest.mark.parametrize("thread", ["any", "another"])
def test_the_second_signal_ends_the_process_at_once(thread: str) -> None:
    """Whichever thread the kernel gives the signals to: the main thread sleeps in a system call meanwhile."""
    with subprocess.Popen(
        [sys.executable, "-c", DEAF, thread], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "asked\n"
            process.send_signal(signal.SIGINT)
            assert process.wait(LONG) == 128 + signal.SIGINT
        finally:
            process.kill()
