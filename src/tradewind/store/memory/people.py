"""Users, roles, tokens, sessions and the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from tradewind.ports.people_rows import ApiTokenRow, AuditRow, RoleRow, SessionRow
from tradewind.ports.rows import UserRow

from .unit import Unit


class PeoplePart(Unit):
    """`ports.people.PeopleTx`."""

    def user_list(self) -> list[UserRow]:
        return sorted(self._data.users, key=lambda row: row.username)

    def user_delete(self, username: str) -> bool:
        journal = self._write("user_delete")
        for token in self.api_token_list(username):
            self._data.api_tokens.delete(journal, token.token_id)
        self.session_delete_of(username)
        return self._data.users.delete(journal, username) is not None

    def role_get(self, name: str) -> RoleRow | None:
        return self._data.roles.get(name)

    def role_list(self) -> list[RoleRow]:
        return sorted(self._data.roles, key=lambda row: row.name)

    def role_put(self, row: RoleRow) -> None:
        self._data.roles.put(self._write("role_put"), row.name, row)

    def role_delete(self, name: str) -> bool:
        return self._data.roles.delete(self._write("role_delete"), name) is not None

    def api_token_get(self, token_id: str) -> ApiTokenRow | None:
        return self._data.api_tokens.get(token_id)

    def api_token_list(self, username: str | None = None) -> list[ApiTokenRow]:
        found = [row for row in self._data.api_tokens if username is None or row.username == username]
        return sorted(sorted(found, key=lambda row: row.token_id), key=lambda row: row.created_at, reverse=True)

    def api_token_put(self, row: ApiTokenRow) -> None:
        self._data.api_tokens.put(self._write("api_token_put"), row.token_id, row)

    def session_get(self, session_id: str) -> SessionRow | None:
        return self._data.sessions.get(session_id)

    def session_list(self, username: str) -> list[SessionRow]:
        found = sorted((row for row in self._data.sessions if row.username == username), key=lambda row: row.session_id)
        return sorted(found, key=lambda row: row.created_at, reverse=True)

    def session_put(self, row: SessionRow) -> None:
        self._data.sessions.put(self._write("session_put"), row.session_id, row)

    def session_delete(self, session_id: str) -> bool:
        return self._data.sessions.delete(self._write("session_delete"), session_id) is not None

    def session_delete_of(self, username: str) -> int:
        journal = self._write("session_delete_of")
        found = self.session_list(username)
        for row in found:
            self._data.sessions.delete(journal, row.session_id)
        return len(found)

    def session_prune(self, now: datetime, limit: int) -> int:
        journal = self._write("session_prune")
        over = sorted((row for row in self._data.sessions if row.expires_at < now), key=lambda row: row.expires_at)
        for row in over[:limit]:
            self._data.sessions.delete(journal, row.session_id)
        return len(over[:limit])

    def audit_put(self, rows: Sequence[AuditRow]) -> None:
        journal = self._write("audit_put")
        for row in rows:
            number = max(self._data.audit.rows, default=0) + 1
            self._data.audit.put(journal, number, replace(row, event_id=number))

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
        found = [
            row
            for row in self._data.audit
            if (event is None or row.event == event)
            and (actor is None or row.actor == actor)
            and (dag_id is None or row.dag_id == dag_id)
            and (since is None or row.at >= since)
            and (until is None or row.at < until)
            and (before_id is None or row.event_id < before_id)
        ]
        return sorted(found, key=lambda row: row.event_id, reverse=True)[:limit]

    def audit_prune(self, before: datetime, limit: int) -> int:
        journal = self._write("audit_prune")
        old = sorted((row for row in self._data.audit if row.at < before), key=lambda row: row.at)[:limit]
        for row in old:
            self._data.audit.delete(journal, row.event_id)
        return len(old)

    def dag_scopes(self) -> list[tuple[str, tuple[str, ...], str, tuple[str, ...]]]:
        return [(row.dag_id, row.tags, row.bundle, row.access) for row in self._data.dags]
