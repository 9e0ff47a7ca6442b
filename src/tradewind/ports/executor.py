"""The port of executors: they carry workloads to agents. Plug now: `executors.local`; exam:
`tests/conformance/executor_exam.py`.

Rules:
- Submitting the same token twice starts it once.
- An executor never decides a state: what it learns it tells as events; agents report outcomes to the execution face
  themselves.
- Methods do not block on the other side being slow; `submit` accepts while there is capacity and keeps what could not
  be delivered yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from tradewind.wire.workload import Workload


class Returned(msgspec.Struct, frozen=True):
    """A workload that was not begun and never will be by this submission (agent full, shutting down, refused): the
    owner queues it again.
    """

    token: str
    reason: str


class Executor(Protocol):
    """Carries workloads."""

    name: str
    """As tasks name it (`executor="local"`)."""

    def start(self) -> None: ...
    def stop(self, deadline_seconds: float) -> None:
        """Stop carrying. Running attempts are left alone: their agent outlives the scheduler."""

    def capacity(self) -> int:
        """How many more attempts may be submitted now (`core.parallelism` less what is in hand). An unreachable agent
        does not lower it.
        """

    def grantee(self) -> str | None:
        """Incarnation of the one agent that everything submitted now goes to, None when there is no such agent or it is
        not reachable. An attempt queued for it is granted in advance: it begins without waiting for the answer to its
        claim, because nobody else can have its token.
        """

    def occupy(self, tokens: Iterable[str]) -> None:
        """Attempts that are in hand already (take-over): they count against the capacity, and are resubmitted by the
        owner when the agent does not know them.
        """

    def submit(self, workloads: Sequence[Workload]) -> None: ...
    def cancel(self, tokens: Iterable[str], reason: str) -> None:
        """Stop these attempts (SIGTERM, on_kill, SIGKILL after the grace). Unknown ones are remembered for a while so
        that a late submission does not start.
        """

    def release(self, tokens: Iterable[str]) -> None:
        """The owner has seen the end of these attempts: their capacity is free. Unknown ones are fine."""

    def unknown(self, tokens: Iterable[str]) -> set[str]:
        """Those that no reachable agent has in hand (empty while the agent cannot be asked)."""

    def events(self) -> list[Returned]:
        """What happened since the last call; never blocks. `fileno`-less: the executor calls the `wake` it was made
        with.
        """
