"""The list of events in wire/telemetry: complete, and every event and field explained."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tradewind.wire import telemetry
from tradewind.wire.states import TaskInstanceState
from tradewind.wire.telemetry import EVENTS, AgentLost, TaskInstanceFinished, TelemetryEvent

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_list_is_complete() -> None:
    tagged = {
        found
        for found in vars(telemetry).values()
        if isinstance(found, type) and issubclass(found, TelemetryEvent) and found.__struct_config__.tag is not None
    }
    named = {event for event in tagged if not event.__subclasses__() and event.__name__ not in _bases()}
    assert named == set(EVENTS)


def test_tags_are_distinct() -> None:
    tags = [event.__struct_config__.tag for event in EVENTS]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    "definition",
    [node for node in ast.parse(Path(telemetry.__file__).read_text()).body if isinstance(node, ast.ClassDef)],
    ids=lambda node: node.name,
)
def test_everything_is_explained(definition: ast.ClassDef) -> None:
    assert ast.get_docstring(definition)
    for field, explanation in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(explanation, ast.Expr), f"{definition.name}.{ast.unparse(field.target)} is not explained"


def test_events_are_frozen_and_travel() -> None:
    event = TaskInstanceFinished(
        at=AT, dag_id="d", run_id="r", task_id="t", try_number=1, state=TaskInstanceState.SUCCESS, running_seconds=0.5
    )
    with pytest.raises(AttributeError):
        event.dag_id = "other"  # type: ignore[misc] # the promise under test
    encoded = msgspec.json.encode(event)
    assert msgspec.json.decode(encoded)["event"] == "task_instance_finished"
    assert msgspec.json.decode(encoded, type=TaskInstanceFinished | AgentLost) == event


def _bases() -> set[str]:
    return {"TelemetryEvent", "TaskInstanceEvent", "DagRunEvent"}
