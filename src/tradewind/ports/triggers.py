"""The part of a transaction about waits outside of processes: deferred tasks, and tasks that wait for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from .trigger_rows import TriggerFire, TriggerRow


class TriggerTx(Protocol):
    """Waits. `task_move` cancels those of instances that are stopped, cleared or marked by itself."""

    def trigger_put(self, rows: Sequence[TriggerRow]) -> None:
        """Insert; what was kept of earlier waits of these instances goes. Rings "triggers"."""

    def trigger_get_many(self, tokens: Iterable[str]) -> dict[str, TriggerRow]:
        """By token, in any state."""

    def trigger_list_fired(self, ti_ids: Iterable[str]) -> dict[str, TriggerRow]:
        """What instances that are to go on find, by ti_id."""

    def trigger_list_waiting(self, ti_ids: Iterable[str]) -> dict[str, TriggerRow]:
        """Waits that are not over, by ti_id."""

    def trigger_fire(self, fires: Sequence[TriggerFire]) -> list[str]:
        """waiting → fired; the tokens that moved. Whoever comes second moves nothing."""

    def trigger_claim(
        self, triggerer: str, limit: int, lease_seconds: float, queues: Sequence[str] | None = None
    ) -> list[TriggerRow]:
        """Give waiting triggers (not waits for people) that no live triggerer hosts to this one, oldest first. A
        triggerer is live while its component row was renewed within `lease_seconds` by the judge's clock.

        Parameters:
            queues: only triggers of these; None: of all.
        """

    def trigger_list_hosted(self, triggerer: str) -> list[str]:
        """Tokens of the waiting triggers this one hosts."""

    def trigger_take_cancelled(self, triggerer: str) -> list[str]:
        """Remove and return the tokens of cancelled triggers that this one hosts."""

    def trigger_release(self, triggerer: str) -> int:
        """Its triggers are for others (orderly stop); how many. Rings "triggers"."""

    def trigger_end(self, ti_ids: Iterable[str]) -> None:
        """These waits are over from outside: those that are hosted are cancelled, the others removed. Rings
        "triggers" where something has to be ended.
        """

    def trigger_forget(self, ti_ids: Iterable[str]) -> None:
        """Their tries are over: remove what was kept of their waits."""

    def trigger_count(self) -> dict[str | None, int]:
        """Waiting triggers by triggerer; None: nobody's yet."""
