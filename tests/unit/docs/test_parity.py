"""The table of parity: complete, true, and the page current."""

from __future__ import annotations

import inspect
import re

import pytest
from tests.unit.docs.parity_table import (
    DAG_ARGUMENTS,
    DECORATORS,
    NAMES,
    OPERATOR_ARGUMENTS,
    PAGE,
    ROOT,
    STANDARD,
    TABLES,
    render,
)
from tests.unit.sdk.authoring.test_public_names import AIRFLOW_NAMES

from tradewind import DAG, BaseOperator, sdk
from tradewind.sdk.taskflow import KINDS

_OURS = {
    "isolation",
    "deadline",
    "dag_retries",
    "dag_retry_delay",
    "dag_max_retry_delay",
    "dag_retry_exponential_backoff",
    "dag_retry_scope",
}
"""What Tradewind adds."""


def test_nothing_is_left_out() -> None:
    assert set(NAMES) == AIRFLOW_NAMES
    assert (len(NAMES), len(DAG_ARGUMENTS), len(OPERATOR_ARGUMENTS)) == (98, 34, 55)
    assert {f"@task.{kind}" for kind in KINDS} <= set(DECORATORS)


@pytest.mark.parametrize(("cls", "table"), [(DAG, DAG_ARGUMENTS), (BaseOperator, OPERATOR_ARGUMENTS)])
def test_the_classes_take_what_the_table_says(cls: type, table: dict[str, str]) -> None:
    taken = set(inspect.signature(cls.__init__).parameters) - {"self", "kwargs"}  # type: ignore[misc]
    assert set(table) <= taken
    extra = taken - set(table)
    assert extra <= _OURS, f"an argument that Airflow does not have: {extra - _OURS}"


@pytest.mark.parametrize(("title", "words", "table"), TABLES, ids=[title for title, _, _ in TABLES])
def test_each_row_names_a_test_that_speaks_of_it(title: str, words: str, table: dict[str, str]) -> None:
    for subject, proof in table.items():
        path, _, test = proof.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"\bdef {test}\(", text), f"{title}: {subject} is proven by {proof}, which does not exist"
        word = subject.removeprefix("@task.").removeprefix("@")
        assert re.search(rf"\b{re.escape(word)}\b", text), f"{title}: {path} does not speak of {subject}"


def test_what_is_in_the_box_is_there() -> None:
    from tradewind import standard
    from tradewind.standard import notifiers

    known = {*standard.__all__, *notifiers.__all__}
    assert set(STANDARD) <= known
    assert set(notifiers.__all__) <= set(STANDARD)


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "write it with: python -m tests.unit.docs.parity_table"


def test_the_list_of_what_is_not_built_is_empty() -> None:
    assert sdk._NOT_YET == {}
