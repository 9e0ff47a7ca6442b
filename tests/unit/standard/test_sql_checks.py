"""Checks of data: what passes, what fails, and what the message says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import temporary_database

from tradewind.sdk import DAG
from tradewind.sdk.errors import WrongValue
from tradewind.sdk.testing import run_dag
from tradewind.standard import (
    BranchSQLOperator,
    EmptyOperator,
    FileTransferOperator,
    GenericTransfer,
    SQLCheckOperator,
    SQLColumnCheckOperator,
    SqlHook,
    SQLIntervalCheckOperator,
    SqlSensor,
    SQLTableCheckOperator,
    SQLThresholdCheckOperator,
    SQLValueCheckOperator,
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Sales of two days behind the connection `sql_default`."""

    def fill() -> None:
        SqlHook().run("create table sales (ds varchar(10), amount integer, city varchar(20))")
        rows = [("2024-01-01", 100, "Oslo"), ("2024-01-01", 120, None), ("2023-12-25", 100, "Rome")]
        SqlHook().insert_rows("sales", rows, ["ds", "amount", "city"])

    if request.param == "sqlite":
        monkeypatch.setenv("TRADEWIND_CONN_SQL_DEFAULT", f"sqlite:///{tmp_path / 'x.db'}")
        fill()
        yield "sqlite"
        return
    with temporary_database() as url:
        monkeypatch.setenv("TRADEWIND_CONN_SQL_DEFAULT", url.replace("postgresql+psycopg", "postgres"))
        fill()
        yield "postgres"


@pytest.mark.usefixtures("db")
def test_values(run: Any) -> None:
    assert run(SQLCheckOperator, sql="select count(*), max(amount) from sales").state == "success"
    failed = run(SQLCheckOperator, sql="select count(*), 0 from sales")
    assert failed.state == "failed"
    assert "(3, 0)" in failed.reason
    assert "no row" in run(SQLCheckOperator, sql="select 1 from sales where amount > 999").reason
    assert run(SQLValueCheckOperator, sql="select count(*) from sales", pass_value=3).state == "success"
    assert run(SQLValueCheckOperator, sql="select max(city) from sales", pass_value="Rome").state == "success"
    near = {"sql": "select max(amount) from sales", "pass_value": 110}
    assert run(SQLValueCheckOperator, **near, tolerance=0.1).state == "success"
    assert "found 120, wanted 110 ± 5.0%" in run(SQLValueCheckOperator, **near, tolerance=0.05).reason
    assert run(SQLThresholdCheckOperator, sql="select max(amount) from sales", min_threshold=1,
               max_threshold="select 2 * min(amount) from sales").state == "success"  # fmt: skip
    outside = run(SQLThresholdCheckOperator, sql="select max(amount) from sales", min_threshold=1, max_threshold=5)
    assert "120 is not between 1.0 and 5.0" in outside.reason


@pytest.mark.usefixtures("db")
def test_days_are_compared(run: Any) -> None:
    facts: dict[str, Any] = {"table": "sales", "date_filter_column": "ds"}
    assert run(SQLIntervalCheckOperator, metrics_thresholds={"SUM(amount)": 3}, **facts).state == "success"
    far = run(SQLIntervalCheckOperator, metrics_thresholds={"SUM(amount)": 2, "COUNT(*)": 5}, **facts)
    assert far.state == "failed"
    assert "SUM(amount) (today 220, before 100, ratio 2.2, threshold 2)" in far.reason
    with pytest.raises(WrongValue, match="ratio_formula"):
        SQLIntervalCheckOperator(task_id="t", metrics_thresholds={"x": 1}, ratio_formula="sum", **facts)


@pytest.mark.usefixtures("db")
def test_columns_and_tables(run: Any) -> None:
    near = {"equal_to": 119, "tolerance": 0.05}
    good = {"amount": {"min": {"geq_to": 100}, "max": near, "null_check": {"equal_to": 0}}}
    assert run(SQLColumnCheckOperator, table="sales", column_mapping=good).state == "success"
    bad = run(SQLColumnCheckOperator, table="sales", column_mapping={"city": {"null_check": {"equal_to": 0}}})
    assert "null_check of city is 1, wanted {'equal_to': 0}" in bad.reason
    narrowed = {"city": {"null_check": {"equal_to": 0}}}
    assert run(SQLColumnCheckOperator, table="sales", column_mapping=narrowed,
               partition_clause="ds < '2024-01-01'").state == "success"  # fmt: skip
    with pytest.raises(WrongValue, match="no check 'nul_check'"):
        SQLColumnCheckOperator(task_id="t", table="sales", column_mapping={"city": {"nul_check": {"equal_to": 0}}})
    checks = {"rows": {"check_statement": "COUNT(*) = 3"}, "positive": {"check_statement": "amount > 0"}}
    assert run(SQLTableCheckOperator, table="sales", checks=checks).state == "success"
    failed = run(SQLTableCheckOperator, table="sales", checks={"large": {"check_statement": "amount > 110"}})
    assert "large (amount > 110)" in failed.reason


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(("sql", "followed"), [("select count(*) from sales", "yes"), ("select 'no'", "no")])
def test_branching_on_a_query(sql: str, followed: str) -> None:
    with DAG("d") as dag:
        branch = BranchSQLOperator(task_id="t", sql=sql, follow_task_ids_if_true="yes", follow_task_ids_if_false=["no"])
        branch >> [EmptyOperator(task_id="yes"), EmptyOperator(task_id="no")]
    tested = run_dag(dag)
    states = {name: tested.get_task_instance(name).state for name in ("yes", "no")}  # type: ignore[union-attr]
    assert [name for name, state in states.items() if state == "success"] == [followed]


@pytest.mark.usefixtures("db")
def test_waiting_for_a_query(run: Any) -> None:
    common: dict[str, Any] = {"conn_id": "sql_default", "timeout": 100}
    assert run(SqlSensor, sql="select count(*) from sales", **common).state == "success"
    assert run(SqlSensor, sql="select 0", soft_fail=True, **common).state == "skipped"
    assert run(SqlSensor, sql="select 5", success=lambda value: value == 5, **common).state == "success"
    assert "never do" in run(SqlSensor, sql="select 5", failure=lambda value: value == 5, **common).reason


@pytest.mark.usefixtures("db")
def test_rows_and_files_are_copied(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_CONN_OTHER", f"sqlite:///{tmp_path / 'other.db'}")
    SqlHook("other").run("create table big (ds text, amount integer)")
    ended = run(
        GenericTransfer, sql="select ds, amount from sales where amount > 100", destination_table="big",
        source_conn_id="sql_default", destination_conn_id="other", preoperator="delete from big",
    )  # fmt: skip
    assert ended.value == 1
    assert SqlHook("other").get_records("select * from big") == [("2024-01-01", 120)]
    (tmp_path / "from.txt").write_text("words")
    target = tmp_path / "to.txt"
    assert run(FileTransferOperator, src=f"file://{tmp_path}/from.txt", dst=f"file://{target}").state == "success"
    assert target.read_text() == "words"
    again = run(FileTransferOperator, src=f"file://{tmp_path}/from.txt", dst=f"file://{target}")
    assert "overwrite=True" in again.reason
