"""Arrows."""

from __future__ import annotations

import pytest

from tradewind.sdk import DAG, Label, TaskGroup, chain, chain_linear, cross_downstream, task
from tradewind.sdk.compile import compile_dag
from tradewind.wire.document import EdgeLabel
from tradewind.wire.errors import InvalidDag

from .operators import Nothing, arrows


def _tasks(names: str) -> list[Nothing]:
    return [Nothing(task_id=name) for name in names]


def test_shift_operators_with_lists() -> None:
    with DAG("d") as dag:
        a, b, c, e = _tasks("abce")
        a >> [b, c] >> e
        assert arrows(dag) == {"a": [], "b": ["a"], "c": ["a"], "e": ["b", "c"]}
    with DAG("d") as dag:
        a, b, c, e = _tasks("abce")
        a << [b, c] << e
        assert arrows(dag) == {"a": ["b", "c"], "b": ["e"], "c": ["e"], "e": []}


def test_set_downstream_takes_nested_lists() -> None:
    with DAG("d") as dag:
        a, b, c = _tasks("abc")
        a.set_downstream([b, [c]])
        c.set_upstream(b)
    assert arrows(dag) == {"a": [], "b": ["a"], "c": ["a", "b"]}


def test_chain() -> None:
    with DAG("d") as dag:
        a, b, c, e, f, g = _tasks("abcefg")
        chain(a, [b, c], [e, f], g)
    assert arrows(dag) == {"a": [], "b": ["a"], "c": ["a"], "e": ["b"], "f": ["c"], "g": ["e", "f"]}


def test_chain_refuses_lists_of_different_length() -> None:
    with DAG("d"):
        a, b, c = _tasks("abc")
        with pytest.raises(ValueError, match="lists 1 and 2 have 1 and 2 items"):
            chain([a], [b, c])


def test_chain_linear_and_cross_downstream() -> None:
    with DAG("d") as dag:
        a, b, c, e, f = _tasks("abcef")
        chain_linear(a, [b, c], [], [e, f])
    assert arrows(dag) == {"a": [], "b": ["a"], "c": ["a"], "e": ["b", "c"], "f": ["b", "c"]}
    with DAG("d") as dag:
        a, b, c, e = _tasks("abce")
        cross_downstream([a, b], [c, e])
    assert arrows(dag) == {"a": [], "b": [], "c": ["a", "b"], "e": ["a", "b"]}
    with DAG("d"), pytest.raises(ValueError, match="drew no arrow"):
        chain_linear(Nothing(task_id="a"), [])


def test_labels() -> None:
    with DAG("d") as dag:
        a, b, c, e, f = _tasks("abcef")
        a >> Label("to b") >> b
        a >> Label("to both") >> [c, e]
        f << Label("back") << b
        chain(c, Label("in chain"), f)
    assert arrows(dag) == {"a": [], "b": ["a"], "c": ["a"], "e": ["a"], "f": ["b", "c"]}
    assert compile_dag(dag, file="f.py").edge_labels == (
        EdgeLabel("a", "b", "to b"),
        EdgeLabel("a", "c", "to both"),
        EdgeLabel("a", "e", "to both"),
        EdgeLabel("b", "f", "back"),
        EdgeLabel("c", "f", "in chain"),
    )


def test_groups_and_references() -> None:
    @task
    def t() -> int:
        return 1

    with DAG("d") as dag:
        with TaskGroup("g") as group:
            a, b = _tasks("ab")
            a >> b
        t() >> group >> t()
    assert arrows(dag) == {"g.a": ["t"], "g.b": ["g.a"], "t": [], "t__1": ["g.b"]}


def test_what_is_no_node_is_named() -> None:
    @task
    def forgotten() -> None: ...

    with DAG("d"):
        a = Nothing(task_id="a")
        with pytest.raises(InvalidDag, match="not 'b' of type str"):
            a >> "b"
        with pytest.raises(InvalidDag, match="the function 'forgotten': call it"):
            a >> forgotten
        with pytest.raises(InvalidDag, match="not None"):
            chain(a, None)
