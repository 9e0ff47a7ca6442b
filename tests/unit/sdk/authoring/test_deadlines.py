from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tradewind import (
    DAG,
    AsyncCallback,
    BaseDeadlineReference,
    BaseOperator,
    DeadlineAlert,
    DeadlineReference,
    SyncCallback,
    deadline_reference,
)
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.deadlines import VariableInterval
from tradewind.wire import deadlines as wire
from tradewind.wire.document import decode_document, encode_document

HOUR = timedelta(hours=1)


def tell(**_: Any) -> None: ...


async def tell_soon(**_: Any) -> None: ...


CALL = SyncCallback(tell, {"channel": "x"}, executor="local")
R = DeadlineReference


def alert(reference: BaseDeadlineReference = R.DAGRUN_QUEUED_AT, **facts: Any) -> DeadlineAlert:
    return DeadlineAlert(**{"reference": reference, "interval": HOUR, "callback": CALL, **facts})


def test_deadlines_of_a_dag_and_a_task_are_in_its_document() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with DAG("sales", deadline=[alert(name="soon"), alert(R.FIXED_DATETIME(at), interval=-HOUR)]) as dag:
        BaseOperator(
            task_id="t",
            deadline=alert(R.AVERAGE_RUNTIME(5), interval=VariableInterval("v"), callback=AsyncCallback(tell_soon)),
        )
    document = decode_document(encode_document(compile_dag(dag, file="sales.py")))
    path = f"{__name__}.tell"
    assert document.deadlines == (
        wire.DeadlineDocument(
            reference=wire.DeadlineReference.QUEUED_AT, interval_seconds=3600.0, name="soon", path=path,
            kwargs={"channel": "x"}, executor="local",
        ),
        wire.DeadlineDocument(
            reference=wire.DeadlineReference.FIXED, at=at, interval_seconds=-3600.0, path=path,
            kwargs={"channel": "x"}, executor="local",
        ),
    )  # fmt: skip
    assert document.tasks[0].deadlines == (
        wire.DeadlineDocument(
            reference=wire.DeadlineReference.AVERAGE_RUNTIME, runs_max=5, runs_min=5, interval_variable="v",
            path=f"{__name__}.tell_soon", is_async=True,
        ),
    )  # fmt: skip


def test_callbacks_are_found_by_name_later() -> None:
    assert SyncCallback("os.path.join").path == "os.path.join"
    assert SyncCallback("no_such_module.tell").path == "no_such_module.tell"
    with pytest.raises(ImportError, match="no dotted path"):
        SyncCallback("tell")
    with pytest.raises(ValueError, match="top of a module"):
        SyncCallback(lambda: None)
    with pytest.raises(AttributeError, match="not awaitable"):
        AsyncCallback(tell)
    with pytest.raises(ValueError, match="'context'"):
        SyncCallback(tell, {"context": 1})
    with pytest.raises(ValueError, match="plain data"):
        SyncCallback(tell, {"a": object()})


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"reference": "queued"}, "one of DeadlineReference"),
        ({"interval": 60}, "timedelta or VariableInterval"),
        ({"callback": tell}, "SyncCallback or AsyncCallback"),
    ],
)
def test_wrong_alerts(facts: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        alert(**facts)
    with pytest.raises((ValueError, TypeError), match="must be a DeadlineAlert"):
        DAG("x", deadline=[1])


def test_references_are_data_and_come_back() -> None:
    for reference in (R.DAGRUN_LOGICAL_DATE, R.AVERAGE_RUNTIME(3, 2), R.FIXED_DATETIME(datetime(2026, 1, 1))):
        assert type(reference).deserialize_reference(reference.serialize_reference()) == reference
    with pytest.raises(ValueError, match="at least 1"):
        R.AVERAGE_RUNTIME(3, 0)
    assert alert() == alert()
    assert alert() != alert(interval=2 * HOUR)


def test_a_reference_of_ones_own_says_that_it_cannot_be_used_yet() -> None:
    before = R.TYPES.DAGRUN_CREATED, R.TYPES.DAGRUN

    @deadline_reference
    class Mine(BaseDeadlineReference): ...

    try:
        assert R.Mine == Mine()  # type: ignore[attr-defined]
        assert Mine in R.TYPES.DAGRUN
        with pytest.raises(NotImplementedError, match="'Mine'"), DAG("x", deadline=alert(Mine())) as dag:
            compile_dag(dag, file="x.py")
    finally:
        R.TYPES.DAGRUN_CREATED, R.TYPES.DAGRUN = before
        del R.Mine  # type: ignore[attr-defined]
