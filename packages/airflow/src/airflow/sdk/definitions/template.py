"""`airflow.sdk.definitions.template`: values that are no templates."""

from __future__ import annotations

from tradewind.sdk import literal

__all__ = ["literal"]
