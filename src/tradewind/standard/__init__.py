"""What comes in the box: operators, sensors and hooks that need nothing but Tradewind. Loaded when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradewind.standard.bash import (
        BashOperator,
        BashSensor,
    )
    from tradewind.standard.empty import (
        EmptyOperator,
    )
    from tradewind.standard.external_task import (
        ExternalDagLink,
        ExternalTaskMarker,
        ExternalTaskSensor,
    )
    from tradewind.standard.files import (
        FileSensor,
        FSHook,
    )
    from tradewind.standard.hitl import (
        ApprovalOperator,
        HITLBranchOperator,
        HITLEntryOperator,
        HITLOperator,
    )
    from tradewind.standard.http import (
        HttpHook,
        HttpOperator,
        HttpSensor,
    )
    from tradewind.standard.http_triggers import HttpEventTrigger, HttpSensorTrigger, HttpTrigger
    from tradewind.standard.other_dags import (
        DagStateTrigger,
        WorkflowTrigger,
    )
    from tradewind.standard.python import (
        BranchPythonOperator,
        PythonOperator,
        PythonSensor,
        ShortCircuitOperator,
    )
    from tradewind.standard.sql import (
        SQLExecuteQueryOperator,
        SqlHook,
        SQLInsertRowsOperator,
    )
    from tradewind.standard.sql_checks import (
        BranchSQLOperator,
        SQLCheckOperator,
        SQLColumnCheckOperator,
        SQLIntervalCheckOperator,
        SqlSensor,
        SQLTableCheckOperator,
        SQLThresholdCheckOperator,
        SQLValueCheckOperator,
    )
    from tradewind.standard.transfers import (
        FileTransferOperator,
        GenericTransfer,
    )
    from tradewind.standard.trigger_dag_run import (
        DagIsPaused,
        TriggerDagRunLink,
        TriggerDagRunOperator,
    )
    from tradewind.standard.triggers import (
        DateTimeTrigger,
        DirectoryFileDeleteTrigger,
        FileDeleteTrigger,
        FileTrigger,
        TimeDeltaTrigger,
    )
    from tradewind.standard.virtualenv import (
        BranchExternalPythonOperator,
        BranchPythonVirtualenvOperator,
        ExternalPythonOperator,
        PythonVirtualenvOperator,
    )
    from tradewind.standard.waiting import (
        DateTimeSensor,
        DateTimeSensorAsync,
        TimeDeltaSensor,
        TimeDeltaSensorAsync,
        TimeSensor,
        TimeSensorAsync,
        WaitSensor,
    )
    from tradewind.standard.when import (
        BranchDateTimeOperator,
        BranchDayOfWeekOperator,
        DayOfWeekSensor,
        LatestOnlyOperator,
        SmoothOperator,
        WeekDay,
    )

_MODULES = {
    "BashOperator": "bash",
    "BashSensor": "bash",
    "EmptyOperator": "empty",
    "ExternalDagLink": "external_task",
    "ExternalTaskMarker": "external_task",
    "ExternalTaskSensor": "external_task",
    "FSHook": "files",
    "FileSensor": "files",
    "ApprovalOperator": "hitl",
    "HITLBranchOperator": "hitl",
    "HITLEntryOperator": "hitl",
    "HITLOperator": "hitl",
    "HttpHook": "http",
    "HttpOperator": "http",
    "HttpSensor": "http",
    "HttpEventTrigger": "http_triggers",
    "HttpSensorTrigger": "http_triggers",
    "HttpTrigger": "http_triggers",
    "DagStateTrigger": "other_dags",
    "WorkflowTrigger": "other_dags",
    "BranchPythonOperator": "python",
    "PythonOperator": "python",
    "PythonSensor": "python",
    "ShortCircuitOperator": "python",
    "SQLExecuteQueryOperator": "sql",
    "SQLInsertRowsOperator": "sql",
    "SqlHook": "sql",
    "BranchSQLOperator": "sql_checks",
    "SQLCheckOperator": "sql_checks",
    "SQLColumnCheckOperator": "sql_checks",
    "SQLIntervalCheckOperator": "sql_checks",
    "SQLTableCheckOperator": "sql_checks",
    "SQLThresholdCheckOperator": "sql_checks",
    "SQLValueCheckOperator": "sql_checks",
    "SqlSensor": "sql_checks",
    "FileTransferOperator": "transfers",
    "GenericTransfer": "transfers",
    "DagIsPaused": "trigger_dag_run",
    "TriggerDagRunLink": "trigger_dag_run",
    "TriggerDagRunOperator": "trigger_dag_run",
    "DateTimeTrigger": "triggers",
    "DirectoryFileDeleteTrigger": "triggers",
    "FileDeleteTrigger": "triggers",
    "FileTrigger": "triggers",
    "TimeDeltaTrigger": "triggers",
    "BranchExternalPythonOperator": "virtualenv",
    "BranchPythonVirtualenvOperator": "virtualenv",
    "ExternalPythonOperator": "virtualenv",
    "PythonVirtualenvOperator": "virtualenv",
    "DateTimeSensor": "waiting",
    "DateTimeSensorAsync": "waiting",
    "TimeDeltaSensor": "waiting",
    "TimeDeltaSensorAsync": "waiting",
    "TimeSensor": "waiting",
    "TimeSensorAsync": "waiting",
    "WaitSensor": "waiting",
    "BranchDateTimeOperator": "when",
    "BranchDayOfWeekOperator": "when",
    "DayOfWeekSensor": "when",
    "LatestOnlyOperator": "when",
    "SmoothOperator": "when",
    "WeekDay": "when",
}

__all__ = [
    "ApprovalOperator",
    "BashOperator",
    "BashSensor",
    "BranchDateTimeOperator",
    "BranchDayOfWeekOperator",
    "BranchExternalPythonOperator",
    "BranchPythonOperator",
    "BranchPythonVirtualenvOperator",
    "BranchSQLOperator",
    "DagIsPaused",
    "DagStateTrigger",
    "DateTimeSensor",
    "DateTimeSensorAsync",
    "DateTimeTrigger",
    "DayOfWeekSensor",
    "DirectoryFileDeleteTrigger",
    "EmptyOperator",
    "ExternalDagLink",
    "ExternalPythonOperator",
    "ExternalTaskMarker",
    "ExternalTaskSensor",
    "FSHook",
    "FileDeleteTrigger",
    "FileSensor",
    "FileTransferOperator",
    "FileTrigger",
    "GenericTransfer",
    "HITLBranchOperator",
    "HITLEntryOperator",
    "HITLOperator",
    "HttpHook",
    "HttpOperator",
    "HttpSensor",
    "HttpEventTrigger",
    "HttpSensorTrigger",
    "HttpTrigger",
    "LatestOnlyOperator",
    "PythonOperator",
    "PythonSensor",
    "PythonVirtualenvOperator",
    "SQLCheckOperator",
    "SQLColumnCheckOperator",
    "SQLExecuteQueryOperator",
    "SQLInsertRowsOperator",
    "SQLIntervalCheckOperator",
    "SQLTableCheckOperator",
    "SQLThresholdCheckOperator",
    "SQLValueCheckOperator",
    "ShortCircuitOperator",
    "SmoothOperator",
    "SqlHook",
    "SqlSensor",
    "TimeDeltaSensor",
    "TimeDeltaSensorAsync",
    "TimeDeltaTrigger",
    "TimeSensor",
    "TimeSensorAsync",
    "TriggerDagRunLink",
    "TriggerDagRunOperator",
    "WaitSensor",
    "WeekDay",
    "WorkflowTrigger",
]


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
