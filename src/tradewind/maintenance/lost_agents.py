"""Agents that fell silent: their attempts end as lost, on the infrastructure budget.

Silence proves something only while agents can be heard. They speak to an API server, so an agent is judged only after
an API server has been seen alive, without a gap, for as long as an agent may be silent. While all API servers, or the
database, are away, nobody is lost; when they are back, agents have that long to be heard again.
"""

from __future__ import annotations

from datetime import timedelta

from tradewind.commands.documents import Documents
from tradewind.commands.lost import end_lost_agents
from tradewind.domain.retry import RetryLimits
from tradewind.kernel.clock import Clock
from tradewind.ports.rows import ComponentRow
from tradewind.ports.store import Store
from tradewind.wire.errors import Unavailable

from .duty import Duty

_LOOKS_PER_LOSS = 5
"""How often it looks while an agent becomes lost: what a gap of the API servers is noticed by."""


class LostAgents(Duty):
    """Ends what lost agents ran.

    Parameters:
        clock: measures how long API servers have been alive; how old heartbeats are is judged by the database.
        lost_seconds: agent.lost_seconds. API servers send several heartbeats in half of it (`server.presence`).
        infrastructure_retries_max: core.infrastructure_retries_max.
    """

    def __init__(self, store: Store, clock: Clock, lost_seconds: float, infrastructure_retries_max: int) -> None:
        super().__init__("lost-agents", store, lost_seconds / _LOOKS_PER_LOSS, first_rest_seconds=0.0)
        self._clock = clock
        self._lost_seconds = lost_seconds
        self._limits = RetryLimits(infrastructure_tries_max=infrastructure_retries_max)
        self._documents = Documents()
        self._heard_since: float | None = None
        self._looked_at = clock.monotonic()

    def turn(self) -> float | None:
        try:
            work = self._look()
        except Unavailable:
            self._heard_since = None
            raise
        if work:
            self._end()
        return None

    def _look(self) -> bool:
        """Whether there is something to end; a read only, which is all that happens while everybody is well."""
        with self._store.read() as tx:
            components = tx.component_list()
            # Half of what an agent has: so the silence of API servers shows before that of agents.
            fresh = tx.now() - timedelta(seconds=self._lost_seconds / 2)
            if not any(row.kind == "api-server" and row.heartbeat_at >= fresh for row in components):
                self._heard_since = None
                return False
            stale = tx.now() - timedelta(seconds=self._lost_seconds)
            silent = any(row.kind == "agent" and row.heartbeat_at < stale for row in components)
            work = silent or bool(tx.task_list_orphaned())
        now = self._clock.monotonic()
        # A look that came late is a gap too: the database may have answered nobody since the one before.
        if self._heard_since is None or now - self._looked_at > self._lost_seconds / 2:
            self._heard_since = now
        self._looked_at = now
        return work and now - self._heard_since >= self._lost_seconds

    def _end(self) -> None:
        gone: list[ComponentRow] = []
        with self._store.begin() as tx:
            gone = end_lost_agents(tx, self._documents, tx.now(), self._lost_seconds, self._limits)
        for agent in gone:
            self.log.warning("agent_lost", agent=agent.name, incarnation=agent.id, host=agent.hostname)
