from __future__ import annotations

import pytest
from tests.unit.commands.world import PlainVault, World

from tradewind.commands import secrets
from tradewind.wire.errors import BadInput, NotFound
from tradewind.wire.execution import ConnectionFacts

WAREHOUSE = ConnectionFacts(
    conn_id="warehouse",
    conn_type="postgres",
    host="db",
    login="me",
    password="s3cret!",
    port=5432,
    extra='{"key": "v"}',
)


def test_a_connection_comes_back_as_it_was_and_its_secrets_are_sealed(world: World) -> None:
    with world.store.begin() as tx:
        secrets.set_connection(tx, world.vault, WAREHOUSE)
        assert secrets.connection_facts(tx, world.vault, "warehouse") == WAREHOUSE
        row = tx.connection_get("warehouse")
    assert row is not None
    assert b"s3cret!" not in (row.password or b"")
    assert b"key" not in (row.extra or b"")


def test_empty_secrets_stay_empty_and_missing_ones_missing(world: World) -> None:
    facts = ConnectionFacts(conn_id="c", conn_type="http", password="")
    with world.store.begin() as tx:
        secrets.set_connection(tx, world.vault, facts)
        assert secrets.connection_facts(tx, world.vault, "c") == facts


def test_an_unknown_connection_names_the_nearest_and_the_variable(world: World) -> None:
    with world.store.begin() as tx:
        secrets.set_connection(tx, world.vault, WAREHOUSE)
        with pytest.raises(NotFound, match=r"did you mean 'warehouse'.*TRADEWIND_CONN_WAREHOUS\b"):
            secrets.connection_facts(tx, world.vault, "warehous")
        with pytest.raises(NotFound):
            secrets.delete_connection(tx, "warehous")
        secrets.delete_connection(tx, "warehouse")
        assert tx.connection_list() == []


@pytest.mark.parametrize(
    "facts",
    [
        ConnectionFacts(conn_id="", conn_type="http"),
        ConnectionFacts(conn_id="a\nb", conn_type="http"),
        ConnectionFacts(conn_id="a b", conn_type="http"),
        ConnectionFacts(conn_id="c" * 251, conn_type="http"),
        ConnectionFacts(conn_id="c", conn_type=""),
        ConnectionFacts(conn_id="c", conn_type="http", port=65536),
    ],
)
def test_wrong_connections_are_refused(world: World, facts: ConnectionFacts) -> None:
    with world.store.begin() as tx, pytest.raises(BadInput):
        secrets.set_connection(tx, world.vault, facts)


def test_variables(world: World) -> None:
    with world.store.begin() as tx:
        secrets.set_variable(tx, world.vault, "region", "north", "where")
        secrets.set_variable(tx, world.vault, "region", "south")
        assert secrets.require_variable(tx, world.vault, "region") == "south"
        assert secrets.variable_value(tx, world.vault, "unknown") is None
        with pytest.raises(NotFound, match="did you mean 'region'"):
            secrets.require_variable(tx, world.vault, "regio")
        with pytest.raises(BadInput):
            secrets.set_variable(tx, world.vault, "", "x")
        secrets.delete_variable(tx, "region")
        with pytest.raises(NotFound):
            secrets.delete_variable(tx, "region")


def test_resealing_uses_the_new_key_for_everything(world: World) -> None:
    class NewKey(PlainVault):
        def seal(self, text: str) -> bytes:
            return b"sealed:" + b"#" + super().seal(text).removeprefix(b"sealed:")

        def open(self, ciphertext: bytes) -> str:
            return super().open(ciphertext.replace(b":#", b":"))

    with world.store.begin() as tx:
        secrets.set_connection(tx, world.vault, WAREHOUSE)
        secrets.set_variable(tx, world.vault, "region", "north", "where")
        assert secrets.reseal(tx, NewKey()) == 2
        assert secrets.connection_facts(tx, NewKey(), "warehouse") == WAREHOUSE
        row = tx.variable_get("region")
    assert row is not None
    assert row.value.startswith(b"sealed:#")
    assert row.description == "where"
