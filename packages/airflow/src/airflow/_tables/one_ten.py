"""Paths of Airflow 1.10 (`contrib`, `*_operator`, `*_hook`, `*_sensor`, `kubernetes`), read from `one_ten.txt`.

A line of the file is `module | what it offers`, in the words of `_redirect.Row`.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGES = {
    "contrib": "",
    "contrib.hooks": "",
    "contrib.kubernetes": "",
    "contrib.operators": "",
    "contrib.secrets": "",
    "contrib.sensors": "",
    "contrib.task_runner": "",
    "contrib.utils": "",
    "contrib.utils.log": "",
    "contrib.executors": "",
    "contrib.executors.kubernetes_executor": "._core.absent: KubernetesExecutor",
    "executors.celery_executor": "._core.absent: CeleryExecutor app",
    "executors.dask_executor": "._core.absent: DaskExecutor",
    "executors.debug_executor": "._core.absent: DebugExecutor",
    "executors.kubernetes_executor": "._core.absent: KubernetesExecutor",
    "executors.sequential_executor": "._core.executors: SequentialExecutor=LocalExecutor",
    "kubernetes": "",
    "www": "",
    "www.app": "._core.absent: cached_app create_app csrf",
    "www.auth": "._core.absent: has_access",
    "www.utils": "._core.absent: UIAlert CustomSQLAInterface",
    "www.views": "._core.absent: AirflowBaseView AirflowModelView",
    "www_rbac": "",
}
_NAMES = {
    "operators": (
        ".operators.bash: BashOperator; .operators.python: PythonOperator BranchPythonOperator ShortCircuitOperator "
        "PythonVirtualenvOperator; .operators.empty: DummyOperator=EmptyOperator; .operators.email: EmailOperator; "
        ".operators.http_operator: SimpleHttpOperator; .operators.postgres_operator: PostgresOperator; "
        ".operators.mysql_operator: MySqlOperator; .operators.hive_operator: HiveOperator; "
        ".operators.subdag: SubDagOperator; .operators.trigger_dagrun: TriggerDagRunOperator; "
        ".operators.latest_only: LatestOnlyOperator; .sensors.external_task: ExternalTaskSensor; "
        "~: BaseOperator; ._core.plugin_paths: *"
    ),
    "hooks": (
        "~: BaseHook; .hooks.S3_hook: S3Hook; .hooks.http_hook: HttpHook; .hooks.postgres_hook: PostgresHook; "
        ".hooks.mysql_hook: MySqlHook; .hooks.dbapi_hook: DbApiHook; .hooks.hive_hooks: HiveCliHook "
        "HiveMetastoreHook HiveServer2Hook; ._core.plugin_paths: *"
    ),
    "sensors": "~: BaseSensorOperator; ._core.plugin_paths: *",
    "contrib.operators": "._core.plugin_paths: *",
    "contrib.hooks": "._core.plugin_paths: *",
}


def rows() -> dict[str, str]:
    """Module → what it offers."""
    read = Path(__file__).with_name("one_ten.txt").read_text("utf-8")
    listed = {}
    for line in filter(None, read.splitlines()):
        module, _, text = line.partition(" | ")
        homes = [part.partition(": ")[0] for part in text.split("; ")]
        # Constants and small functions of a module went where its classes went.
        listed[module] = "; ".join([text, *(f"{home}: *" for home in homes if home.startswith(".providers."))])
    return {**_PACKAGES, **listed, **_NAMES}
