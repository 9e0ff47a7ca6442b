"""Paths of providers whose work comes in Tradewind's box, for when their package is not installed."""

from __future__ import annotations

_BOX = "tradewind.standard"

ROWS = {
    "providers": "",
    "providers.standard": "",
    "providers.standard.decorators": "",
    "providers.standard.decorators.bash": f"._core.kinds: bash_task; {_BOX}: *",
    "providers.standard.decorators.branch_python": "._core.kinds: branch_task",
    "providers.standard.decorators.python": "._core.kinds: python_task",
    "providers.standard.decorators.sensor": "._core.kinds: sensor_task",
    "providers.standard.decorators.short_circuit": "._core.kinds: short_circuit_task",
    "providers.standard.decorators.python_virtualenv": "._core.kinds: virtualenv_task",
    "providers.standard.exceptions": f"._core.standard_errors: *; {_BOX}: *",
    "providers.standard.hooks": "",
    "providers.standard.hooks.filesystem": f"{_BOX}: FSHook",
    "providers.standard.hooks.package_index": f"{_BOX}: PackageIndexHook",
    "providers.standard.hooks.subprocess": f"{_BOX}: SubprocessHook SubprocessResult",
    "providers.standard.operators": "",
    "providers.standard.operators.bash": f"{_BOX}: BashOperator",
    "providers.standard.operators.branch": "~: BaseBranchOperator BranchMixIn",
    "providers.standard.operators.datetime": f"{_BOX}: BranchDateTimeOperator",
    "providers.standard.operators.empty": f"{_BOX}: EmptyOperator",
    "providers.standard.operators.hitl": (
        f"{_BOX}: ApprovalOperator HITLBranchOperator HITLEntryOperator HITLOperator"
    ),
    "providers.standard.operators.latest_only": f"{_BOX}: LatestOnlyOperator",
    "providers.standard.operators.python": (
        f"{_BOX}: PythonOperator BranchPythonOperator ShortCircuitOperator PythonVirtualenvOperator "
        "ExternalPythonOperator BranchPythonVirtualenvOperator BranchExternalPythonOperator; "
        "~: get_current_context; ._core.decorated: is_venv_installed"
    ),
    "providers.standard.operators.smooth": f"{_BOX}: SmoothOperator",
    "providers.standard.operators.trigger_dagrun": f"{_BOX}: TriggerDagRunOperator TriggerDagRunLink",
    "providers.standard.operators.weekday": f"{_BOX}: BranchDayOfWeekOperator",
    "providers.standard.sensors": "",
    "providers.standard.sensors.bash": f"{_BOX}: BashSensor",
    "providers.standard.sensors.date_time": f"{_BOX}: DateTimeSensor DateTimeSensorAsync",
    "providers.standard.sensors.external_task": (
        f"{_BOX}: ExternalTaskSensor ExternalTaskMarker ExternalDagLink ExternalTaskSensorLink=ExternalDagLink"
    ),
    "providers.standard.sensors.filesystem": f"{_BOX}: FileSensor",
    "providers.standard.sensors.python": f"{_BOX}: PythonSensor",
    "providers.standard.sensors.time": f"{_BOX}: TimeSensor TimeSensorAsync",
    "providers.standard.sensors.time_delta": f"{_BOX}: TimeDeltaSensor TimeDeltaSensorAsync WaitSensor",
    "providers.standard.sensors.weekday": f"{_BOX}: DayOfWeekSensor",
    "providers.standard.triggers": "",
    "providers.standard.triggers.external_task": f"{_BOX}: WorkflowTrigger DagStateTrigger",
    "providers.standard.triggers.file": f"{_BOX}: FileTrigger FileDeleteTrigger DirectoryFileDeleteTrigger",
    "providers.standard.triggers.hitl": f"{_BOX}: HITLTrigger",
    "providers.standard.triggers.temporal": f"{_BOX}: DateTimeTrigger TimeDeltaTrigger",
    "providers.standard.utils": "",
    "providers.standard.utils.skipmixin": "~: SkipMixin",
    "providers.standard.utils.weekday": f"{_BOX}: WeekDay",
    # --- the providers' compatibility layer
    "providers.common": "",
    "providers.common.compat": "",
    "providers.common.compat.assets": "~: Asset AssetAlias AssetAll AssetAny",
    "providers.common.compat.sdk": (
        "~: *; .sdk.bases.decorator: DecoratedMappedOperator DecoratedOperator KeywordParameters TaskDecorator "
        "determine_kwargs get_unique_task_id task_decorator_factory; .sdk.bases.sensor: poke_mode_only; "
        ".sdk.configuration: conf; .sdk.exceptions: *; .sdk.lineage: *; .sdk.log: mask_secret redact; "
        ".sdk.observability.stats: Stats; .sdk.timezone: timezone=; .sdk.io: io=; "
        ".sdk.execution_time.context: AIRFLOW_VAR_NAME_FORMAT_MAPPING context_to_airflow_vars; "
        ".sdk.execution_time.timeout: timeout; .sdk.execution_time.xcom: XCom; .sdk.types: TaskInstanceKey; "
        ".sdk.definitions.context: context_merge; .sdk.definitions.mappedoperator: MappedOperator; "
        ".sdk.plugins_manager: AirflowPlugin; .listeners: hookimpl; .models.xcom: XCOM_RETURN_KEY"
    ),
    "providers.common.compat.standard": "",
    "providers.common.compat.standard.operators": f"{_BOX}: PythonOperator",
    "providers.common.compat.standard.triggers": f"{_BOX}: TimeDeltaTrigger",
    "providers.common.compat.version_compat": "._core.versions: *",
    # --- SQL, HTTP and files
    "providers.common.sql": "",
    "providers.common.sql.hooks": "",
    "providers.common.sql.hooks.sql": f"{_BOX}: DbApiHook=SqlHook",
    "providers.common.sql.operators": "",
    "providers.common.sql.operators.generic_transfer": f"{_BOX}: GenericTransfer",
    "providers.common.sql.operators.sql": (
        f"{_BOX}: BranchSQLOperator SQLCheckOperator SQLColumnCheckOperator SQLExecuteQueryOperator "
        "SQLInsertRowsOperator SQLIntervalCheckOperator SQLTableCheckOperator SQLThresholdCheckOperator "
        "SQLValueCheckOperator"
    ),
    "providers.common.sql.sensors": "",
    "providers.common.sql.sensors.sql": f"{_BOX}: SqlSensor",
    "providers.common.io": "",
    "providers.common.io.operators": "",
    "providers.common.io.operators.file_transfer": f"{_BOX}: FileTransferOperator",
    "providers.http": "",
    "providers.http.hooks": "",
    "providers.http.hooks.http": f"{_BOX}: HttpHook",
    "providers.http.operators": "",
    "providers.http.operators.http": f"{_BOX}: HttpOperator SimpleHttpOperator=HttpOperator",
    "providers.http.sensors": "",
    "providers.http.sensors.http": f"{_BOX}: HttpSensor",
    "providers.http.triggers": "",
    "providers.http.triggers.http": f"{_BOX}: HttpEventTrigger HttpSensorTrigger HttpTrigger",
}
"""Module → its names; see `_redirect.Row`."""
