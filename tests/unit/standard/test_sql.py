from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import temporary_database

from tradewind.sdk import DAG
from tradewind.sdk.exceptions import AirflowException
from tradewind.standard import SQLExecuteQueryOperator, SqlHook, SQLInsertRowsOperator
from tradewind.standard.sql_hook import fetch_one_handler, split_sql


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database with a table, behind the connection `sql_default`; its kind."""
    if request.param == "sqlite":
        monkeypatch.setenv("TRADEWIND_CONN_SQL_DEFAULT", f"sqlite:///{tmp_path / 'x.db'}")
        SqlHook().run("create table orders (id integer primary key, name text)")
        yield "sqlite"
        return
    with temporary_database() as url:
        monkeypatch.setenv("TRADEWIND_CONN_SQL_DEFAULT", url.replace("postgresql+psycopg", "postgres"))
        SqlHook().run("create table orders (id integer primary key, name text)")
        yield "postgres"


def test_queries_and_parameters(run: Any, db: str) -> None:
    mark = "?" if db == "sqlite" else "%s"
    SqlHook().insert_rows("orders", [(1, "a"), (2, "b"), (3, "c")], ["id", "name"], commit_every=2)
    query = f"select id, name from orders where id > {mark} order by id"
    assert run(SQLExecuteQueryOperator, sql=query, parameters=["{{ params.n }}"], params={"n": 1}).state == "success"
    ended = run(SQLExecuteQueryOperator, sql=query, parameters=(1,))
    assert ended.value == [(2, "b"), (3, "c")]
    assert run(SQLExecuteQueryOperator, sql=query, parameters=(1,), handler=fetch_one_handler).value == (2, "b")
    assert run(SQLExecuteQueryOperator, sql=query, parameters=(1,), handler=None).value is None
    rows = run(
        SQLExecuteQueryOperator,
        sql=query,
        parameters=(1,),
        output_processor=lambda results, descriptions: [
            [dict(zip([column[0] for column in descriptions[-1]], row, strict=True)) for row in results[-1]]
        ],
    ).value
    assert rows == [{"id": 2, "name": "b"}, {"id": 3, "name": "c"}]


def test_several_statements(run: Any, db: str) -> None:
    text = (
        "insert into orders values (1, 'a;b'); -- comment; here\nselect count(*) from orders; select name from orders;"
    )
    assert run(SQLExecuteQueryOperator, sql=text, split_statements=True).value == [("a;b",)]
    both = run(SQLExecuteQueryOperator, sql=["select 1", "select 2"])
    assert both.value == [[(1,)], [(2,)]]
    listed = run(SQLExecuteQueryOperator, sql="select 1; select 2", split_statements=True, return_last=False)
    assert listed.value == [[(1,)], [(2,)]]


def test_one_failure_takes_all_back(run: Any, db: str) -> None:
    statements = ["insert into orders values (1, 'a')", "insert into orders values (1, 'b')"]
    ended = run(SQLExecuteQueryOperator, sql=statements)
    assert ended.state == "failed"
    assert SqlHook().get_records("select * from orders") == []
    assert run(SQLExecuteQueryOperator, sql=statements, autocommit=True).state == "failed"
    assert SqlHook().get_records("select name from orders") == [("a",)]


def test_files(run: Any, db: str, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("select '{{ ds }}'")
    ended = run(SQLExecuteQueryOperator, sql="q.sql", dag=DAG("d", template_searchpath=str(tmp_path)))
    assert ended.value == [("2024-01-01",)]


def test_inserting_rows(run: Any, db: str) -> None:
    rows = [{"id": 1, "name": "a", "x": 0}, {"id": 2, "name": "b", "x": 0}]
    ended = run(
        SQLInsertRowsOperator,
        table_name="orders",
        rows=rows,
        ignored_columns=["x"],
        preoperator="delete from orders",
        postoperator=["insert into orders values (9, 'z')"],
    )
    assert ended.value == 2
    assert SqlHook().get_first("select count(*) from orders") == (3,)
    replaced = run(
        SQLInsertRowsOperator,
        table_name="orders",
        columns=["id", "name"],
        rows=[(1, "new")],
        insert_args={"replace": True, "replace_index": "id"},
    )
    assert replaced.state == "success"
    assert SqlHook().get_first("select name from orders where id = 1") == ("new",)
    uneven = run(SQLInsertRowsOperator, table_name="orders", rows=[{"id": 5, "name": "x"}, {"id": 6}])
    assert "do not all have the columns id, name: 'name'" in uneven.reason
    assert run(SQLInsertRowsOperator, table_name="orders", rows=[]).value == 0


def test_connections_that_do_not_fit(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_CONN_WEB", "http://h")
    assert "'gone' is not defined" in run(SQLExecuteQueryOperator, sql="select 1", conn_id="gone").reason
    assert "leads to HttpHook, which cannot run SQL" in run(SQLExecuteQueryOperator, sql="x", conn_id="web").reason
    assert SqlHook("web").test_connection()[0] is False
    monkeypatch.setenv("TRADEWIND_CONN_SQL_DEFAULT", "sqlite://")
    with pytest.raises(AirflowException, match="names no file"):
        SqlHook().get_conn()


def test_another_database(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_CONN_SQL_DEFAULT", "sqlite:///nowhere/else.db")
    other = str(tmp_path / "other.db")
    ended = run(SQLExecuteQueryOperator, sql="create table t (x)", database=other)
    assert ended.state == "success"
    assert sqlite3.connect(other).execute("select count(*) from t").fetchone() == (0,)


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("select 1", ["select 1"]),
        ("a;b ; ;", ["a", "b"]),
        ("select ';' ; select \";\"", ["select ';'", 'select ";"']),
        ("select 'it''s;' -- x;y\n; b", ["select 'it''s;' -- x;y", "b"]),
        ("/* a;b */ select 1; -- end;", ["/* a;b */ select 1"]),
        ("do $$ begin a; end $$; do $x$ ;$$; $x$", ["do $$ begin a; end $$", "do $x$ ;$$; $x$"]),
        ("", []),
    ],
)
def test_splitting(sql: str, statements: list[str]) -> None:
    assert split_sql(sql) == statements
