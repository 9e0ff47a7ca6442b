from __future__ import annotations

import pytest
from tests.unit.commands.world import World

from tradewind.commands import pools
from tradewind.wire.errors import BadInput, Conflict, NotFound


def test_a_pool_is_made_changed_and_removed(world: World) -> None:
    with world.store.begin() as tx:
        assert pools.set_pool(tx, "db", 3, "the database").slots == 3
        assert pools.set_pool(tx, "db", -1, include_deferred=True).include_deferred
        pools.delete_pool(tx, "db")
        with pytest.raises(NotFound, match="did you mean 'default_pool'"):
            pools.require_pool(tx, "defaultpool")


def test_changes_ring_so_that_waiting_tasks_start(world: World) -> None:
    with world.store.listen(["limits"]) as bell:
        with world.store.begin() as tx:
            pools.set_pool(tx, "db", 3)
        assert bell.wait(0) == {"limits"}


@pytest.mark.parametrize(
    ("name", "slots"), [("", 1), (" db", 1), ("a\nb", 1), ("x" * 257, 1), ("db", -2), ("db", 2**31)]
)
def test_wrong_names_and_slots_are_refused(world: World, name: str, slots: int) -> None:
    with world.store.begin() as tx, pytest.raises(BadInput):
        pools.set_pool(tx, name, slots)


def test_the_default_pool_stays(world: World) -> None:
    with world.store.begin() as tx:
        with pytest.raises(Conflict, match="default_pool"):
            pools.delete_pool(tx, "default_pool")
        assert pools.set_pool(tx, "default_pool", 5).slots == 5


def test_a_pool_in_use_stays(world: World) -> None:
    world.publish()
    with world.store.begin() as tx:
        pools.set_pool(tx, "db", 3)
    world.queued_task(world.start_run(), pool="db", pool_slots=2)
    with world.store.begin() as tx, pytest.raises(Conflict, match="2 slots are taken"):
        pools.delete_pool(tx, "db")


def test_pools_travel_as_they_are(world: World) -> None:
    with world.store.begin() as tx:
        pools.set_pool(tx, "db", 3, "the database", include_deferred=True)
        exported = pools.export_pools(tx)
    other = World()
    with other.store.begin() as tx:
        assert sorted(pools.import_pools(tx, exported)) == ["db", "default_pool"]
        assert pools.export_pools(tx) == exported


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "object"),
        ({"db": 5}, "db"),
        ({"db": {}}, "needs slots"),
        ({"db": {"slots": "5"}}, "slots of pool 'db'"),
        ({"db": {"slots": True}}, "slots of pool 'db'"),
        ({"db": {"slots": 5, "size": 1}}, "unknown field 'size'"),
        ({"db": {"slots": -7}}, "-7"),
    ],
)
def test_a_wrong_file_changes_nothing(world: World, content: object, message: str) -> None:
    whole = {"good": {"slots": 1}, **content} if isinstance(content, dict) else content
    with world.store.begin() as tx:
        with pytest.raises(BadInput, match=message):
            pools.import_pools(tx, whole)
        assert tx.pool_get("good") is None
