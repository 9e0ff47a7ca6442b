"""Python functions as tasks. The same operators stand behind `@task`."""

from __future__ import annotations

from typing import ClassVar

from tradewind.sdk.callables import CallableOperator
from tradewind.sdk.callables_flow import BranchCallableOperator, ShortCircuitCallableOperator
from tradewind.sdk.callables_wait import CallableSensor


class PythonOperator(CallableOperator):
    """Call a function. Parameters: those of `CallableOperator`."""

    custom_operator_name: ClassVar[str] = "PythonOperator"


class BranchPythonOperator(BranchCallableOperator):
    """Call a function that returns the id or ids of the tasks or groups to follow; the other direct downstream tasks
    are skipped."""

    custom_operator_name: ClassVar[str] = "BranchPythonOperator"


class ShortCircuitOperator(ShortCircuitCallableOperator):
    """Call a function; when its result is false, skip what comes after."""

    custom_operator_name: ClassVar[str] = "ShortCircuitOperator"


class PythonSensor(CallableSensor):
    """Call a function again and again until its result is true."""

    custom_operator_name: ClassVar[str] = "PythonSensor"
