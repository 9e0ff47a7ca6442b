"""Several services that live together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from tradewind.kernel.log import get_logger
from tradewind.kernel.service.port import ENDED, Deadline, Life, Service, ServiceFailed, ServiceState

# How much of the time for stopping is spent on one child after the other; the rest is for those not asked by then.
_ORDERLY_SHARE = 0.8


class ServiceGroup:
    """Starts its children in order, each when the one before is ready; stops them in reverse.

    A child that fails, or ends unasked, ends the whole group: the others are stopped and the group is FAILED. When all
    children ended by themselves as they may, the group has STOPPED.

    Parameters:
        name: what it is, for operators.
        children: the services, in the order of starting.
        ready_seconds: how long each child may take to become ready.
        stop_seconds: how long stopping all may take; what has not stopped then is left behind and named.
    """

    def __init__(
        self, name: str, children: Sequence[Service], *, ready_seconds: float = 30.0, stop_seconds: float = 10.0
    ) -> None:
        self._name = name
        self._children = tuple(children)
        self._ready_seconds = ready_seconds
        self._stop_seconds = stop_seconds
        self._life = Life(name)
        self._log = get_logger("service", group=name)
        self._something_ended = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"{name}-group", daemon=True)
        self._stuck: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self._name

    @property
    def may_end(self) -> bool:
        return all(child.may_end for child in self._children)

    @property
    def state(self) -> ServiceState:
        return self._life.state

    @property
    def failure(self) -> BaseException | None:
        return self._life.failure

    @property
    def stuck(self) -> tuple[str, ...]:
        """Names of the children that had not stopped when the time was over; known once the group has ended."""
        return self._stuck

    def start(self) -> None:
        if self._life.begin():
            self._thread.start()

    def wait_ready(self, timeout_seconds: float | None = None) -> bool:
        return self._life.wait_ready(timeout_seconds)

    def request_stop(self) -> None:
        if self._life.ask_to_stop():
            self._something_ended.set()
            # A child that is being waited for to become ready would hold up the stop; it may as well begin to stop.
            for child in self._children:
                if child.state is ServiceState.STARTING:
                    child.request_stop()

    def join(self, timeout_seconds: float | None = None) -> bool:
        return self._life.join(timeout_seconds)

    def stop(self, timeout_seconds: float | None = None) -> bool:
        """`request_stop`, then `join`."""
        self.request_stop()
        return self.join(timeout_seconds)

    def on_end(self, callback: Callable[[], None]) -> None:
        self._life.on_end(callback)

    def _live(self) -> None:
        failure: BaseException | None
        try:
            failure = self._start_children() or self._watch_children()
        except BaseException as error:  # an error of our own must not leave the owner waiting for the end
            failure = error
            self._log.error("group_failed", error=error)
        self._stuck = self._stop_children()
        self._life.end(failure)

    def _start_children(self) -> ServiceFailed | None:
        for child in self._children:
            if self._asked_to_stop():
                return None
            child.on_end(self._something_ended.set)
            child.start()
            if self._asked_to_stop():
                child.request_stop()  # asked after the look above and before the child was STARTING
            try:
                if not child.wait_ready(self._ready_seconds) and child.state is ServiceState.STARTING:
                    self._log.error("service_not_ready", service=child.name, seconds=self._ready_seconds)
                    return ServiceFailed(child.name, f"was not ready within {self._ready_seconds:g} s")
            except ServiceFailed as failure:
                return failure
        self._life.become_ready()
        return None

    def _watch_children(self) -> ServiceFailed | None:
        while True:
            if self._asked_to_stop():
                return None
            for child in self._children:
                if child.state is ServiceState.FAILED:
                    failure = ServiceFailed(child.name, "failed")
                    failure.__cause__ = child.failure
                    return failure
            if all(child.state in ENDED for child in self._children):
                return None
            self._something_ended.wait()
            self._something_ended.clear()

    def _asked_to_stop(self) -> bool:
        return self._life.state is ServiceState.STOPPING

    def _stop_children(self) -> tuple[str, ...]:
        orderly, all_of_it = Deadline(self._stop_seconds * _ORDERLY_SHARE), Deadline(self._stop_seconds)
        for child in reversed(self._children):
            try:
                child.request_stop()
            except Exception as error:  # the others must be asked all the same; this one shows as stuck
                self._log.error("service_stop_failed", service=child.name, error=error)
            child.join(orderly.remaining())
        stuck = tuple(child.name for child in self._children if not child.join(all_of_it.remaining()))
        if stuck:
            self._log.error("services_stuck", services=", ".join(stuck), seconds=self._stop_seconds)
        return stuck
