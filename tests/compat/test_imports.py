"""Every import that Airflow 3 dropped, warns about or keeps, and that people write."""

from __future__ import annotations

import importlib

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")

GONE = [
    "operators.dummy:DummyOperator",
    "operators.dummy_operator:DummyOperator",
    "operators.python_operator:PythonOperator",
    "operators.bash_operator:BashOperator",
    "operators.email_operator:EmailOperator",
    "operators.subdag:SubDagOperator",
    "sensors.base_sensor_operator:BaseSensorOperator",
    "sensors.external_task_sensor:ExternalTaskSensor",
    "hooks.base_hook:BaseHook",
    "datasets:Dataset",
    "datasets:DatasetAlias",
    "datasets:DatasetAll",
    "datasets:DatasetAny",
    "datasets.metadata:Metadata",
    "timetables.datasets:DatasetOrTimeSchedule",
    "models.dataset:Dataset",
    "utils.dates:days_ago",
    "utils.dates:date_range",
    "utils.helpers:chain",
    "utils.helpers:cross_downstream",
    "utils.decorators:apply_defaults",
    "utils.log.secrets_masker:mask_secret",
    "utils.module_loading:import_string",
    "utils.python_virtualenv:prepare_virtualenv",
    "utils.dag_parsing_context:get_parsing_context",
    "utils.file:TemporaryDirectory",
    "utils.operator_helpers:context_to_airflow_vars",
    "models:SlaMiss",
    "models:DagPickle",
    "models:ImportError",
    "models.dag:DagContext",
    "models.param:DagParam",
    "models.mappedoperator:MappedOperator",
    "models.expandinput:EXPAND_INPUT_EMPTY",
    "executors.sequential_executor:SequentialExecutor",
    "lineage:AUTO",
    "lineage:apply_lineage",
    "lineage.entities:File",
    "configuration:conf",
    "exceptions:RemovedInAirflow3Warning",
    "assets:Asset",
    "decorators.python:python_task",
]

OLDER = [
    "decorators:dag",
    "decorators:task",
    "decorators:task_group",
    "decorators:setup",
    "decorators:teardown",
    "decorators.base:DecoratedOperator",
    "decorators.base:task_decorator_factory",
    "models.baseoperator:BaseOperator",
    "models.baseoperator:chain",
    "models.baseoperator:chain_linear",
    "models.baseoperator:cross_downstream",
    "models.dag:DAG",
    "models.dag:dag",
    "models.param:Param",
    "models.xcom:XCom",
    "models.xcom:BaseXCom",
    "models.xcom_arg:XComArg",
    "models.skipmixin:SkipMixin",
    "models.baseoperatorlink:BaseOperatorLink",
    "models.dagbag:DagBag",
    "operators.python:PythonOperator",
    "operators.python:get_current_context",
    "operators.bash:BashOperator",
    "operators.empty:EmptyOperator",
    "operators.email:EmailOperator",
    "operators.branch:BaseBranchOperator",
    "operators.datetime:BranchDateTimeOperator",
    "operators.weekday:BranchDayOfWeekOperator",
    "operators.latest_only:LatestOnlyOperator",
    "operators.trigger_dagrun:TriggerDagRunOperator",
    "operators.generic_transfer:GenericTransfer",
    "operators.smooth:SmoothOperator",
    "sensors.base:BaseSensorOperator",
    "sensors.python:PythonSensor",
    "sensors.bash:BashSensor",
    "sensors.filesystem:FileSensor",
    "sensors.external_task:ExternalTaskSensor",
    "sensors.date_time:DateTimeSensor",
    "sensors.time_sensor:TimeSensor",
    "sensors.time_delta:TimeDeltaSensor",
    "sensors.weekday:DayOfWeekSensor",
    "hooks.base:BaseHook",
    "hooks.filesystem:FSHook",
    "hooks.subprocess:SubprocessHook",
    "hooks.package_index:PackageIndexHook",
    "triggers.temporal:DateTimeTrigger",
    "triggers.file:FileTrigger",
    "triggers.external_task:DagStateTrigger",
    "utils.task_group:TaskGroup",
    "utils.trigger_rule:TriggerRule",
    "utils.weight_rule:WeightRule",
    "utils.timezone:utcnow",
    "utils.context:Context",
    "utils.xcom:XCOM_RETURN_KEY",
    "utils.types:NOTSET",
    "utils.setup_teardown:SetupTeardownContext",
    "utils.timeout:timeout",
    "utils.operator_resources:Resources",
    "notifications.basenotifier:BaseNotifier",
    "io.path:ObjectStoragePath",
    "macros:ds_add",
    "stats:Stats",
    "lineage.hook:get_hook_lineage_collector",
    "serialization.serde:serialize",
    "security.permissions:ACTION_CAN_READ",
    "exceptions:AirflowFailException",
    "exceptions:AirflowSkipException",
    "exceptions:AirflowTaskTimeout",
    "exceptions:TaskDeferred",
]

