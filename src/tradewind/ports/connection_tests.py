"""Tests of connections that somebody asked for and will ask about again. Offered by the SQL store only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec


class TestState(StrEnum):
    """Where a test stands. Airflow's names."""

    __test__ = False  # no test of pytest

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class ConnectionTestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One test."""

    token: str
    """Random: who knows it may see the result."""
    conn_id: str
    state: TestState = TestState.QUEUED
    message: str | None = None
    created_at: datetime
    ended_at: datetime | None = None


class ConnectionTestTx(Protocol):
    """Tests by token."""

    def connection_test_put(self, row: ConnectionTestRow) -> None:
        """Insert or replace."""
        ...

    def connection_test_get(self, token: str) -> ConnectionTestRow | None: ...
    def connection_test_active(self, conn_id: str, since: datetime) -> bool:
        """Whether a test of the connection that began after `since` has not ended."""
        ...

    def connection_test_prune(self, before: datetime) -> None:
        """Forget those that began before that."""
        ...
