"""Functions that run in another interpreter: behind `@task.virtualenv`, `@task.external_python` and their branches."""

from __future__ import annotations

import contextlib
import inspect
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .attempt import attempt_at_hand
from .binding import CONTEXT_NAMES, call_arguments, signature_of
from .branching import BranchMixIn
from .callables import CallableOperator
from .errors import WrongArgument
from .exceptions import AirflowException
from .foreign_python import SERIALIZERS, ForeignCall, plain, portable, source_of
from .shell import ShellCommand
from .virtual_env import VenvPlan, answers, chosen_installer, environment


class ForeignCallable(CallableOperator):
    """Base: runs the function with the interpreter that `_python` gives.

    Parameters:
        serializer: how arguments and result travel: pickle, cloudpickle or dill; both sides need it.
        use_dill: of earlier days; write serializer="dill".
        string_args: texts the function finds in the global variable `virtualenv_string_args`.
        expect_airflow, expect_pendulum: taken for compatibility; what is there is looked up.
        skip_on_exit_code: exit codes that skip the task.
        env_vars, inherit_env: variables of the process, and whether it has those of the task too.

    Raises:
        WrongArgument: the function cannot be sent to another interpreter; why is named.
    """

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        serializer: str | None = None,
        use_dill: bool = False,
        string_args: Collection[str] | None = None,
        expect_airflow: bool = True,
        expect_pendulum: bool = False,
        skip_on_exit_code: int | Collection[int] | None = None,
        env_vars: Mapping[str, str] | None = None,
        inherit_env: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(python_callable=python_callable, **kwargs)
        self.serializer = serializer or ("dill" if use_dill else "pickle")
        if self.serializer not in SERIALIZERS:
            raise WrongArgument(
                f"serializer of task {self.task_id!r} must be {', '.join(SERIALIZERS)}, not {self.serializer!r}"
            )
        source_of(python_callable)
        self.string_args = list(string_args or ())
        self.expect_airflow = expect_airflow
        self.expect_pendulum = expect_pendulum
        self.skip_on_exit_code = _codes(skip_on_exit_code)
        self.env_vars = env_vars
        self.inherit_env = inherit_env
        self._foreign: ForeignCall | ShellCommand | None = None

    @contextlib.contextmanager
    def _python(self) -> Iterator[Path]:
        raise NotImplementedError
        yield  # makes it a generator

    def call(self, context: Any) -> Any:
        with tempfile.TemporaryDirectory(prefix="tradewind-call-") as folder, self._python() as python:
            call = ForeignCall(python, Path(folder), serializer=self.serializer, variables=self._variables())
            self._foreign = call
            try:
                return call.run(
                    self.python_callable,
                    plain(tuple(self.op_args)),
                    plain(self._named(context, python)),
                    skip_codes=self.skip_on_exit_code,
                )
            finally:
                self._foreign = None

    def on_kill(self) -> None:
        """End the other process."""
        if self._foreign is not None:
            self._foreign.stop()

    def _named(self, context: Any, python: Path) -> dict[str, Any]:
        own = dict(self.op_kwargs)
        if self.templates_dict is not None:
            own.setdefault("templates_dict", self.templates_dict)
        function = self.python_callable
        asked = {
            name: value for name, value in call_arguments(function, self.op_args, own, context).items()
            if name not in own
        }  # fmt: skip
        if asked:
            asked = portable(asked, has_pendulum=answers(python, "import pendulum"))
        if not _is_open(function):
            missing = sorted(
                name for name, p in signature_of(function).parameters.items()
                if name in CONTEXT_NAMES and p.default is p.empty and name not in asked and name not in own
                and name in context
            )  # fmt: skip
            if missing:
                raise AirflowException(
                    f"task {self.task_id!r}: the variable {missing[0]!r} of the context lives in the task's own "
                    "process and cannot be sent to another interpreter; pass what you need of it as an argument"
                )
            own = {name: value for name, value in own.items() if name in signature_of(function).parameters}
        return {**asked, **own}

    def _variables(self) -> dict[str, str] | None:
        if self.env_vars is None and self.inherit_env:
            return None
        base = dict(os.environ) if self.inherit_env else {}
        return {**base, **(self.env_vars or {})}