SILENT = [
    "models:DAG",
    "models:BaseOperator",
    "models:Variable",
    "models:Connection",
    "models:XCom",
    "models:Param",
    "models:Pool",
    "models:DagRun",
    "models:TaskInstance",
    "models:DagBag",
    "models:DagModel",
    "timetables.interval:CronDataIntervalTimetable",
    "timetables.trigger:CronTriggerTimetable",
    "timetables.base:Timetable",
    "timetables.base:DagRunInfo",
    "timetables.base:DataInterval",
    "timetables.base:TimeRestriction",
    "timetables.events:EventsTimetable",
    "timetables.assets:AssetOrTimeSchedule",
    "timetables.simple:NullTimetable",
    "utils.state:State",
    "utils.state:DagRunState",
    "utils.session:provide_session",
    "utils.session:create_session",
    "utils.email:send_email",
    "utils.edgemodifier:Label",
    "utils.dates:cron_presets",
    "utils.log.logging_mixin:LoggingMixin",
    "utils.types:DagRunType",
    "triggers.base:BaseTrigger",
    "triggers.base:TriggerEvent",
    "plugins_manager:AirflowPlugin",
    "secrets:BaseSecretsBackend",
    "settings:Session",
    "configuration:conf",
    "exceptions:AirflowException",
    "task.priority_strategy:PriorityWeightStrategy",
    "listeners:hookimpl",
    "policies:hookimpl",
    "api.common.trigger_dag:trigger_dag",
    "version:version",
    "jobs.job:Job",
]

NOT_YET = {
    "operators.smooth:SmoothOperator",
    "hooks.subprocess:SubprocessHook",
    "hooks.package_index:PackageIndexHook",
    "operators.generic_transfer:GenericTransfer",
}
"""Needs the standard or common.sql provider package while Tradewind's box does not have it."""


@pytest.mark.parametrize("path", sorted({*GONE, *OLDER, *SILENT}))
def test_it_can_be_imported(path):
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(f"airflow.{module}"), name)
    except ImportError:
        if path in NOT_YET:
            pytest.skip("needs a provider package")
        raise
    assert found is not None or name.isupper()


@pytest.mark.parametrize("name", ["www.views:AirflowBaseView", "executors.celery_executor:app", "nosuch:thing"])
def test_what_is_not_offered_is_an_import_error(name):
    module, _, attribute = name.partition(":")
    with pytest.raises(ImportError):
        getattr(importlib.import_module(f"airflow.{module}"), attribute)


@pytest.mark.parametrize(
    "path",
    [
        "common.compat.sdk:AirflowSkipException",
        "common.compat.sdk:BaseOperator",
        "common.compat.sdk:timezone",
        "common.compat.sdk:conf",
        "common.sql.operators.sql:SQLExecuteQueryOperator",
        "http.operators.http:SimpleHttpOperator",
        "standard.utils.weekday:WeekDay",
        "standard.operators.hitl:ApprovalOperator",
        "postgres.operators.postgres:PostgresOperator",
    ],
)
def test_paths_of_providers_that_are_in_the_box_work_without_their_package(path):
    module, _, name = path.partition(":")
    assert getattr(importlib.import_module(f"airflow.providers.{module}"), name) is not None
