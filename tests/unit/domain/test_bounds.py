"""Tasks that are there on some dates only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tradewind.domain.bounds import absent_tasks, without
from tradewind.wire.document import DagDocument, FromTask, GroupDocument, Mapping, TaskDocument

D = [datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 8)]


def _dag(*tasks: TaskDocument, **more: Any) -> DagDocument:
    return DagDocument(format=1, dag_id="d", file="d.py", tasks=tasks, **more)


def _task(task_id: str, *upstream: str, **more: Any) -> TaskDocument:
    return TaskDocument(task_id=task_id, operator="@task", upstream=upstream, **more)


def test_both_bounds_are_inclusive() -> None:
    dag = _dag(_task("a", start_date=D[1], end_date=D[3]))
    assert [absent_tasks(dag, day, "scheduled") == {"a"} for day in D[:5]] == [True, False, False, False, True]


def test_runs_that_have_all_tasks() -> None:
    dag = _dag(_task("a", start_date=D[1]))
    assert absent_tasks(dag, None, "manual") == frozenset()
    assert absent_tasks(dag, D[0], "backfill") == frozenset()
    assert without(dag, ()) is dag


def test_dates_of_the_dag_do_not_bound_what_a_person_triggers() -> None:
    dag = _dag(_task("a", start_date=D[2], end_date=D[4]), start_date=D[2], end_date=D[4])
    assert absent_tasks(dag, D[0], "manual") == frozenset()


def test_arrows_go_around_what_is_not_there() -> None:
    dag = _dag(
        _task("a"),
        _task("b", "a", start_date=D[3]),
        _task("c", "b", end_date=D[0]),
        _task("d", "c", inputs=("c",)),
        _task("down", "c", is_teardown=True, setups=("c",)),
    )
    absent = absent_tasks(dag, D[1], "scheduled")
    assert absent == {"b", "c"}
    rest = {task.task_id: task for task in without(dag, absent).tasks}
    assert rest["d"].upstream == ("a",)
    assert (rest["d"].inputs, rest["down"].setups) == ((), ())


def test_what_expands_over_it_is_not_there_either() -> None:
    over = Mapping((("x", FromTask("a")),))
    dag = _dag(
        _task("a", start_date=D[3]),
        _task("b", "a", mapping=over),
        _task("c", "b", mapping=Mapping((("x", FromTask("b")),))),
        _task("g.t", group_id="g"),
        _task("z"),
        groups=(GroupDocument(group_id="g", label="g", mapping=over),),
    )
    assert absent_tasks(dag, D[0], "scheduled") == {"a", "b", "c", "g.t"}
