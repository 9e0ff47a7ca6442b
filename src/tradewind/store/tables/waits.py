"""Tasks that wait without a process: for a trigger, for a person. Runs that wait for their retry."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Table, text

from tradewind.ports.hitl_rows import HitlRow
from tradewind.ports.run_retries import RunRetryRow
from tradewind.ports.trigger_rows import TriggerRow, TriggerState

from .columns import columns_of
from .metadata import METADATA, one_of

trigger_row = Table(
    "trigger_row",
    METADATA,
    *columns_of(TriggerRow, key=("token",), nullable=("version_id",)),
    CheckConstraint(one_of("state", TriggerState), name="state"),
)
Index("ix_trigger_row_ti_id", trigger_row.c.ti_id)
_FREE = text("state = 'waiting' AND triggerer IS NULL AND classpath <> ''")
Index("ix_trigger_row_free", trigger_row.c.created_at, sqlite_where=_FREE, postgresql_where=_FREE)
_HOSTED = text("state <> 'fired' AND triggerer IS NOT NULL")
Index("ix_trigger_row_hosted", trigger_row.c.triggerer, sqlite_where=_HOSTED, postgresql_where=_HOSTED)

run_retry = Table("run_retry", METADATA, *columns_of(RunRetryRow, key=("run_key",)))

hitl_detail = Table(
    "hitl_detail",
    METADATA,
    *columns_of(HitlRow, key=("token",), nullable=("options", "defaults", "chosen_options")),
    Index("ix_hitl_detail_ti_id", "ti_id"),
)
_OPEN = text("responded_at IS NULL")
Index("ix_hitl_detail_open", hitl_detail.c.created_at, sqlite_where=_OPEN, postgresql_where=_OPEN)
