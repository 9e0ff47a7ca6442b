"""Read-only views with the names and columns of Airflow's tables, for dashboards that query the metadata database.

They lie in a schema of their own, `airflow`, which PostgreSQL has and SQLite has not. Secrets are in none of them.
"""

from __future__ import annotations

from sqlalchemy import create_engine, text

from tradewind.wire.errors import BadInput

SCHEMA = "airflow"
VIEWS = {
    "dag": """
        SELECT dag_id, is_paused, is_stale, NOT is_stale AS is_active, parsed_at AS last_parsed_time, file AS fileloc,
               bundle AS bundle_name, (SELECT string_agg(o, ', ') FROM json_array_elements_text(owners) o) AS owners,
               description, schedule_summary AS timetable_summary, schedule_summary AS schedule_interval,
               max_active_runs, next_logical_date AS next_dagrun, next_run_after AS next_dagrun_create_after,
               next_interval_start AS next_dagrun_data_interval_start,
               next_interval_end AS next_dagrun_data_interval_end
        FROM dag""",
    "dag_tag": "SELECT dag_id, json_array_elements_text(tags) AS name FROM dag",
    "dag_run": """
        SELECT run_key AS id, dag_id, run_id, run_type, state, triggered_by, triggering_user_name, conf, logical_date,
               logical_date AS execution_date, data_interval_start, data_interval_end, run_after, queued_at,
               started_at AS start_date, ended_at AS end_date, run_type <> 'scheduled' AS external_trigger,
               clear_number, version_id AS created_dag_version_id, partition_key, note
        FROM dag_run""",
    "task_instance": """
        SELECT ti_id AS id, dag_id, run_id, task_id,
               CASE WHEN map_path = '' THEN -1 ELSE substring(map_path FROM '[0-9]+$')::int END AS map_index,
               state, try_number, max_tries, started_at AS start_date, ended_at AS end_date,
               coalesce(duration_seconds, extract(epoch FROM ended_at - started_at)) AS duration, hostname, pool,
               pool_slots, queue, priority_weight, operator, queued_at AS queued_dttm, scheduled_at AS scheduled_dttm,
               pid, executor, updated_at, version_id AS dag_version_id, note
        FROM task_instance""",
    "xcom": """
        SELECT x.ti_id AS task_instance_id, r.dag_id, r.run_id, x.task_id, x.key
        FROM xcom x JOIN dag_run r ON r.run_key = x.run_key""",
    "log": """
        SELECT event_id AS id, at AS dttm, dag_id, run_id, task_id, event, actor AS owner, thing AS extra
        FROM audit_log""",
    "slot_pool": "SELECT name AS pool, slots, description, include_deferred, used FROM pool",
    "variable": "SELECT key, description FROM variable",
    "connection": "SELECT conn_id, conn_type, description, host, schema, login, port FROM connection",
}
"""Name → what it shows of our tables."""


def make_airflow_views(url: str) -> list[str]:
    """Make the views, or make them anew; their names.

    Raises:
        BadInput: the database is SQLite, which has no schemas.
    """
    if not url.startswith("postgresql"):
        raise BadInput("views with Airflow's table names need PostgreSQL: SQLite has no schema to put them into")
    scheme, _, rest = url.partition("://")
    engine = create_engine(f"{'postgresql+psycopg' if scheme == 'postgresql' else scheme}://{rest}")
    try:
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            for name, select in VIEWS.items():
                connection.execute(text(f"DROP VIEW IF EXISTS {SCHEMA}.{name}"))
                connection.exec_driver_sql(f"CREATE VIEW {SCHEMA}.{name} AS {select}")
    finally:
        engine.dispose()
    return [f"{SCHEMA}.{name}" for name in VIEWS]
