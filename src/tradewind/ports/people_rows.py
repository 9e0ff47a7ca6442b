"""Rows of people: roles, API tokens, browser sessions, and the log of what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class RoleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A role that people made, or what people granted to `Public`."""

    name: str
    description: str | None = None
    grants: tuple[str, ...] = ()
    """Texts as `domain.permissions.parse_grant` reads them."""
    created_at: datetime | None = None


class ApiTokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """An API token: long-lived, of one user, shown once. Only a hash of its secret half is kept."""

    token_id: str
    """Its public half."""
    name: str
    """For people: what it is used for."""
    username: str
    secret_hash: str
    scopes: tuple[str, ...] = ()
    """Grants it is bounded by; none: everything its owner may do."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    """To the minute."""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody signed in with a browser. The cookie holds the secret of which `session_id` is the hash."""

    session_id: str
    username: str
    mark: str
    """Of the user's password and epoch then (`commands.users.password_mark`): a new password ends it."""
    means: str
    """How he signed in: password or oidc."""
    created_at: datetime
    seen_at: datetime
    """To the minute."""
    expires_at: datetime
    address: str | None = None
    user_agent: str | None = None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person, or a token on behalf of one, changed."""

    event_id: int = 0
    """Rises with each; given by the database."""
    at: datetime
    event: str
    """What was done, for example `set_connection` or `patch_dag`."""
    actor: str
    """User name; of the operating system for what was done with the command line on a server."""
    means: str
    """bearer, token, session or cli."""
    token_id: str | None = None
    address: str | None = None
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_path: str | None = None
    try_number: int | None = None
    thing: str | None = None
    """What is no DAG, run or task: `connection warehouse`, `role Finance`."""
    before: dict[str, Any] = {}
    """The object before, secrets masked."""
    after: dict[str, Any] = {}
    details: dict[str, Any] = {}
