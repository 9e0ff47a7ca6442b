"""Rows that were deleted, kept as data until they are exported."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from tradewind.ports.retention import ArchivedRow
from tradewind.store.dialects.types import LINE

from .columns import columns_of
from .metadata import METADATA

archive = Table(
    "archive",
    METADATA,
    Column("line", LINE, primary_key=True, autoincrement=True),
    *columns_of(ArchivedRow, key=())[1:],
    Index("ix_archive_source", "source", "line"),
    sqlite_autoincrement=True,
)
