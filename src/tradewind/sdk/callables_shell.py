"""Python functions that write a shell command: behind `@task.bash`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from .callables import CallableOperator
from .errors import WrongArgument
from .shell import ShellMixin


class CallableBashOperator(ShellMixin, CallableOperator):
    """Calls a function and runs the text it returns with bash; the last line of the output is the task's output.

    Parameters:
        env, append_env, output_encoding, skip_on_exit_code, cwd, output_processor: as of `BashOperator`.
    """

    template_fields: Sequence[str] = (*CallableOperator.template_fields, "env", "cwd")
    template_fields_renderers: ClassVar[dict[str, str]] = {**CallableOperator.template_fields_renderers, "env": "json"}
    ui_color = "#f0ede4"

    def __init__(
        self,
        *,
        env: dict[str, str] | None = None,
        append_env: bool = False,
        output_encoding: str = "utf-8",
        skip_on_exit_code: int | list[int] | tuple[int, ...] | None = 99,
        cwd: str | None = None,
        output_processor: Callable[[str], Any] = str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.env = env
        self.append_env = append_env
        self.output_encoding = output_encoding
        self.skip_on_exit_code = skip_on_exit_code
        self.cwd = cwd
        self.output_processor = output_processor

    def execute(self, context: Any) -> Any:
        command = self.call(context)
        if not isinstance(command, str) or not command.strip():
            raise WrongArgument(
                f"the function of @task.bash {self.task_id!r} must return a command, not {command!r} "
                f"of type {type(command).__name__}"
            )
        # The text may contain templates itself, as a bash_command may.
        return self.run_shell(_rendered(self, command, context))


def _rendered(task: CallableBashOperator, command: str, context: Any) -> str:
    from .templates import engine_for

    return str(engine_for(task).render_text(command, context))
