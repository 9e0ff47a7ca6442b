"""Shell commands as tasks, and as conditions to wait for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from tradewind.sdk.errors import WrongArgument
from tradewind.sdk.exceptions import AirflowFailException
from tradewind.sdk.operator import BaseOperator
from tradewind.sdk.sensor import BaseSensorOperator
from tradewind.sdk.shell import ShellCommand, ShellMixin


class BashOperator(ShellMixin, BaseOperator):
    """Run a command with bash. Its output goes to the log line by line; the last line is the task's output.

    Parameters:
        bash_command: the command, or the name of a `.sh` or `.bash` file whose content is rendered; templated.
        env: variables for the command, instead of those of the task; templated.
        append_env: in addition to those of the task.
        output_encoding: of the command's output.
        skip_on_exit_code: exit codes that skip the task; None: no code does.
        cwd: working directory; default a temporary one; templated.
        output_processor: makes the task's output of the last line.

    Raises:
        WrongArgument: `bash_command` is not a text.
    """

    template_fields: Sequence[str] = ("bash_command", "env", "cwd")
    template_fields_renderers: ClassVar[dict[str, str]] = {"bash_command": "bash", "env": "json"}
    template_ext: Sequence[str] = (".sh", ".bash")
    ui_color = "#f0ede4"

    def __init__(
        self,
        *,
        bash_command: Any,
        env: dict[str, str] | None = None,
        append_env: bool = False,
        output_encoding: str = "utf-8",
        skip_on_exit_code: int | list[int] | tuple[int, ...] | None = 99,
        cwd: str | None = None,
        output_processor: Callable[[str], Any] = str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bash_command = bash_command
        self.env = env
        self.append_env = append_env
        self.output_encoding = output_encoding
        self.skip_on_exit_code = skip_on_exit_code
        self.cwd = cwd
        self.output_processor = output_processor

    def execute(self, context: Any) -> Any:  # noqa: ARG002 - the signature of all operators
        if not isinstance(self.bash_command, str) or not self.bash_command.strip():
            raise WrongArgument(f"bash_command of task {self.task_id!r} must be a command, not {self.bash_command!r}")
        return self.run_shell(self.bash_command)


class BashSensor(BaseSensorOperator):
    """Wait until a command ends with exit code 0.

    Parameters:
        bash_command: the command; templated.
        env: variables for the command, instead of those of the task; templated.
        output_encoding: of its output.
        retry_exit_code: the one exit code that means "not yet"; every other fails the task. None: every code does.
    """

    template_fields: Sequence[str] = ("bash_command", "env")
    template_ext: Sequence[str] = (".sh", ".bash")

    def __init__(
        self,
        *,
        bash_command: str,
        env: dict[str, str] | None = None,
        output_encoding: str = "utf-8",
        retry_exit_code: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bash_command = bash_command
        self.env = env
        self.output_encoding = output_encoding
        self.retry_exit_code = retry_exit_code
        self._command: ShellCommand | None = None

    def poke(self, context: Any) -> bool:  # noqa: ARG002 - the signature of all sensors
        self._command = ShellCommand(self.bash_command, env=self.env, encoding=self.output_encoding)
        try:
            result = self._command.run()
        finally:
            self._command = None
        if result.exit_code == 0:
            return True
        if self.retry_exit_code is not None and result.exit_code != self.retry_exit_code:
            raise AirflowFailException(
                f"the command ended with exit code {result.exit_code}; only {self.retry_exit_code} means: not yet"
            )
        return False

    def on_kill(self) -> None:
        if self._command is not None:
            self._command.stop()
