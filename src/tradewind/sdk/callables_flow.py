"""Python functions that decide which tasks run: behind `@task.branch` and `@task.short_circuit`."""

from __future__ import annotations

from typing import Any

from .branching import BranchMixIn, SkipMixin, short_circuit
from .callables import CallableOperator


class BranchCallableOperator(BranchMixIn, CallableOperator):
    """Calls a function that gives the id or ids of the tasks or groups to follow (None: none of them).

    The other tasks directly downstream are skipped, unless a followed one leads to them.
    """

    inherits_from_skipmixin = True

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, super().execute(context))


class ShortCircuitCallableOperator(SkipMixin, CallableOperator):
    """Calls a function; a result that is false skips what comes after.

    Parameters:
        ignore_downstream_trigger_rules: skip everything after, however far; False: only the tasks directly after,
        whose trigger rules
            then decide for the rest.
    """

    inherits_from_skipmixin = True

    def __init__(self, *, ignore_downstream_trigger_rules: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules

    def execute(self, context: Any) -> Any:
        condition = super().execute(context)
        return short_circuit(self, condition, ignore_downstream_trigger_rules=self.ignore_downstream_trigger_rules)
