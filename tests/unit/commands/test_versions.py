from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.commands.world import World, task

from tradewind.commands.versions import FieldChange, ThingChange, diff_rows, diff_versions, require_version
from tradewind.wire.document import GroupDocument
from tradewind.wire.errors import NotFound


def test_what_changed_between_two_versions(world: World) -> None:
    world.publish(
        "sales",
        task("a"),
        task("b", upstream=("a",), retries=1),
        task("old", upstream=("a",)),
        tags=("x",),
        groups=(GroupDocument(group_id="g", label="g"),),
    )
    world.publish(
        "sales", task("a"), task("b", retries=2), task("new", upstream=("a",)), tags=("x", "y"), code_digest="other"
    )
    with world.store.read() as tx:
        found = diff_versions(tx, "sales", 1)
    assert (found.before, found.after, found.code_only) == (1, 2, False)
    assert found.fields == (FieldChange("tags", ("x",), ("x", "y")),)
    assert (found.tasks_added, found.tasks_removed) == (("new",), ("old",))
    assert found.tasks_changed == (ThingChange("b", (FieldChange("retries", 1, 2),)),)
    assert (found.edges_added, found.edges_removed) == ((("a", "new"),), (("a", "b"), ("a", "old")))
    assert found.groups_removed == ("g",)


def test_only_code(world: World) -> None:
    world.publish("sales", task("a"))
    with world.store.read() as tx:
        old = require_version(tx, "sales")
    new = replace(old, number=2, source="x = 1\n")
    found = diff_rows(replace(old, source="x = 0\n"), new)
    assert found.code_only
    assert found.source.splitlines()[-2:] == ["-x = 0", "+x = 1"]


def test_versions_that_do_not_exist(world: World) -> None:
    world.publish("sales", task("a"))
    with world.store.read() as tx:
        assert require_version(tx, "sales", 1).number == 1
        with pytest.raises(NotFound, match="no version 7"):
            require_version(tx, "sales", 7)
        with pytest.raises(NotFound, match="'sale'"):
            diff_versions(tx, "sale", 1)
