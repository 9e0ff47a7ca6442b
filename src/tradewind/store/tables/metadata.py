"""The collection that the tables fill, with names for constraints that both databases and the migrations agree on."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import MetaData

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, members: Iterable[StrEnum]) -> str:
    """Condition: the column holds one of these."""
    return f"{column} IN ({', '.join(repr(member.value) for member in members)})"
