"""`airflow.sdk.bases.operator`: the base of operators, and how tasks are chained."""

from __future__ import annotations

from tradewind.sdk import BaseOperator, chain, chain_linear, cross_downstream

__all__ = ["BaseOperator", "chain", "chain_linear", "cross_downstream"]
