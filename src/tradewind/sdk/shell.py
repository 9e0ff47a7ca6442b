"""Running shell commands: the part that `BashOperator`, `BashSensor` and `@task.bash` share.

A command runs in a process group of its own, so that ending it ends what it started; its output is read as it comes,
line by line,
with a bounded piece of it in memory, and goes to the log. The last line is the result.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import IO, Any

from tradewind.sdk.exceptions import AirflowException, AirflowSkipException

CONTEXT_VARIABLE_PREFIX = "AIRFLOW_CTX_"
LINE_BYTES_MAX = 64 * 1024
"""Longer lines are logged in pieces of this size."""
KILL_GRACE_SECONDS = 5.0
"""Time between SIGTERM and SIGKILL when a command is ended."""

_log = logging.getLogger("tradewind.task.shell")


@dataclass(frozen=True, slots=True)
class ShellResult:
    """How a command ended: its exit code (negative: the signal that ended it) and its last line, "" if none."""

    exit_code: int
    output: str


class ShellCommand:
    """One command, run at most once at a time. `stop` may be called from a signal handler or another thread.

    Parameters:
        command: text for `bash -c`.
        env: the whole environment of the command; None: that of this process.
        cwd: working directory; None: a temporary one that is removed afterwards.
        encoding: of the output; bytes that do not fit are shown as escapes.
        on_line: called with each line without its end; default: the log.
    """

    def __init__(
        self,
        command: str,
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        encoding: str = "utf-8",
        on_line: Callable[[str], object] | None = None,
    ) -> None:
        self._command = command
        self._env = env
        self._cwd = cwd
        self._encoding = encoding
        self._on_line = on_line or _log_line
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> ShellResult:
        """Start the command and wait for its end. Raises `AirflowException` when `cwd` is no directory."""
        with _working_directory(self._cwd) as folder:
            last = ""
            with subprocess.Popen(
                [shutil.which("bash") or "sh", "-c", self._command],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=None if self._env is None else dict(self._env),
                cwd=folder,
                process_group=0,
            ) as process:
                self._process = process
                try:
                    assert process.stdout is not None
                    for line in _lines(process.stdout):
                        last = line.decode(self._encoding, errors="backslashreplace")
                        self._on_line(last)
                    exit_code = process.wait()
                except BaseException:
                    # A time-out or termination arrives here as an exception: leaving without ending the command would
                    # wait for it.
                    self.stop()
                    raise
                finally:
                    self._process = None
        return ShellResult(exit_code, last)

    def stop(self) -> None:
        """End the command and everything in its process group: SIGTERM, after a grace SIGKILL. Nothing happens when it
        is not running.
        """
        process = self._process
        if process is None or process.returncode is not None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(KILL_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _log.warning("command did not end on SIGTERM; killing it", extra={"pid": process.pid})
        _signal_group(process.pid, signal.SIGKILL)


def run_bash(
    command: str,
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    encoding: str = "utf-8",
    on_line: Callable[[str], object] | None = None,
) -> ShellResult:
    """Run `command` with bash and wait. Parameters and errors: `ShellCommand`."""
    return ShellCommand(command, env=env, cwd=cwd, encoding=encoding, on_line=on_line).run()


class ShellMixin:
    """For operators that run a shell command. The operator sets the attributes below in `__init__` and calls
    `run_shell`.
    """

    env: dict[str, str] | None = None
    """Variables for the command; they replace the environment of the task unless `append_env`."""
    append_env: bool = False
    output_encoding: str = "utf-8"
    skip_on_exit_code: int | list[int] | tuple[int, ...] | None = 99
    """Exit codes that skip the task."""
    cwd: str | None = None
    output_processor: Callable[[str], Any] = str
    """Makes the result of the last line."""

    _shell_command: ShellCommand | None = None

    def run_shell(self, command: str) -> Any:
        """Run `command`; its last line, processed.

        Raises:
            AirflowSkipException: it ended with a code of `skip_on_exit_code`.
            AirflowException: it ended with another code than 0, or `cwd` is no directory.
        """
        self._shell_command = ShellCommand(
            command, env=self.shell_environment(), cwd=self.cwd, encoding=self.output_encoding
        )
        try:
            result = self._shell_command.run()
        finally:
            self._shell_command = None
        if result.exit_code in _skip_codes(self.skip_on_exit_code):
            raise AirflowSkipException(f"Bash command returned exit code {result.exit_code}. Skipping.")
        if result.exit_code != 0:
            raise AirflowException(
                f"Bash command failed. The command returned a non-zero exit code {result.exit_code}"
                + (f"; its last line: {result.output}" if result.output else "")
            )
        # Looked up on the instance, or on the class without binding: it is a plain function of one text.
        processor = self.__dict__.get("output_processor") or type(self).__dict__.get("output_processor") or str
        return processor(result.output)

    def shell_environment(self) -> dict[str, str]:
        """The environment of the command: that of the task, `env`, or both; the AIRFLOW_CTX_ variables always."""
        if self.env is None:
            return dict(os.environ)
        if self.append_env:
            return {**os.environ, **self.env}
        about_task = {name: value for name, value in os.environ.items() if name.startswith(CONTEXT_VARIABLE_PREFIX)}
        return {**about_task, **self.env}

    def on_kill(self) -> None:
        """End the running command."""
        if self._shell_command is not None:
            self._shell_command.stop()


def _skip_codes(codes: int | list[int] | tuple[int, ...] | None) -> tuple[int, ...]:
    if codes is None:
        return ()
    return (codes,) if isinstance(codes, int) else tuple(codes)


def _working_directory(cwd: str | None) -> AbstractContextManager[str]:
    if cwd is None:
        return tempfile.TemporaryDirectory(prefix="tradewind-shell-")
    if not os.path.exists(cwd):
        raise AirflowException(f"Can not find the cwd: {cwd}; create the directory or correct the argument cwd")
    if not os.path.isdir(cwd):
        raise AirflowException(f"The cwd {cwd} must be a directory; correct the argument cwd")
    return nullcontext(cwd)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    # readline with a size returns pieces of over-long lines, so a command that never ends its line cannot fill the
    # memory.
    while piece := stream.readline(LINE_BYTES_MAX):
        yield piece.rstrip(b"\r\n")


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass  # all gone already


def _log_line(line: str) -> None:
    _log.info("%s", line)
