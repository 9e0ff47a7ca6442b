"""What is cleared together: one DAG with a setup and teardown around part of it, and a setup without teardown."""

from __future__ import annotations

from typing import Any

import pytest

from tradewind.domain.relatives import tasks_to_clear
from tradewind.wire.document import FORMAT, DagDocument, TaskDocument


def _task(task_id: str, *upstream: str, **facts: Any) -> TaskDocument:
    return TaskDocument(task_id=task_id, operator="@task", upstream=upstream, **facts)


# make > work1 > work2 > drop > report; login (a setup without teardown) > work2 and report
DOCUMENT = DagDocument(
    format=FORMAT,
    dag_id="d",
    file="d.py",
    tasks=(
        _task("make", is_setup=True),
        _task("login", is_setup=True),
        _task("work1", "make"),
        _task("work2", "work1", "login"),
        _task("drop", "work2", "make", is_teardown=True, setups=("make",)),
        _task("report", "drop", "login"),
        _task("apart"),
    ),
)


@pytest.mark.parametrize(
    ("chosen", "options", "expected"),
    [
        ("apart", {}, "apart"),
        ("work1", {}, "work1 make drop"),
        ("work2", {}, "work2 make drop login"),
        ("work1", {"downstream": True}, "work1 work2 make drop login report"),
        ("report", {}, "report login"),
        ("report", {"upstream": True}, "report login work1 work2 make drop"),
        ("make", {}, "make drop"),
        ("drop", {}, "drop"),
        ("work1 apart", {}, "work1 apart make drop"),
    ],
)
def test_what_is_cleared_together(chosen: str, options: dict[str, bool], expected: str) -> None:
    assert tasks_to_clear(DOCUMENT, chosen.split(), **options) == set(expected.split())
