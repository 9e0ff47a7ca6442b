"""What waits for delivery, and what tasks and assets remember."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table, UniqueConstraint, text

from tradewind.ports.outbox_rows import OutboxRow, OutboxState
from tradewind.ports.state_store_rows import StateRow, StateScope

from .columns import columns_of
from .metadata import METADATA, one_of

outbox = Table(
    "outbox",
    METADATA,
    *columns_of(OutboxRow, key=("id",)),
    CheckConstraint(one_of("state", OutboxState), name="state"),
    UniqueConstraint("delivery_key", name="uq_outbox_delivery_key"),
)
_PENDING = text("state = 'pending'")
Index("ix_outbox_due", outbox.c.due_at, outbox.c.id, sqlite_where=_PENDING, postgresql_where=_PENDING)
_DELIVERED = text("state = 'delivered'")
Index("ix_outbox_ended", outbox.c.ended_at, sqlite_where=_DELIVERED, postgresql_where=_DELIVERED)

state_store = Table(
    "state_store",
    METADATA,
    *columns_of(StateRow, key=("scope", "place", "key")),
    CheckConstraint(one_of("scope", StateScope), name="scope"),
)
_EXPIRING = text("expires_at IS NOT NULL")
Index("ix_state_store_expires", state_store.c.expires_at, sqlite_where=_EXPIRING, postgresql_where=_EXPIRING)
_OWNED = text("ti_id IS NOT NULL")
Index("ix_state_store_instance", state_store.c.ti_id, sqlite_where=_OWNED, postgresql_where=_OWNED)
