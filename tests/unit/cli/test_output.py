"""Rows as table, plain, JSON and YAML."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tradewind.cli.output import as_text, jsonable, show_document, show_record, show_rows
from tradewind.wire.states import DagRunState

ROWS: list[dict[str, Any]] = [
    {"name": "a", "state": DagRunState.SUCCESS, "at": datetime(2024, 1, 2, tzinfo=UTC), "n": None},
    {"name": "bbbb", "state": DagRunState.FAILED, "at": None, "n": 3},
]


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, "table", ("name", "state", "at"))
    assert capsys.readouterr().out.splitlines() == [
        "name  state    at",
        "----  -------  -------------------------",
        "a     success  2024-01-02T00:00:00+00:00",
        "bbbb  failed",
    ]


def test_plain_has_no_head_and_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, "plain", ("name", "n"))
    assert capsys.readouterr().out == "a\t\nbbbb\t3\n"


def test_json_has_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, "json", ("name",))
    assert json.loads(capsys.readouterr().out) == [
        {"name": "a", "state": "success", "at": "2024-01-02T00:00:00+00:00", "n": None},
        {"name": "bbbb", "state": "failed", "at": None, "n": 3},
    ]


def test_nothing_says_so_to_people_and_is_an_empty_list_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([], "table", empty="there are no pools")
    show_rows([], "json")
    show_rows([], "yaml")
    show_rows([], "plain")
    assert capsys.readouterr().out == "there are no pools\n[]\n[]\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": [1, {"c": True, "d": None}]}, "a: 1\nb:\n  - 1\n  - c: true\n    d: null\n"),
        ({"empty": {}, "none": []}, "empty: {}\nnone: []\n"),
        (["plain text", "yes", "3", "a: b", "", " x", "two\nlines"], None),
        ({"nested": [[1, 2], [3]]}, "nested:\n  - - 1\n    - 2\n  - - 3\n"),
        ([{"a": {"b": 1}}], "- a:\n    b: 1\n"),
    ],
)
def test_yaml(capsys: pytest.CaptureFixture[str], value: object, text: str | None) -> None:
    show_document(value, "yaml")
    said = capsys.readouterr().out
    if text is not None:
        assert said == text
    else:
        assert said.splitlines() == [
            "- plain text",
            '- "yes"',
            '- "3"',
            '- "a: b"',
            '- ""',
            '- " x"',
            '- "two\\nlines"',
        ]


def test_a_record_stands_below_itself(capsys: pytest.CaptureFixture[str]) -> None:
    show_record({"a": 1, "long": "x\ny"}, "table")
    assert capsys.readouterr().out == "a     1\nlong  x\n      y\n"


def test_values_in_cells() -> None:
    assert [as_text(value) for value in (None, True, False, 1.5, ("a", "b"), {"a": 1})] == [
        "", "yes", "no", "1.500", "a, b", '{"a": 1}',
    ]  # fmt: skip
    assert jsonable({1: timedelta(seconds=90), "s": {2}}) == {"1": 90.0, "s": [2]}
