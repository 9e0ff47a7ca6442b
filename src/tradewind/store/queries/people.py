# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Users, roles, tokens, sessions and the audit log. Secrets arrive here as hashes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tradewind.ports.people_rows import ApiTokenRow, AuditRow, RoleRow, SessionRow
from tradewind.ports.rows import UserRow
from tradewind.store.codec import API_TOKEN, AUDIT, ROLE, SESSION, USER
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement, upsert_tail

_ROLE_TAIL = upsert_tail(ROLE, ("name",))
_TOKEN_TAIL = upsert_tail(API_TOKEN, ("token_id",))
_SESSION_TAIL = upsert_tail(SESSION, ("session_id",))
_AUDIT_COLUMNS = tuple((name, kind) for name, kind in AUDIT.kinds.items() if name != "event_id")


@statement
def user_list(_: Dialect) -> str:
    return f"SELECT {USER.select('u')} FROM user_account u ORDER BY u.username"


@statement
def user_delete(_: Dialect) -> str:
    return "DELETE FROM user_account WHERE username = :username RETURNING username"


@statement
def of_user_delete(_: Dialect, table: str) -> str:
    return f"DELETE FROM {table} WHERE username = :username RETURNING username"


@statement
def role_get(_: Dialect) -> str:
    return f"SELECT {ROLE.select('r')} FROM role r WHERE r.name = :name"


@statement
def role_list(_: Dialect) -> str:
    return f"SELECT {ROLE.select('r')} FROM role r ORDER BY r.name"


@statement
def role_delete(_: Dialect) -> str:
    return "DELETE FROM role WHERE name = :name RETURNING name"


@statement
def api_token_get(_: Dialect) -> str:
    return f"SELECT {API_TOKEN.select('t')} FROM api_token t WHERE t.token_id = :token_id"


@statement
def api_token_list(_: Dialect, of_user: bool) -> str:
    which = "WHERE t.username = :username" if of_user else ""
    return f"SELECT {API_TOKEN.select('t')} FROM api_token t {which} ORDER BY t.created_at DESC, t.token_id"


@statement
def session_get(_: Dialect) -> str:
    return f"SELECT {SESSION.select('s')} FROM web_session s WHERE s.session_id = :session_id"


@statement
def session_list(_: Dialect) -> str:
    return f"""SELECT {SESSION.select("s")} FROM web_session s WHERE s.username = :username
               ORDER BY s.created_at DESC, s.session_id"""


@statement
def session_delete(_: Dialect) -> str:
    return "DELETE FROM web_session WHERE session_id = :session_id RETURNING session_id"


@statement
def session_prune(_: Dialect) -> str:
    return """DELETE FROM web_session WHERE session_id IN (
                  SELECT s.session_id FROM web_session s WHERE s.expires_at < :now ORDER BY s.expires_at LIMIT :limit
              ) RETURNING session_id"""


@statement
def audit_list(_: Dialect, filters: tuple[str, ...]) -> str:
    conditions = {
        "event": "a.event = :event",
        "actor": "a.actor = :actor",
        "dag_id": "a.dag_id = :dag_id",
        "since": "a.at >= :since",
        "until": "a.at < :until",
        "before_id": "a.event_id < :before_id",
    }
    which = " AND ".join(conditions[name] for name in filters) or "true"
    return f"SELECT {AUDIT.select('a')} FROM audit_log a WHERE {which} ORDER BY a.event_id DESC LIMIT :limit"


@statement
def audit_prune(_: Dialect) -> str:
    return """DELETE FROM audit_log WHERE event_id IN (
                  SELECT a.event_id FROM audit_log a WHERE a.at < :before ORDER BY a.at LIMIT :limit
              ) RETURNING event_id"""


@statement
def dag_scopes(_: Dialect) -> str:
    return "SELECT d.dag_id, d.tags, d.bundle, d.access FROM dag d"


class PeopleQueries(Work):
    """See `ports.people.PeopleTx`."""

    def user_list(self) -> list[UserRow]:
        return self._read_all(USER, user_list(self._dialect))

    def user_delete(self, username: str) -> bool:
        for table in ("api_token", "web_session"):
            self._rows(of_user_delete(self._dialect, table), username=username)
        return bool(self._rows(user_delete(self._dialect), username=username))

    def role_get(self, name: str) -> RoleRow | None:
        return self._read_one(ROLE, role_get(self._dialect), name=name)

    def role_list(self) -> list[RoleRow]:
        return self._read_all(ROLE, role_list(self._dialect))

    def role_put(self, row: RoleRow) -> None:
        self._insert(ROLE, [row], _ROLE_TAIL)

    def role_delete(self, name: str) -> bool:
        return bool(self._rows(role_delete(self._dialect), name=name))

    def api_token_get(self, token_id: str) -> ApiTokenRow | None:
        return self._read_one(API_TOKEN, api_token_get(self._dialect), token_id=token_id)

    def api_token_list(self, username: str | None = None) -> list[ApiTokenRow]:
        params = {} if username is None else {"username": username}
        return self._read_all(API_TOKEN, api_token_list(self._dialect, username is not None), **params)

    def api_token_put(self, row: ApiTokenRow) -> None:
        self._insert(API_TOKEN, [row], _TOKEN_TAIL)

    def session_get(self, session_id: str) -> SessionRow | None:
        return self._read_one(SESSION, session_get(self._dialect), session_id=session_id)

    def session_list(self, username: str) -> list[SessionRow]:
        return self._read_all(SESSION, session_list(self._dialect), username=username)

    def session_put(self, row: SessionRow) -> None:
        self._insert(SESSION, [row], _SESSION_TAIL)

    def session_delete(self, session_id: str) -> bool:
        return bool(self._rows(session_delete(self._dialect), session_id=session_id))

    def session_delete_of(self, username: str) -> int:
        return len(self._rows(of_user_delete(self._dialect, "web_session"), username=username))

    def session_prune(self, now: datetime, limit: int) -> int:
        return len(self._rows(session_prune(self._dialect), now=self._instant(now), limit=limit))

    def audit_put(self, rows: Sequence[AuditRow]) -> None:
        if rows:
            place = AUDIT.columns.index("event_id")
            encoded = [AUDIT.encode(self._dialect, row) for row in rows]
            for values in encoded:
                del values[place]
            self._session.insert(AUDIT.table, _AUDIT_COLUMNS, encoded)

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
        given: dict[str, Any] = {
            "event": event,
            "actor": actor,
            "dag_id": dag_id,
            "since": self._instant(since),
            "until": self._instant(until),
            "before_id": before_id,
        }
        params = {name: value for name, value in given.items() if value is not None}
        return self._read_all(AUDIT, audit_list(self._dialect, tuple(params)), limit=limit, **params)

    def audit_prune(self, before: datetime, limit: int) -> int:
        return len(self._rows(audit_prune(self._dialect), before=self._instant(before), limit=limit))

    def dag_scopes(self) -> list[tuple[str, tuple[str, ...], str, tuple[str, ...]]]:
        names = self._dialect.decoders.get(Kind.NAMES, tuple)
        return [
            (dag_id, names(tags) if tags else (), bundle, names(access) if access else ())
            for dag_id, tags, bundle, access in self._rows(dag_scopes(self._dialect))
        ]
