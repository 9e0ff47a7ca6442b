"""Operators that call a Python function. `PythonOperator` and `@task` are thin layers over `CallableOperator`."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from .binding import call_arguments
from .errors import WrongArgument
from .operator import BaseOperator

_log = logging.getLogger("tradewind.task")


class CallableOperator(BaseOperator):
    """Calls a function with the arguments given and the context variables it names; what it returns is the output.

    Parameters:
        python_callable: the function; an async one is run to its end in an event loop.
        op_args, op_kwargs: its arguments; templated.
        templates_dict: templated values, handed over as the context variable `templates_dict`.
        templates_exts: endings of file names in `templates_dict` whose content is rendered.
        show_return_value_in_logs: whether the log shows what it returned.

    Raises:
        WrongArgument: `python_callable` is not a function.
    """

    template_fields: Sequence[str] = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"templates_dict": "json", "op_args": "py", "op_kwargs": "py"}
    shallow_copy_attrs: Sequence[str] = ("python_callable", "op_kwargs")
    ui_color = "#ffefeb"

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        templates_dict: dict[str, Any] | None = None,
        templates_exts: Sequence[str] | None = None,
        show_return_value_in_logs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(python_callable):
            raise WrongArgument(
                f"python_callable of task {self.task_id!r} must be a function, not {python_callable!r} "
                f"of type {type(python_callable).__name__}"
            )
        self.python_callable = python_callable
        self.op_args = op_args if op_args is not None else ()
        self.op_kwargs = op_kwargs if op_kwargs is not None else {}
        self.templates_dict = templates_dict
        self.show_return_value_in_logs = show_return_value_in_logs
        if templates_exts:
            self.template_ext = templates_exts

    def execute(self, context: Any) -> Any:
        """Call the function."""
        result = self.call(context)
        if self.show_return_value_in_logs:
            self.log.info("Done. Returned value was: %s", result)
        else:
            self.log.info("Done. The returned value is not shown")
        return result

    # Only the variables that the function names are read: `execution` need not fill the context.
    execute.reads_context_by_name = True  # type: ignore[attr-defined]

    def call(self, context: Any) -> Any:
        """The function's result, not logged."""
        return call_function(self.python_callable, self.op_args, self.op_kwargs, self.templates_dict, context)


def call_function(
    function: Callable[..., Any],
    op_args: Collection[Any],
    op_kwargs: Mapping[str, Any],
    templates_dict: dict[str, Any] | None,
    context: Any,
) -> Any:
    """The result of `function` with the author's arguments and the context variables it names.

    An async function is run to its end in an event loop; a generator function is run to its end: `Metadata` that it
    yields is told with its outlets, and what it returns then is the result.
    """
    if templates_dict is not None:
        context["templates_dict"] = templates_dict
    result = function(*op_args, **call_arguments(function, op_args, op_kwargs, context))
    if inspect.isawaitable(result):
        import asyncio  # heavy, and most tasks need none

        return asyncio.run(_awaited(result))
    if inspect.isgenerator(result):
        return _run_out(result, context)
    return result


async def _awaited(result: Any) -> Any:
    return await result


def _run_out(generator: Any, context: Any) -> Any:
    from .assets import Metadata

    while True:
        try:
            item = next(generator)
        except StopIteration as end:
            return end.value
        if isinstance(item, Metadata):
            events = context["outlet_events"]
            if item.alias is not None:
                events[item.alias].add(item.asset, extra=item.extra)
            else:
                events[item.asset].extra.update(item.extra)
            continue
        _log.warning("a task function yielded %r, which has no meaning; return a list instead", item)


def function_name(function: Callable[..., Any]) -> str:
    """A name for a function or callable object."""
    return getattr(function, "__name__", None) or type(function).__name__
