"""What every duty is: a turn now and then."""

from __future__ import annotations

from abc import abstractmethod

from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.kernel.service import ThreadService
from tradewind.ports.store import Store
from tradewind.wire.errors import Unavailable


class Duty(ThreadService):
    """Takes a turn, rests, takes another. Trouble with the database is waited out; any other error ends the service.

    Parameters:
        name: what it is, for operators.
        rest_seconds: between two turns, when the turn does not say otherwise.
        first_rest_seconds: before the first turn; a process that starts has better things to do.
    """

    def __init__(self, name: str, store: Store, rest_seconds: float, first_rest_seconds: float | None = None) -> None:
        super().__init__(f"maintenance-{name}")
        self._store = store
        self._rest_seconds = rest_seconds
        self._first_rest_seconds = rest_seconds if first_rest_seconds is None else first_rest_seconds
        self.log = get_logger("maintenance", duty=name)
        self._outage = Outage(self.log, "database_unavailable", "database_reached_again")

    @abstractmethod
    def turn(self) -> float | None:
        """Do what there is to do; seconds to rest, None for the usual. Raises `Unavailable` without a database."""

    def run(self) -> None:
        self.ready()
        rest = self._first_rest_seconds
        while not self.stopping.wait(rest):
            rest = self._turn()

    def _turn(self) -> float:
        try:
            rest = self.turn()
        except Unavailable as error:
            self._outage.met(error=str(error), again_in_seconds=self._rest_seconds)
            return self._rest_seconds
        self._outage.over()
        return self._rest_seconds if rest is None else rest
