"""`airflow.sdk.definitions.dag`: DAGs."""

from __future__ import annotations

from tradewind.sdk import DAG, dag

__all__ = ["DAG", "dag"]
