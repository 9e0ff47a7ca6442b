"""What the SQL store offers to the public API: everything its port says, with these types."""

from __future__ import annotations

from tradewind.ports.reads import PublicTransaction
from tradewind.store.read.api_lists import LISTS
from tradewind.store.transaction import SqlTransaction


def as_port(tx: SqlTransaction) -> PublicTransaction:
    """The type checker proves it."""
    return tx


def test_every_list_is_known_by_its_fields() -> None:
    for name, listing in LISTS.items():
        assert listing.key in listing.fields, name
        assert {field.join for field in listing.fields.values()} - {None} <= set(listing.joins), name
        assert set(listing.shown) <= set(listing.joins), name
