"""Roles, API tokens, browser sessions, the audit log."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from tradewind.ports import people_rows
from tradewind.store.dialects.types import LINE

from .columns import columns_of
from .metadata import METADATA

role = Table("role", METADATA, *columns_of(people_rows.RoleRow, key=("name",)))

api_token = Table("api_token", METADATA, *columns_of(people_rows.ApiTokenRow, key=("token_id",)))
Index("ix_api_token_user", api_token.c.username)

# Not "session", which PostgreSQL's grammar would let pass but readers of logs would take for one of its own.
web_session = Table("web_session", METADATA, *columns_of(people_rows.SessionRow, key=("session_id",)))
Index("ix_web_session_user", web_session.c.username)
Index("ix_web_session_end", web_session.c.expires_at)

_event_id, *_others = columns_of(people_rows.AuditRow, key=("event_id",))
audit_log = Table(
    "audit_log",
    METADATA,
    Column("event_id", LINE, primary_key=True, autoincrement=True),
    *_others,
    sqlite_autoincrement=True,
)
Index("ix_audit_log_at", audit_log.c.at)
Index("ix_audit_log_dag", audit_log.c.dag_id, audit_log.c.event_id)
Index("ix_audit_log_actor", audit_log.c.actor, audit_log.c.event_id)
