"""A task that does nothing: a place where arrows meet."""

from __future__ import annotations

from typing import Any, ClassVar

from tradewind.sdk.operator import BaseOperator


class EmptyOperator(BaseOperator):
    """Does nothing. Without callbacks and outlets the scheduler marks it as done without starting a process."""

    _is_empty: ClassVar[bool] = True
    ui_color = "#e8f7e4"

    def execute(self, context: Any) -> None:
        """Nothing."""
