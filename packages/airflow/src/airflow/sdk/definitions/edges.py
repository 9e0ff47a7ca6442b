"""`airflow.sdk.definitions.edges`: labels of arrows."""

from __future__ import annotations

from tradewind.sdk import EdgeModifier, Label

__all__ = ["EdgeModifier", "Label"]
