"""Column types for the schema, by kind of value; what each is on which database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, Float, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import TypeEngine

from tradewind.store.kinds import Kind

ID = Uuid(as_uuid=False).with_variant(Text(), "sqlite")
# Ordered by bytes on both, whatever language the server was set up for: pages of lists go by these columns.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = DateTime(timezone=True).with_variant(BigInteger(), "sqlite")
"""On SQLite microseconds since 1970 in UTC."""
DOCUMENT = Text().with_variant(JSON(), "postgresql")
# SQLite counts lines up only in a column that is exactly INTEGER.
LINE = BigInteger().with_variant(Integer(), "sqlite")

TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.ID: ID,
    Kind.TEXT: TEXT,
    Kind.INTEGER: BigInteger(),
    Kind.FLOAT: Float(),
    Kind.FLAG: Boolean(),
    Kind.INSTANT: INSTANT,
    Kind.JSON: DOCUMENT,
    Kind.NAMES: DOCUMENT,
    Kind.BYTES: LargeBinary(),
}
