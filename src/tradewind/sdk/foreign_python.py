"""Calling a function in another interpreter: its source, its arguments and its result travel as files.

The other interpreter needs nothing of Tradewind. What the function uses it must import itself.
"""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import inspect
import json
import logging
import shlex
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import WrongArgument
from .exceptions import AirflowException, AirflowSkipException
from .shell import ShellCommand

_log = logging.getLogger("tradewind.task.python")
SERIALIZERS = ("pickle", "cloudpickle", "dill")

_SCRIPT = """\
import json, sys, traceback, types
import {serializer} as _serializer

_input, _output, _failure = sys.argv[1:4]
_module = types.ModuleType("__tradewind_callable__")
sys.modules[_module.__name__] = _module

def _main():
    with open(_input, "rb") as _file:
        _arguments = _serializer.load(_file)
    _result = {name}(*_arguments["args"], **_arguments["kwargs"])
    if hasattr(_result, "__await__"):
        import asyncio
        async def _wait():
            return await _result
        _result = asyncio.run(_wait())
    with open(_output, "wb") as _file:
        _serializer.dump(_result, _file)

{source}

try:
    _main()
except SystemExit:
    raise
except BaseException as _error:
    traceback.print_exc()
    with open(_failure, "w") as _file:
        json.dump({{"type": type(_error).__name__, "message": str(_error)}}, _file)
    sys.exit(1)
"""


def source_of(function: Callable[..., Any]) -> str:
    """The function as text, without its decorators.

    Raises:
        WrongArgument: it is a lambda, is made at run time, or uses variables of a function around it.
    """
    name = getattr(function, "__name__", "")
    if not inspect.isfunction(function) or name == "<lambda>":
        raise WrongArgument(f"a function for another interpreter must be written with def, not {function!r}")
    if function.__closure__:
        used = ", ".join(function.__code__.co_freevars)
        raise WrongArgument(
            f"function {name!r} uses variables of a function around it ({used}); pass them as arguments"
        )
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except OSError as error:
        raise WrongArgument(f"the source of function {name!r} cannot be found: {error}") from None
    tree = ast.parse(text)
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    definition.decorator_list = []
    definition.returns = None
    for argument in (*definition.args.posonlyargs, *definition.args.args, *definition.args.kwonlyargs):
        argument.annotation = None  # names of types need not exist there
    for rest in (definition.args.vararg, definition.args.kwarg):
        if rest is not None:
            rest.annotation = None
    return ast.unparse(tree)


class ForeignCall:
    """One call in another interpreter. `stop` ends it.

    Parameters:
        python: the interpreter.
        folder: for the files of this call.
        serializer: pickle, cloudpickle or dill; both interpreters need it.
        variables: environment of the call; None: that of the task.
    """

    def __init__(
        self, python: Path, folder: Path, *, serializer: str = "pickle", variables: Mapping[str, str] | None = None
    ) -> None:
        self._python = python
        self._folder = folder
        self._serializer = serializer
        self._variables = variables
        self._command: ShellCommand | None = None

    def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        skip_codes: Sequence[int] = (),
    ) -> Any:
        """What the function returns there.

        Raises:
            AirflowSkipException: it ended with a code of `skip_codes`.
            AirflowException: it raised (its type and message are named) or its process died.
            WrongArgument: arguments cannot be written, or the result cannot be read.
        """
        serializer = serializer_of(self._serializer)
        script, given, output, failure = (self._folder / name for name in ("script.py", "input", "output", "failure"))
        script.write_text(
            _SCRIPT.format(serializer=self._serializer, name=function.__name__, source=source_of(function)), "utf-8"
        )
        try:
            given.write_bytes(serializer.dumps({"args": list(args), "kwargs": dict(kwargs)}))
        except Exception as error:  # picklers raise what they like
            raise WrongArgument(
                f"arguments of {function.__name__!r} cannot be written with {self._serializer}: {error}"
            ) from error
        words = [str(self._python), str(script), str(given), str(output), str(failure)]
        self._command = ShellCommand(f"exec {shlex.join(words)}", env=self._variables)
        code = self._command.run().exit_code
        if code in skip_codes:
            raise AirflowSkipException(f"the process ended with code {code}, which skips the task")
        if code != 0:
            raise AirflowException(_reason(code, failure))
        return self._read(output, serializer)

    def stop(self) -> None:
        """End the process and what it started."""
        if self._command is not None:
            self._command.stop()

    def _read(self, output: Path, serializer: Any) -> Any:
        if not output.exists():
            return None
        try:
            return serializer.loads(output.read_bytes())
        except Exception as error:
            raise WrongArgument(
                f"the result cannot be read here with {self._serializer}: {error}; return plain data, or install what "
                "it needs"
            ) from error


def _reason(code: int, failure: Path) -> str:
    if failure.exists():
        said = json.loads(failure.read_text("utf-8"))
        return f"the function raised {said['type']}: {said['message']}"
    how = f"died of signal {-code}" if code < 0 else f"ended with code {code}"
    return f"the process of the function {how}; its output is in the log"


def serializer_of(name: str) -> Any:
    """The module. Raises `WrongArgument` for an unknown one, `AirflowException` for one that is not installed."""
    if name not in SERIALIZERS:
        raise WrongArgument(f"serializer must be {', '.join(SERIALIZERS)}, not {name!r}")
    try:
        return importlib.import_module(name)
    except ImportError:
        raise AirflowException(f"the serializer {name} is not installed here; install it or use pickle") from None


def plain(value: Any) -> Any:
    """`value` without objects of ours that the other interpreter does not know: lazy outputs become lists."""
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(plain(each) for each in value)
    if type(value) is list:
        return [plain(each) for each in value]
    if type(value) is dict:
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and type(value).__module__.startswith("tradewind."):
        return [plain(each) for each in value]
    return value


def portable(values: Mapping[str, Any], *, has_pendulum: bool) -> dict[str, Any]:
    """Context variables as another interpreter can read them: what is bound to this process is left out, dates are
    plain where pendulum is missing there."""
    found = {}
    for name, value in values.items():
        if callable(getattr(value, "now", None)) and type(value).__name__ == "Later":
            value = value.now()
        if isinstance(value, dt.datetime) and not has_pendulum:
            value = dt.datetime.fromisoformat(value.isoformat())
        if name not in _BOUND:
            found[name] = value
    return found


_BOUND = frozenset(
    {
        "conn", "dag", "dag_run", "inlet_events", "macros", "outlet_events", "task", "task_instance", "ti", "var",
        "triggering_asset_events", "task_state_store", "asset_state_store", "exception", "conf",
        "triggering_dataset_events", "inlets", "outlets",
    }
)  # fmt: skip
"""Variables that live in the task's own process only."""
