"""Stars of people."""

from __future__ import annotations

from sqlalchemy import Column, Table

from tradewind.store.dialects.types import TEXT

from .metadata import METADATA

dag_favorite = Table(
    "dag_favorite",
    METADATA,
    Column("username", TEXT, primary_key=True),
    Column("dag_id", TEXT, primary_key=True),
)
