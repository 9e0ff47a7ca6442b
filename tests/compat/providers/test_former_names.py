"""What provider packages dropped is given back; every row of the tables leads somewhere."""

from __future__ import annotations

import importlib

import pytest

from airflow._redirect import Row
from airflow._tables import one_ten, providers

pytest.importorskip("airflow.providers.amazon.aws.hooks.base_aws")
pytest.importorskip("airflow.providers.google.cloud.hooks.gcs")
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]

_ABSENT = (
    "apache.beam", "apache.cassandra", "apache.druid", "apache.hdfs", "apache.kylin", "apache.livy",
    "apache.pig", "apache.pinot", "apache.sqoop", "apache.flink", "arangodb", "asana", "atlassian", "cloudant",
    "cohere", "datadog", "dingding", "discord", "exasol", "facebook", "github", "grpc", "hashicorp",
    "influxdb", "jdbc", "jira", "microsoft.psrp", "microsoft.winrm", "neo4j", "openfaas", "opsgenie",
    "pagerduty", "papermill", "plexus", "presto", "qubole", "samba", "segment", "sendgrid", "singularity",
    "teradata", "vertica", "yandex", "zendesk",
)  # fmt: skip
"""Packages that these tests do not install."""


def _broken(rows):
    for module, text in rows.items():
        row = Row(module, text, True)
        for name, (home, _) in row.homes.items():
            if home.startswith(tuple(f".providers.{one}" for one in _ABSENT)):
                continue
            try:
                row.find(name)
            except Exception as error:
                yield f"{module}.{name}: {type(error).__name__}: {error}"


def test_modules_that_moved_are_found():
    broken = []
    for old in providers.MODULES:
        if old.startswith(tuple(_ABSENT)):
            continue
        try:
            importlib.import_module(f"airflow.providers.{old}")
        except Exception as error:
            broken.append(f"{old}: {error}")
    assert broken == []


def test_names_that_were_dropped_are_found():
    broken: list[str] = []
    for module, text in providers.NAMES.items():
        loaded = importlib.import_module(f"airflow.providers.{module}")
        broken.extend(f"{module}.{name}" for name in Row(module, text, True).homes if not hasattr(loaded, name))
    assert broken == []
    assert list(_broken(providers.ROWS)) == []


def test_paths_of_1_10_lead_to_classes_that_exist():
    rows = one_ten.rows()
    # What a vendor's package lacks on this machine says nothing about the table.
    broken = [one for one in _broken(rows) if "does not offer it" in one or "airflow.providers.google" in one]
    total = sum(len(Row(module, text, True).homes) for module, text in rows.items())
    assert len(broken) <= total // 100, "\n".join(broken)


def test_jobs_by_their_kind_become_jobs():
    from airflow.providers.google.cloud.operators.bigquery import BigQueryExecuteQueryOperator
    from airflow.providers.google.cloud.operators.dataproc import DataprocSubmitPySparkJobOperator

    from airflow.sdk import DAG

    with DAG("former"):
        query = BigQueryExecuteQueryOperator(
            task_id="q", sql="SELECT 1", destination_dataset_table="p.d.t", use_legacy_sql=False
        )
        spark = DataprocSubmitPySparkJobOperator(task_id="s", main="gs://b/a.py", cluster_name="c", region="r")
    assert query.configuration["query"]["destinationTable"] == {"projectId": "p", "datasetId": "d", "tableId": "t"}
    assert spark.job["pyspark_job"] == {"main_python_file_uri": "gs://b/a.py"}


def test_operators_that_named_their_database_take_the_connection_by_its_old_argument():
    from airflow.providers.postgres.operators.postgres import PostgresOperator
    from airflow.providers.snowflake.operators.snowflake import SnowflakeOperator

    from airflow.sdk import DAG

    with DAG("former_sql", default_args={"postgres_conn_id": "pg", "snowflake_conn_id": "sf"}):
        one = PostgresOperator(task_id="one", sql="SELECT 1", autocommit=True)
        two = SnowflakeOperator(task_id="two", sql="SELECT 1", warehouse="w", role="r")
    assert (one.conn_id, two.conn_id) == ("pg", "sf")
    assert two.hook_params == {"warehouse": "w", "role": "r"}
