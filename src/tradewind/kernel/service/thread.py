"""A service that is a loop in a thread of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from tradewind.kernel.log import get_logger
from tradewind.kernel.service.port import Life, ServiceFailed, ServiceState


class ThreadService(ABC):
    """Subclasses write `run`: set up, call `self.ready()`, loop until `self.stopping` is set, clean up, return.

        def __init__(self, doorbell: Doorbell) -> None:
            super().__init__("scheduler-loop")
            self._listener = doorbell.listen(["inbox"])

        def run(self) -> None:
            with self._listener:
                self.ready()
                while not self.stopping.is_set():
                    self._turn(self._listener.wait(self._poll_seconds))

        def wake(self) -> None:
            self._listener.interrupt()

    An error that leaves `run` is logged once, here, and ends the service as FAILED; so does returning without having
    been asked to, unless `may_end`.

    Parameters:
        name: what it is, for operators; also the name of its thread.
    """

    may_end = False

    def __init__(self, name: str) -> None:
        self._name = name
        self._life = Life(name)
        self._log = get_logger("service", service=name)
        # A daemon: a thread that does not stop must not keep its process from ending.
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self.stopping = threading.Event()
        """Set once it has been asked to stop."""

    @abstractmethod
    def run(self) -> None:
        """The whole work, in the service's thread."""

    def wake(self) -> None:  # noqa: B027 # nothing to do for a loop that waits on `stopping`
        """Interrupt whatever `run` waits for; called after `stopping` is set, from another thread, perhaps before
        `run` has begun: what it touches is made in the constructor."""

    def ready(self) -> None:
        """To be called by `run` when it can do its work."""
        if self._life.become_ready():
            self._log.debug("service_ready")

    @property
    def name(self) -> str:
        return self._name

    @property
    def state(self) -> ServiceState:
        return self._life.state

    @property
    def failure(self) -> BaseException | None:
        return self._life.failure

    def start(self) -> None:
        if self._life.begin():
            self._thread.start()

    def wait_ready(self, timeout_seconds: float | None = None) -> bool:
        return self._life.wait_ready(timeout_seconds)

    def request_stop(self) -> None:
        if self._life.ask_to_stop():
            self.stopping.set()
            self.wake()

    def join(self, timeout_seconds: float | None = None) -> bool:
        if threading.current_thread() is self._thread:
            raise RuntimeError(f"the service {self._name} cannot wait for its own end; call request_stop() instead")
        return self._life.join(timeout_seconds)

    def stop(self, timeout_seconds: float | None = None) -> bool:
        """`request_stop`, then `join`."""
        self.request_stop()
        return self.join(timeout_seconds)

    def on_end(self, callback: Callable[[], None]) -> None:
        self._life.on_end(callback)

    def _live(self) -> None:
        failure: BaseException | None = None
        try:
            self.run()
        except BaseException as error:  # the boundary of the service: SystemExit too must not pass unseen
            failure = error
            self._log.error("service_failed", error=error)
        else:
            if not self.stopping.is_set() and not self.may_end:
                failure = ServiceFailed(self._name, "ended though nobody asked it to")
                self._log.error("service_ended_unasked")
        self._life.end(failure)
