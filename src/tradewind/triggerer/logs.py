"""Lines of triggers go where the lines of their attempt went: appended to the same file, whole lines at a time."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.ports.logs import attempt_log
from tradewind.ports.trigger_rows import TriggerRow
from tradewind.runtime.attempt_log import append_lines
from tradewind.runtime.log_lines import cut, log_line

LINES_MAX = 10_000
"""Lines kept in memory between two writes; more are dropped and counted."""


class TriggerLogs:
    """Collects lines and writes them with `flush`.

    Parameters:
        folder: of all attempt logs (logs.folder).
    """

    def __init__(self, folder: Path, clock: Clock, line_bytes_max: int) -> None:
        self._folder = folder
        self._clock = clock
        self._line_bytes_max = line_bytes_max
        self._paths: dict[str, Path] = {}
        self._lines: dict[Path, list[bytes]] = defaultdict(list)
        self._count = 0
        self._dropped = 0
        self._outage = Outage(get_logger("triggerer"), "trigger_log_not_written", "trigger_logs_written_again")

    def open(self, row: TriggerRow) -> None:
        """From now on lines of this trigger have a place."""
        self._paths[row.token] = attempt_log(
            self._folder, row.dag_id, row.run_id, row.task_id, row.map_path, row.try_number
        )

    def close(self, token: str) -> None:
        self._paths.pop(token, None)

    def say(self, token: str, level: str, text: str) -> None:
        """A line of the triggerer's own."""
        self.raw(token, log_line(self._clock.now(), level, "agent", cut(text, self._line_bytes_max)))

    def raw(self, token: str, line: bytes) -> None:
        """An encoded line."""
        path = self._paths.get(token)
        if path is None:
            return
        if self._count >= LINES_MAX:
            self._dropped += 1
            return
        self._lines[path].append(line)
        self._count += 1

    def flush(self) -> None:
        """Write what waits."""
        if not self._count:
            return
        lines, self._lines, self._count = self._lines, defaultdict(list), 0
        if self._dropped:
            note = f"{self._dropped} lines of triggers are missing here: they came faster than they could be written"
            next(iter(lines.values())).append(log_line(self._clock.now(), "warning", "agent", note))
            self._dropped = 0
        for path, waiting in lines.items():
            try:
                append_lines(path, b"\n".join(waiting) + b"\n")
                self._outage.over()
            except OSError as error:
                self._outage.met(path=str(path), reason=str(error))
