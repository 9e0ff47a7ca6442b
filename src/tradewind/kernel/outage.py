"""A trouble that lasts: told when it begins and when it is over, not each time it is met.

self._outage = Outage(log, "database_unavailable", "database_reached_again")
try:
    ...
except Unavailable as error:
    self._outage.met(error=str(error), again_in_seconds=pause)
else:
    self._outage.over()
"""

from __future__ import annotations

from tradewind.kernel.log import EventLogger


class Outage:
    """Of one thing, as one part of the system meets it. Belongs to one thread.

    Parameters:
        log: where it is told.
        begins: name of the event that tells its beginning, as a warning; each further meeting is told for debugging.
        ends: name of the event that tells its end.
    """

    __slots__ = ("_begins", "_ends", "_log", "_times")

    def __init__(self, log: EventLogger, begins: str, ends: str) -> None:
        self._log = log
        self._begins = begins
        self._ends = ends
        self._times = 0

    @property
    def lasts(self) -> bool:
        """It was met, and is not over."""
        return self._times > 0

    def met(self, **fields: object) -> None:
        """The trouble is there."""
        self._times += 1
        tell = self._log.warning if self._times == 1 else self._log.debug
        tell(self._begins, **fields)

    def over(self, **fields: object) -> None:
        """It is not, or not any more. Costs nothing when it never was."""
        if self._times:
            self._log.info(self._ends, times_met=self._times, **fields)
            self._times = 0
