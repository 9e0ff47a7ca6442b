"""SQL, HTTP, mail and chat through their providers."""

# after importorskip
from __future__ import annotations

import json
import sqlite3

import pytest

pytest.importorskip("airflow.providers.common.sql.operators.sql")
pytest.importorskip("airflow.providers.http.operators.http")

from airflow.providers.common.sql.operators.sql import (
    SQLCheckOperator,
    SQLColumnCheckOperator,
    SQLExecuteQueryOperator,
    SQLTableCheckOperator,
)
from airflow.providers.common.sql.sensors.sql import SqlSensor
from airflow.providers.http.operators.http import HttpOperator
from airflow.providers.http.sensors.http import HttpSensor

from airflow.sdk import DAG, BaseHook, task

from .conftest import ran

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(120)]


@pytest.fixture
def bank(tmp_path, monkeypatch):
    path = tmp_path / "bank.db"
    with sqlite3.connect(path) as db:
        db.executescript("CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y');")
    monkeypatch.setenv("AIRFLOW_CONN_BANK", f"sqlite:///{path}")
    monkeypatch.setenv("AIRFLOW_CONN_BANK", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


def test_queries_checks_and_sensors_of_common_sql(bank):
    pytest.importorskip("airflow.providers.sqlite.hooks.sqlite")
    with DAG("sql") as dag:
        insert = SQLExecuteQueryOperator(task_id="insert", conn_id="bank", sql="INSERT INTO t VALUES (3, 'z')")
        read = SQLExecuteQueryOperator(task_id="read", conn_id="bank", sql="SELECT sum(a) FROM t")
        check = SQLCheckOperator(task_id="check", conn_id="bank", sql="SELECT count(*) FROM t")
        columns = SQLColumnCheckOperator(
            task_id="columns", conn_id="bank", table="t", column_mapping={"a": {"min": {"equal_to": 1}}}
        )
        table = SQLTableCheckOperator(
            task_id="table", conn_id="bank", table="t", checks={"rows": {"check_statement": "COUNT(*) = 3"}}
        )
        seen = SqlSensor(task_id="seen", conn_id="bank", sql="SELECT count(*) FROM t", poke_interval=0.1, timeout=5)
        insert >> read >> check >> columns >> table >> seen
    run = dag.test()
    assert {str(one.state) for one in run.get_task_instances()} == {"success"}
    assert run.xcom("read") in ([[6]], [(6,)])


def test_operators_that_named_their_database_still_do(bank):
    with pytest.warns(DeprecationWarning, match="older path"):
        from airflow.operators.sqlite_operator import SqliteOperator
    with DAG("old_sql") as dag:
        SqliteOperator(task_id="insert", sqlite_conn_id="bank", sql="INSERT INTO t VALUES (9, 'q')")
    assert ran(dag) == {"insert": "success"}
    assert sqlite3.connect(bank).execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_hooks_read_and_write_rows(bank):
    hook = BaseHook.get_hook("bank")
    assert [tuple(row) for row in hook.get_records("SELECT a, b FROM t ORDER BY a")] == [(1, "x"), (2, "y")]
    hook.insert_rows("t", [(5, "five")], target_fields=["a", "b"])
    assert hook.get_first("SELECT b FROM t WHERE a = 5")[0] == "five"


def test_requests_and_sensors_of_http(web, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WEB", f"http://127.0.0.1:{web.server_port}")
    with DAG("http") as dag:
        post = HttpOperator(
            task_id="post",
            http_conn_id="web",
            endpoint="/jobs",
            data=json.dumps({"n": "{{ 1 + 1 }}"}),
            response_filter=lambda response: response.json()["state"],
        )
        wait = HttpSensor(
            task_id="wait",
            http_conn_id="web",
            endpoint="/jobs/1",
            response_check=lambda response: response.json()["state"] == "done",
            poke_interval=0.1,
        )
        post >> wait
    run = dag.test()
    assert {str(one.state) for one in run.get_task_instances()} == {"success"}
    assert run.xcom("post") == "done"
    assert web.asked[0] == ("POST", "/jobs", b'{"n": "2"}')


def test_http_waits_in_a_trigger(web, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WEB", f"http://127.0.0.1:{web.server_port}")
    with DAG("http_deferred") as dag:
        HttpOperator(task_id="get", http_conn_id="web", method="GET", endpoint="/slow", deferrable=True)
    run = dag.test()
    assert {str(one.state) for one in run.get_task_instances()} == {"success"}
    assert json.loads(run.xcom("get")) == {"state": "done"}


def test_a_webhook_of_slack(web, monkeypatch):
    pytest.importorskip("airflow.providers.slack.operators.slack_webhook")
    from airflow.providers.slack.operators.slack_webhook import SlackWebhookOperator

    monkeypatch.setenv(
        "AIRFLOW_CONN_SLACK",
        json.dumps({"conn_type": "slackwebhook", "password": f"http://127.0.0.1:{web.server_port}/services/T0/B0/xyz"}),
    )
    with DAG("slack") as dag:
        SlackWebhookOperator(task_id="tell", slack_webhook_conn_id="slack", message="run {{ run_id }} is done")
    assert ran(dag) == {"tell": "success"}
    assert b"is done" in web.asked[0][2]


def test_the_decorator_of_common_sql(bank):
    pytest.importorskip("airflow.providers.common.sql.decorators.sql")
    with DAG("task_sql") as dag:

        @task.sql(conn_id="bank")
        def count():
            return "SELECT count(*) FROM t"

        count()
    assert ran(dag) == {"count": "success"}
