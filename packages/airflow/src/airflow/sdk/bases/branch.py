"""`airflow.sdk.bases.branch`: bases of operators that choose what follows."""

from __future__ import annotations

from tradewind.sdk import BaseBranchOperator, BranchMixIn

__all__ = ["BaseBranchOperator", "BranchMixIn"]
