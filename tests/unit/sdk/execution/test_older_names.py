"""Names of earlier Airflows on what a running task sees."""

from __future__ import annotations

from typing import Any

from tradewind.sdk import DAG, BaseHook, task


def test_dates_runs_and_pushes_by_their_older_names(monkeypatch: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_X", "http://example.com")
    with DAG("older") as dag:

        @task
        def look(**context: Any) -> list[Any]:
            ti, run = context["ti"], context["dag_run"]
            ti.xcom_push("k", 1, execution_date=None)
            same = ti.execution_date == ti.logical_date == run.execution_date
            hosts = [one.host for one in BaseHook.get_connections("x")]
            return [same, ti.get_dagrun().run_id == run.run_id, run.external_trigger, hosts]

        look()
    run = dag.test()
    assert run.xcom("look") == [True, True, True, ["example.com"]]
