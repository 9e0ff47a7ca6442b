"""The import name `airflow` on top of Tradewind.

So far `airflow.sdk` is here: DAG files written for Airflow 3 that import from it find Tradewind's objects, the same
ones that `from tradewind import ...` gives. The older paths and the provider packages come with the migration issue.
"""

from __future__ import annotations

from typing import Any

from airflow._absent import tell_about_absent_modules

tell_about_absent_modules()

_HERE = ("DAG", "XComArg", "Asset")
"""Names that DAG files of Airflow 3 import from the top."""


def __getattr__(name: str) -> Any:
    if name in _HERE:
        from airflow import sdk

        return getattr(sdk, name)
    raise AttributeError(
        f"module 'airflow' has no attribute {name!r} (it is tradewind-airflow, which offers airflow.sdk so far)"
    )
