"""What happens when an agent falls silent: its attempts end as lost, on the infrastructure budget."""

from __future__ import annotations

from datetime import datetime, timedelta

from tradewind.domain.retry import RetryLimits
from tradewind.ports.rows import ComponentRow
from tradewind.ports.store import Transaction

from .attempts import Settlement
from .documents import Documents

GRANT_PATIENCE = timedelta(seconds=60)


def end_lost_agents(
    tx: Transaction, documents: Documents, now: datetime, lost_seconds: float, limits: RetryLimits
) -> list[ComponentRow]:
    """Remove agents whose heartbeat is older than `lost_seconds` by the database's clock, and end what they ran.

    Returns the removed agents. Attempts whose agent is not registered at all (a claim that arrived after its agent was
    declared lost) end the same way.
    """
    gone = tx.component_remove_lost("agent", lost_seconds)
    settlement = Settlement(tx, documents, now, limits)
    for agent in gone:
        for row in tx.task_list_of_agent(agent.id):
            settlement.lose(row, f"agent {agent.name} fell silent: no heartbeat for {lost_seconds:g} s")
    for row in tx.task_list_orphaned():
        # One that was just granted may be known to its agent before the agent is known here.
        if row.started_at is not None or row.queued_at is None or now - row.queued_at > GRANT_PATIENCE:
            settlement.lose(row, "the agent that ran it is gone")
    settlement.write()
    if gone:
        tx.ring("agents")
    return gone