class VirtualenvCallable(ForeignCallable):
    """Runs the function in a virtual environment of its own.

    Parameters:
        requirements: packages: a list, or the text or name of a requirements file; templated.
        python_version: "3.12", or the name or path of an interpreter; default: this Python.
        system_site_packages: whether packages of that Python are visible.
        pip_install_options: further options of the installer.
        index_urls: package indexes; index_urls_from_connection_ids: of connections of type package_index.
        venv_cache_path: folder in which environments are kept for the next task; default: removed after each.
        others: see `ForeignCallable`.

    uv installs where it is there (setting `[standard] venv_install_method`: auto, uv, pip).
    """

    template_fields: Sequence[str] = (
        "requirements", "index_urls", "index_urls_from_connection_ids", "venv_cache_path",
        *CallableOperator.template_fields,
    )  # fmt: skip
    template_ext: Sequence[str] = (".txt",)

    def __init__(
        self,
        *,
        requirements: Collection[str] | str | None = None,
        python_version: str | float | None = None,
        system_site_packages: bool = True,
        pip_install_options: Collection[str] | None = None,
        index_urls: Collection[str] | str | None = None,
        index_urls_from_connection_ids: Collection[str] | str | None = None,
        venv_cache_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.requirements = [] if requirements is None else requirements
        self.python_version = None if python_version is None else str(python_version)
        self.system_site_packages = system_site_packages
        self.pip_install_options = list(pip_install_options or ())
        self.index_urls = [index_urls] if isinstance(index_urls, str) else index_urls
        named = index_urls_from_connection_ids
        self.index_urls_from_connection_ids = [named] if isinstance(named, str) else named
        self.venv_cache_path = venv_cache_path

    @contextlib.contextmanager
    def _python(self) -> Iterator[Path]:
        with environment(self._plan(), self.venv_cache_path, self._do) as python:
            yield python

    def _plan(self) -> VenvPlan:
        from .configuration import conf

        wanted = self.requirements
        lines = wanted.splitlines() if isinstance(wanted, str) else [str(line) for line in wanted]
        lines = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        if self.serializer != "pickle" and not any(line.lower().startswith(self.serializer) for line in lines):
            lines.append(self.serializer)
        return VenvPlan(
            requirements=tuple(lines),
            python_version=self.python_version,
            system_site_packages=self.system_site_packages,
            pip_options=tuple(self.pip_install_options),
            index_urls=(*(self.index_urls or ()), *map(_index_url, self.index_urls_from_connection_ids or ())),
            installer=chosen_installer(conf.get("standard", "venv_install_method", fallback="auto")),
        )

    def _do(self, command: Sequence[str], variables: Mapping[str, str]) -> int:
        self._foreign = ShellCommand(f"exec {shlex.join(command)}", env={**os.environ, **variables})
        try:
            return self._foreign.run().exit_code
        finally:
            self._foreign = None


class ExternalPythonCallable(ForeignCallable):
    """Runs the function with an interpreter that is there already.

    Parameters:
        python: its path; templated.
        others: see `ForeignCallable`.
    """

    template_fields: Sequence[str] = ("python", *CallableOperator.template_fields)

    def __init__(self, *, python: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not python:
            raise WrongArgument(f"task {self.task_id!r} needs python=, the path of an interpreter")
        self.python = python

    @contextlib.contextmanager
    def _python(self) -> Iterator[Path]:
        path = Path(self.python)
        if not path.is_file():
            raise AirflowException(f"task {self.task_id!r}: there is no interpreter at {path}; correct python=")
        if not os.access(path, os.X_OK):
            raise AirflowException(f"task {self.task_id!r}: {path} cannot be executed; correct python=")
        yield path


class BranchVirtualenvCallable(BranchMixIn, VirtualenvCallable):
    """As `VirtualenvCallable`; the function gives the id or ids of the tasks or groups to follow."""

    inherits_from_skipmixin = True

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, super().execute(context))


class BranchExternalPythonCallable(BranchMixIn, ExternalPythonCallable):
    """As `ExternalPythonCallable`; the function gives the id or ids of the tasks or groups to follow."""

    inherits_from_skipmixin = True

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, super().execute(context))


def _codes(value: int | Collection[int] | None) -> tuple[int, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, int) else tuple(value)


def _is_open(function: Callable[..., Any]) -> bool:
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature_of(function).parameters.values())


def _index_url(conn_id: str) -> str:
    """Address of a package index, from a connection: host with login and password in it."""
    from urllib.parse import quote, urlsplit, urlunsplit

    from .connections import find_connection

    connection = find_connection(conn_id)
    parts = urlsplit(connection.host or "")
    if not parts.scheme:
        raise AirflowException(f"connection {conn_id!r} needs a host such as https://index.example/simple")
    owner = quote(connection.login or "", safe="")
    if connection.password:
        password = quote(connection.password, safe="")
        attempt = attempt_at_hand()
        if attempt is not None:
            attempt.mask(password)  # installers print the address they use
        owner += f":{password}"
    place = f"{owner}@{parts.netloc}" if owner else parts.netloc
    return urlunsplit((parts.scheme, place, parts.path, parts.query, ""))


PYTHON = sys.executable
"""The interpreter of this process, for `python=`."""
