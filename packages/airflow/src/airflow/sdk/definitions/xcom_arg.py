"""`airflow.sdk.definitions.xcom_arg`: references to the output of tasks."""

from __future__ import annotations

from tradewind.sdk import XComArg

__all__ = ["XComArg"]
