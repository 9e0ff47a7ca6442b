"""What comes in the box: operators, sensors and hooks that need nothing but Tradewind. Loaded when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradewind.standard.bash import BashOperator, BashSensor
    from tradewind.standard.empty import EmptyOperator
    from tradewind.standard.files import FileSensor, FSHook
    from tradewind.standard.hitl import ApprovalOperator, HITLBranchOperator, HITLEntryOperator, HITLOperator
    from tradewind.standard.http import HttpHook, HttpOperator, HttpSensor
    from tradewind.standard.python import (
        BranchPythonOperator,
        PythonOperator,
        PythonSensor,
        ShortCircuitOperator,
    )
    from tradewind.standard.sql import SQLExecuteQueryOperator, SqlHook, SQLInsertRowsOperator
    from tradewind.standard.waiting import DateTimeSensor, TimeDeltaSensor, TimeSensor, WaitSensor

_MODULES = {
    "BashOperator": "bash",
    "BashSensor": "bash",
    "EmptyOperator": "empty",
    "FSHook": "files",
    "FileSensor": "files",
    "ApprovalOperator": "hitl",
    "HITLBranchOperator": "hitl",
    "HITLEntryOperator": "hitl",
    "HITLOperator": "hitl",
    "HttpHook": "http",
    "HttpOperator": "http",
    "HttpSensor": "http",
    "BranchPythonOperator": "python",
    "PythonOperator": "python",
    "PythonSensor": "python",
    "ShortCircuitOperator": "python",
    "SQLExecuteQueryOperator": "sql",
    "SQLInsertRowsOperator": "sql",
    "SqlHook": "sql",
    "DateTimeSensor": "waiting",
    "TimeDeltaSensor": "waiting",
    "TimeSensor": "waiting",
    "WaitSensor": "waiting",
}

__all__ = [
    "ApprovalOperator",
    "BashOperator",
    "BashSensor",
    "BranchPythonOperator",
    "DateTimeSensor",
    "EmptyOperator",
    "FSHook",
    "FileSensor",
    "HITLBranchOperator",
    "HITLEntryOperator",
    "HITLOperator",
    "HttpHook",
    "HttpOperator",
    "HttpSensor",
    "PythonOperator",
    "PythonSensor",
    "SQLExecuteQueryOperator",
    "SQLInsertRowsOperator",
    "ShortCircuitOperator",
    "SqlHook",
    "TimeDeltaSensor",
    "TimeSensor",
    "WaitSensor",
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
