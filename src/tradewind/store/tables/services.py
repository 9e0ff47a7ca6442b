"""Pools and counters, processes, connections, variables, users."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Table

from tradewind.ports import rows
from tradewind.store.dialects.types import TEXT

from .columns import columns_of
from .metadata import METADATA

pool = Table(
    "pool",
    METADATA,
    *columns_of(rows.PoolRow, key=("name",)),
    CheckConstraint("used >= 0", name="used"),
    CheckConstraint("slots >= -1", name="slots"),
)

task_limit = Table(
    "task_limit",
    METADATA,
    Column("limit_key", TEXT, primary_key=True),
    Column("used", BigInteger, nullable=False),
    CheckConstraint("used >= 0", name="used"),
)

component = Table("component", METADATA, *columns_of(rows.ComponentRow, key=("kind", "id")))
connection = Table("connection", METADATA, *columns_of(rows.ConnectionRow, key=("conn_id",)))
variable = Table("variable", METADATA, *columns_of(rows.VariableRow, key=("key",)))
user_account = Table("user_account", METADATA, *columns_of(rows.UserRow, key=("username",)))
