"""`airflow.sdk.definitions.variable`: variables."""

from __future__ import annotations

from tradewind.sdk import Variable

__all__ = ["Variable"]
