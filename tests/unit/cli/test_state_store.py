"""`tradewind state-store`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.unit.cli.conftest import NOW, Cli

from tradewind.ports.state_store_rows import StateRow, StateScope, task_place


def test_what_tasks_and_assets_remember_is_listed_and_cleaned(cli: Cli, database: Any) -> None:
    place = task_place("etl", "r1", "load", "2")
    with database.begin() as tx:
        now = tx.now()
        tx.state_put(StateRow(scope=StateScope.ASSET, place="orders", key="mark", value="7", updated_at=NOW))
        tx.state_put(StateRow(scope=StateScope.TASK, place=place, key="job", value='"a"', updated_at=NOW))
        for key in ("old", "older"):
            gone = now - timedelta(days=1)
            tx.state_put(
                StateRow(scope=StateScope.TASK, place=place, key=key, value="1", updated_at=NOW, expires_at=gone)
            )
    rows = json.loads(cli("state-store", "list", "--asset", "orders", "-o", "json").out)
    assert [(row["key"], row["value"], row["expires_at"]) for row in rows] == [("mark", "7", None)]
    instance = ("--dag-id", "etl", "--run-id", "r1", "--task-id", "load", "--map-index", "2")
    rows = json.loads(cli("state-store", "list", *instance, "-o", "json").out)
    assert [row["key"] for row in rows] == ["job"], "expired ones are not seen"

    assert cli("state-store", "clean", "--dry-run").out == "2 values expired\n"
    assert cli("state-store", "clean").out == "2 values deleted\n"
    assert cli("state-store", "clean").out == "0 values deleted\n"
    assert "--asset, or --dag-id" in cli("state-store", "list", code=2).err
    assert "--asset, or --dag-id" in cli("state-store", "list", "--asset", "a", "--dag-id", "etl", code=2).err
