"""`airflow.sdk.definitions.connection`: connections."""

from __future__ import annotations

from tradewind.sdk import Connection

__all__ = ["Connection"]
