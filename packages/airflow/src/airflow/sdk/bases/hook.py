"""`airflow.sdk.bases.hook`: the base of hooks."""

from __future__ import annotations

from tradewind.sdk import BaseHook

__all__ = ["BaseHook"]
