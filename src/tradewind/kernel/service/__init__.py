"""The life of everything long-lived: start, ready, stop.

A service is a synchronous loop, usually in a thread of its own (`ThreadService`); a `ServiceGroup` is a service made of
named ones; `run_until_signal` is the main of a process that serves. Rules for every service:

- It lives once. `start` twice is once; `stop` before `start` means it never runs; stopping twice is once.
- It is ready when it can do its work, not when its thread exists.
- When it ends without being asked, because of an error or by itself, its owner hears of it. Whoever owns the process
  then ends it with a non-zero code, and the parent starts a new one: half a process is worse than none.
"""

from tradewind.kernel.service.group import ServiceGroup
from tradewind.kernel.service.main import ExitCode, run_until_signal
from tradewind.kernel.service.port import Service, ServiceFailed, ServiceState
from tradewind.kernel.service.thread import ThreadService

__all__ = [
    "Service",
    "ServiceState",
    "ServiceFailed",
    "ThreadService",
    "ServiceGroup",
    "run_until_signal",
    "ExitCode",
]
