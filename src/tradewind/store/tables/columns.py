"""Columns made from the fields of a row, so that a type is said once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Column

from tradewind.store.dialects.types import TYPES
from tradewind.store.kinds import kind_of


def columns_of(row_type: type[msgspec.Struct], key: Sequence[str], nullable: Sequence[str] = ()) -> list[Column[Any]]:
    """One column per field, in order.

    Parameters:
        row_type: the row.
        key: the primary key.
        nullable: columns that may be NULL though the field may not be None: emptiness is stored so.
    """
    columns = []
    for field in msgspec.structs.fields(row_type):
        kind, _ = kind_of(field.name, field.type)
        optional = field.name in nullable or type(None) in getattr(field.type, "__args__", ())
        columns.append(Column(field.name, TYPES[kind], primary_key=field.name in key, nullable=optional))
    return columns
