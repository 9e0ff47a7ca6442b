"""Assets through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Cli, publish

from tradewind.commands.documents import Documents
from tradewind.kernel.ids import uuid7
from tradewind.scheduler.assets import create_asset_runs

SOURCE = """
from tradewind import DAG, Asset, AssetAlias, PartitionedAssetTimetable
from tradewind.standard.empty import EmptyOperator

raw = Asset("raw", "s3://raw/x", group="lake", extra={"k": 1})

with DAG("maker"):
    EmptyOperator(task_id="make", outlets=[raw, AssetAlias("late")])
with DAG("taker", schedule=[raw, Asset("other")], is_paused_upon_creation=False):
    EmptyOperator(task_id="take", inlets=[raw])
with DAG("keyed", schedule=PartitionedAssetTimetable([raw, Asset("other")]), is_paused_upon_creation=False):
    EmptyOperator(task_id="take")
with DAG("second_maker"):
    EmptyOperator(task_id="make", outlets=Asset("other"))
with DAG("third_maker"):
    EmptyOperator(task_id="make", outlets=Asset.ref(name="other"))
"""


def read(cli: Cli, *words: str) -> Any:
    return json.loads(cli(*words, "-o", "json").out)


@pytest.fixture(autouse=True)
def published(database: Any, dags_folder: Path) -> None:
    publish(database, dags_folder, "f.py", SOURCE)


def test_list_and_show(cli: Cli) -> None:
    listed = read(cli, "assets", "list")
    assert sorted((row["name"], row["active"]) for row in listed) == [("other", True), ("raw", True)]
    assert [row["name"] for row in read(cli, "assets", "list", "S3")] == ["raw"]
    assert [row["name"] for row in read(cli, "assets", "list", "--alias")] == ["late"]
    shown = read(cli, "assets", "show", "--uri", "s3://raw/x")
    assert (shown["group"], shown["extra"]) == ("lake", {"k": 1})
    assert (shown["made_by"], shown["read_by"], shown["starts"]) == (["maker.make"], ["taker.take"], ["keyed", "taker"])
    assert "did you mean 'raw'" in cli("assets", "show", "rawe", code=4).err
    assert "name the asset" in cli("assets", "show", code=2).err


def test_tell_and_what_waits(cli: Cli) -> None:
    told = read(cli, "assets", "tell", "raw", "--extra", '{"rows": 3}')
    assert (told["name"], told["extra"]) == ("raw", {"rows": 3})
    assert [row["id"] for row in read(cli, "assets", "events", "raw")] == [told["id"]]
    assert [row["id"] for row in read(cli, "assets", "events")] == [told["id"]]
    assert [row["dag_id"] for row in read(cli, "assets", "queued", "raw")] == ["keyed", "taker"]
    assert [row["asset"] for row in read(cli, "assets", "queued", "--dag-id", "taker")] == ["raw"]
    assert "2 pairs" in cli("assets", "queued", "raw", "--drop").out
    assert read(cli, "assets", "queued", "--dag-id", "taker") == []
    assert "not JSON" in cli("assets", "tell", "raw", "--extra", "{", code=2).err
    assert "must be a JSON object" in cli("assets", "tell", "raw", "--extra", "[1]", code=2).err
    assert "1 to 250" in cli("assets", "tell", "raw", "--partition-key", " ", code=2).err


def test_materialize(cli: Cli) -> None:
    run = read(cli, "assets", "materialize", "raw", "--partition-key", "2026-03-01", "--conf", '{"x": 1}')
    assert (run["dag_id"], run["run_type"]) == ("maker", "asset_materialization")
    assert "2 DAGs make asset 'other' (second_maker, third_maker)" in cli("assets", "materialize", "other", code=5).err


def test_partitions_that_are_being_filled(cli: Cli, database: Any) -> None:
    cli("assets", "tell", "raw", "--partition-key", "eu")
    with database.begin() as tx:
        create_asset_runs(tx, Documents(), tx.now(), lambda: str(uuid7()), 10)
    (row,) = read(cli, "assets", "partitions", "keyed")
    assert (row["partition_key"], row["have"]["raw"], row["missing"]["other"]) == ("eu", ["eu"], ["eu"])
    assert read(cli, "assets", "partitions", "maker") == []
