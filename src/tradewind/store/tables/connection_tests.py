"""Tests of connections."""

from __future__ import annotations

from sqlalchemy import Index, Table

from tradewind.ports.connection_tests import ConnectionTestRow

from .columns import columns_of
from .metadata import METADATA

connection_test = Table("connection_test", METADATA, *columns_of(ConnectionTestRow, key=("token",)))
Index("ix_connection_test_created", connection_test.c.created_at)
