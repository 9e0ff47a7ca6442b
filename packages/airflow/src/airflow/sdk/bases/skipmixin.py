"""`airflow.sdk.bases.skipmixin`: skipping of tasks that follow."""

from __future__ import annotations

from tradewind.sdk import SkipMixin

__all__ = ["SkipMixin"]
