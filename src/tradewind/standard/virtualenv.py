"""Python functions in other interpreters. The same operators stand behind `@task.virtualenv` and its kin."""

from __future__ import annotations

from typing import ClassVar

from tradewind.sdk.callables_foreign import (
    BranchExternalPythonCallable,
    BranchVirtualenvCallable,
    ExternalPythonCallable,
    VirtualenvCallable,
)


class PythonVirtualenvOperator(VirtualenvCallable):
    """Call a function in a virtual environment of its own. Parameters: those of `VirtualenvCallable`."""

    custom_operator_name: ClassVar[str] = "PythonVirtualenvOperator"


class ExternalPythonOperator(ExternalPythonCallable):
    """Call a function with an interpreter that is there already. Parameters: those of `ExternalPythonCallable`."""

    custom_operator_name: ClassVar[str] = "ExternalPythonOperator"


class BranchPythonVirtualenvOperator(BranchVirtualenvCallable):
    """As `PythonVirtualenvOperator`; the function decides which tasks follow."""

    custom_operator_name: ClassVar[str] = "BranchPythonVirtualenvOperator"


class BranchExternalPythonOperator(BranchExternalPythonCallable):
    """As `ExternalPythonOperator`; the function decides which tasks follow."""

    custom_operator_name: ClassVar[str] = "BranchExternalPythonOperator"
