"""People in the database: users, roles, tokens, sessions, and the log of their doings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from .people_rows import ApiTokenRow, AuditRow, RoleRow, SessionRow
from .rows import UserRow


class PeopleTx(Protocol):
    """Who may sign in, and who did what."""

    def user_list(self) -> list[UserRow]:
        """By name."""

    def user_delete(self, username: str) -> bool:
        """With his tokens and sessions; what he did stays in the log."""

    def role_get(self, name: str) -> RoleRow | None: ...
    def role_list(self) -> list[RoleRow]:
        """By name; without the built-in ones."""

    def role_put(self, row: RoleRow) -> None: ...
    def role_delete(self, name: str) -> bool: ...

    def api_token_get(self, token_id: str) -> ApiTokenRow | None: ...
    def api_token_list(self, username: str | None = None) -> list[ApiTokenRow]:
        """Newest first; of everybody without `username`."""

    def api_token_put(self, row: ApiTokenRow) -> None: ...

    def session_get(self, session_id: str) -> SessionRow | None: ...
    def session_list(self, username: str) -> list[SessionRow]:
        """Newest first."""

    def session_put(self, row: SessionRow) -> None: ...
    def session_delete(self, session_id: str) -> bool: ...
    def session_delete_of(self, username: str) -> int:
        """All of one user; how many."""

    def session_prune(self, now: datetime, limit: int) -> int:
        """Forget up to `limit` sessions that ended before `now`; how many."""

    def audit_put(self, rows: Sequence[AuditRow]) -> None:
        """Append; `event_id` is given by the store."""

    def audit_list(
        self,
        *,
        event: str | None = None,
        actor: str | None = None,
        dag_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before_id: int | None = None,
        limit: int = 100,
    ) -> list[AuditRow]:
        """Newest first; `before_id` is the last id of the page before."""

    def audit_prune(self, before: datetime, limit: int) -> int:
        """Forget up to `limit` lines older than that; how many."""

    def dag_scopes(self) -> list[tuple[str, tuple[str, ...], str, tuple[str, ...]]]:
        """(dag_id, tags, bundle, access) of every DAG: what grants look at (`domain.permissions.DagScope`)."""
