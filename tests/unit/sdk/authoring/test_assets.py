"""Assets as authors write them, and what the document says of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tradewind import (
    DAG,
    Asset,
    AssetAlias,
    AssetAll,
    AssetAny,
    AssetOrTimeSchedule,
    AssetSchedule,
    CronTriggerTimetable,
    Metadata,
)
from tradewind.sdk.assets import Dataset, Model, normal_uri
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.standard.empty import EmptyOperator
from tradewind.wire.assets import AliasLeaf, AllOf, AnyOf, AssetLeaf, Delivery, NameLeaf, UriLeaf
from tradewind.wire.document import decode_document, encode_document
from tradewind.wire.schedule import AssetSchedule as WireAssetSchedule


def test_name_or_uri_is_enough() -> None:
    assert (Asset("a").name, Asset("a").uri) == ("a", "a")
    assert (Asset(uri="s3://b/k/").name, Asset(uri="s3://b/k/").uri) == ("s3://b/k/", "s3://b/k")
    assert Asset("a") == Asset("a", "a") != Asset("a", "b")
    assert (Asset("a").group, Dataset("a").group, Model("a").group) == ("asset", "dataset", "model")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("S3://Bucket/key/", "s3://Bucket/key"),
        ("s3://bucket", "s3://bucket/"),
        ("postgres://u:p@host/db/s/t", "postgres://host/db/s/t"),
        ("http://h/p?b=2&a=1#top", "http://h/p?a=1&b=2"),
        ("x-mine://any/thing/#f", "x-mine://any/thing/#f"),
        ("plain/path/", "plain/path/"),
    ],
)
def test_uris_have_one_form(given: str, normal: str) -> None:
    assert normal_uri(given) == normal


def test_wrong_ones() -> None:
    with pytest.raises(WrongArgument, match="a name or a uri"):
        Asset()
    with pytest.raises(WrongValue, match="cannot be called 'self'"):
        Asset("self")
    with pytest.raises(WrongValue, match="scheme 'airflow' is reserved"):
        Asset(uri="airflow://x")
    with pytest.raises(WrongValue, match="1501 characters"):
        Asset("x" * 1501)
    with pytest.raises(WrongValue, match="must be JSON"):
        Asset("a", extra={"x": object()})
    with pytest.raises(WrongArgument, match="one of the two"):
        Asset.ref(name="a", uri="b")
    with pytest.raises(WrongArgument, match="takes an asset"):
        Metadata("a")  # type: ignore[arg-type]
    with pytest.raises(WrongValue, match="at least one asset"):
        DAG("d", schedule=[])
    with pytest.raises(WrongValue, match="needs count"):
        AssetSchedule(Asset("a"), deliver="batch")
    with pytest.raises(WrongValue, match="belong to deliver='batch'"):
        AssetSchedule(Asset("a"), count=2)


def test_conditions_join_and_flatten() -> None:
    a, b, c = Asset("a"), AssetAlias("b"), Asset.ref(name="c")
    assert (a & b & c).leaf() == AllOf((AssetLeaf("a", "a"), AliasLeaf("b"), NameLeaf("c")))
    assert (a | (b & c)).leaf() == AnyOf((AssetLeaf("a", "a"), AllOf((AliasLeaf("b"), NameLeaf("c")))))
    assert AssetAll(a, AssetAny(b, Asset.ref(uri="u"))).leaf() == AllOf(
        (AssetLeaf("a", "a"), AnyOf((AliasLeaf("b"), UriLeaf("u"))))
    )
    with pytest.raises(TypeError):
        a & "b"


def test_schedules_become_documents() -> None:
    a, b = Asset("a", group="g", extra={"k": 1}), Asset("b")
    clock = CronTriggerTimetable("0 * * * *", timezone="UTC")
    with DAG("d", schedule=AssetOrTimeSchedule(assets=[a, b], timetable=clock)) as dag:
        EmptyOperator(task_id="t", inlets=[a, AssetAlias("x", group="y")], outlets=[b, object()])
    document = compile_dag(dag, file="d.py")
    assert document.schedule == WireAssetSchedule(
        condition=AllOf((AssetLeaf("a", "a"), AssetLeaf("b", "b"))), time=clock.schedule
    )
    assert [(each.name, each.group, each.extra) for each in document.assets] == [
        ("a", "g", {"k": 1}),
        ("b", "asset", {}),
    ]
    assert [(each.name, each.group) for each in document.aliases] == [("x", "y")]
    (task,) = document.tasks
    assert task.inlets == (AliasLeaf("x"), AssetLeaf("a", "a"))
    assert task.outlets == (AssetLeaf("b", "b"),)
    assert not task.is_empty
    assert decode_document(encode_document(document)) == document


def test_delivery_is_declared() -> None:
    batch = AssetSchedule(Asset("a"), deliver="batch", count=3, every=timedelta(minutes=1))
    assert DAG("d", schedule=batch).wire_schedule == WireAssetSchedule(
        condition=AssetLeaf("a", "a"), delivery=Delivery(mode="batch", count=3, seconds=60.0)
    )


def test_one_asset_is_described_once() -> None:
    with DAG("d", schedule=[Asset("a", group="one")]) as dag:
        EmptyOperator(task_id="t", outlets=Asset("a", group="two"))
    with pytest.raises(WrongValue, match="describes asset 'a' in two ways"):
        compile_dag(dag, file="d.py")
    with DAG("d", schedule=[Asset("a", group="one")]) as dag:
        EmptyOperator(task_id="t", outlets=Asset("a"))
    assert [each.group for each in compile_dag(dag, file="d.py").assets] == ["one"]


def test_allowed_run_types_know_assets() -> None:
    with pytest.raises(WrongValue, match="leaves out 'asset_triggered'"):
        DAG("d", schedule=Asset("a"), allowed_run_types=["manual"]).validate()
    DAG("d", schedule=Asset("a"), allowed_run_types=["asset_triggered"]).validate()
