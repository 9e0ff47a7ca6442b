"""Python functions as conditions to wait for: behind `@task.sensor`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from .callables import call_function
from .errors import WrongArgument
from .sensor import BaseSensorOperator, PokeReturnValue


class CallableSensor(BaseSensorOperator):
    """Calls a function again and again until it returns something true, or a `PokeReturnValue` that is done.

    Parameters:
        python_callable: the function; it gets the context variables it names.
        op_args, op_kwargs: its arguments; templated.
        templates_dict: templated values, handed over as the context variable `templates_dict`.

    Raises:
        WrongArgument: `python_callable` is not a function.
    """

    template_fields: Sequence[str] = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"templates_dict": "json", "op_args": "py", "op_kwargs": "py"}

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        templates_dict: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(python_callable):
            raise WrongArgument(f"python_callable of task {self.task_id!r} must be a function, not {python_callable!r}")
        self.python_callable = python_callable
        self.op_args = op_args if op_args is not None else ()
        self.op_kwargs = op_kwargs if op_kwargs is not None else {}
        self.templates_dict = templates_dict

    def poke(self, context: Any) -> bool | PokeReturnValue:
        result = call_function(self.python_callable, self.op_args, self.op_kwargs, self.templates_dict, context)
        return result if isinstance(result, PokeReturnValue) else bool(result)
