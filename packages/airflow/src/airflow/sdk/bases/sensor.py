"""`airflow.sdk.bases.sensor`: the base of sensors."""

from __future__ import annotations

from tradewind.sdk import BaseSensorOperator, PokeReturnValue

__all__ = ["BaseSensorOperator", "PokeReturnValue"]
