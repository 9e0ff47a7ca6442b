"""Files on their way through the parse host, and what happens when that process dies."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tradewind.kernel.log import get_logger
from tradewind.kernel.settings import Settings
from tradewind.runtime.agent_settings import task_environment
from tradewind.runtime.loop import Loop
from tradewind.runtime.parse import ParseHost
from tradewind.runtime.parse_words import ParseAnswer, ParseLimits, ParseOrder, ParseProblem
from tradewind.sdk.defaults import Defaults

from .backlog import Urgency
from .known import Contents

log = get_logger("processor")

_HOSTS_KILLED_MAX = 2
"""A file is given up when so many parse hosts died while they had no other."""
_PAUSE_SECONDS_MIN, _PAUSE_SECONDS_MAX = 0.1, 5.0


@dataclass(slots=True, eq=False)
class Ordered:
    """A file that the parse host has, or will have."""

    path: str
    disk: str
    """The file it lies in: itself, or its archive."""
    contents: Contents
    """The snapshot it is loaded from."""
    urgency: Urgency
    fingerprint: str
    """With the dependencies known before."""
    hosts_killed: int = 0
    superseded: bool = False
    """The file was saved again: the answer is not wanted any more."""


class Loading:
    """Orders files of the parse host and gives each order's answer. All in the loop's thread.

    When the host dies, another is started, and whatever the dead one had is loaded one by one: so the file that kills
    it is found, and no other has to suffer for it.

    Parameters:
        settings: sections processor and core.
        shown_root: what people call the folder of the files.
        preload: modules for the parse host, see `ParseHost`.
        on_ready: called when the first host can take orders; orders given before are kept.
        on_answer: called once for each order that was not superseded.
    """

    def __init__(
        self,
        loop: Loop,
        settings: Settings,
        shown_root: str,
        preload: Sequence[str],
        *,
        on_ready: Callable[[], None],
        on_answer: Callable[[Ordered, ParseAnswer], None],
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._shown_root = shown_root
        self._preload = preload
        self._on_ready = on_ready
        self._on_answer = on_answer
        self._number = 0
        self._ordered: dict[int, Ordered] = {}
        self._suspects: deque[int] = deque()
        self._suspect: int | None = None
        self._pause = _PAUSE_SECONDS_MIN
        self._host: ParseHost | None = None

    def __len__(self) -> int:
        return len(self._ordered)

    @property
    def under_way(self) -> list[Ordered]:
        """Orders whose answers are still to come and wanted."""
        return [one for one in self._ordered.values() if not one.superseded]

    def start(self) -> None:
        """Start a parse host."""
        options = self._settings.processor
        self._host = ParseHost(
            self._loop,
            environment=task_environment(self._settings.home, os.environ),
            limits=ParseLimits(
                processes_max=options.parse_processes_max,
                timeout_seconds=options.parse_timeout_seconds,
                memory_bytes_max=options.parse_memory_bytes_max,
                output_bytes_max=options.output_bytes_max,
            ),
            defaults=Defaults.of(self._settings.core),
            on_ready=self._on_ready,
            on_answer=self._take_answer,
            on_end=self._host_died,
            preload=self._preload,
        )

    def close(self) -> None:
        """End the host, and with it whatever is being loaded."""
        if self._host is not None:
            self._host.close()

    def begin(self, ordered: Ordered) -> None:
        """Have a file loaded; an earlier order of the same file is superseded."""
        for earlier in self._ordered.values():
            earlier.superseded |= earlier.path == ordered.path
        self._number += 1
        self._ordered[self._number] = ordered
        if self._suspect is not None:
            self._suspects.append(self._number)
        elif self._host is not None:  # otherwise it is given everything when it lives again
            self._submit(self._number)

    def _submit(self, number: int) -> None:
        assert self._host is not None
        ordered = self._ordered[number]
        self._host.submit(
            ParseOrder(
                number=number,
                tree=str(ordered.contents.snapshot.tree),
                file=ordered.path,
                shown_root=self._shown_root,
                urgent=ordered.urgency is Urgency.SAVED,
            )
        )

    def _take_answer(self, answer: ParseAnswer) -> None:
        ordered = self._ordered.pop(answer.number)
        if answer.number == self._suspect:
            self._next_suspect()
        if self._suspect is None:
            self._pause = _PAUSE_SECONDS_MIN
        if not ordered.superseded:
            self._on_answer(ordered, answer)

    def _host_died(self) -> None:
        log.error("parse_host_died", files=", ".join(sorted(one.path for one in self._ordered.values())))
        self._host = None
        self._loop.after(self._pause, self._go_on)
        self._pause = min(self._pause * 2, _PAUSE_SECONDS_MAX)

    def _go_on(self) -> None:
        self.start()
        guilty, self._suspect = self._suspect, None
        self._suspects = deque(self._ordered)
        if guilty is not None:
            self._blame(guilty)
        self._next_suspect()

    def _blame(self, number: int) -> None:
        ordered = self._ordered[number]
        ordered.hosts_killed += 1
        if ordered.hosts_killed < _HOSTS_KILLED_MAX:
            return
        self._suspects.remove(number)
        reason = "the process that loads DAG files dies whenever it has this one; run it with python to see why"
        problem = ParseProblem(message=reason, traceback=f"{ordered.path}: {reason}")
        self._take_answer(ParseAnswer(number=number, problems=(problem,)))

    def _next_suspect(self) -> None:
        self._suspect = self._suspects.popleft() if self._suspects else None
        if self._suspect is not None:
            self._submit(self._suspect)
