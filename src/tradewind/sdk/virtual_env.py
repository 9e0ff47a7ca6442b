"""Virtual environments for tasks: made with uv where it is there, else with pip; kept for the next task when asked to.

A kept environment is named by a digest of everything it is made from, made once though many tasks want it at a time
(a lock on its folder), and used only when it was finished.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .exceptions import AirflowException

_log = logging.getLogger("tradewind.task.virtualenv")
_DONE = "tradewind-venv-complete"
Run = Callable[[Sequence[str], Mapping[str, str]], int]


@dataclass(frozen=True, slots=True)
class VenvPlan:
    """What an environment is made from.

    Parameters:
        requirements: lines as pip reads them.
        python_version: "3.12", a name or a path; None: the Python of this process.
        system_site_packages: whether packages of that Python are visible.
        pip_options: further options of the installer.
        index_urls: package indexes, the first one in place of the usual.
        installer: "uv" or "pip".
    """

    requirements: tuple[str, ...] = ()
    python_version: str | None = None
    system_site_packages: bool = True
    pip_options: tuple[str, ...] = ()
    index_urls: tuple[str, ...] = ()
    installer: str = "pip"

    def digest(self) -> str:
        """Equal plans have the equal digest."""
        facts = {**asdict(self), "python": sys.version}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def chosen_installer(wish: str = "auto") -> str:
    """uv or pip. Raises `AirflowException` when uv is wanted and not there."""
    if wish == "pip":
        return "pip"
    if _uv() is not None:
        return "uv"
    if wish == "uv":
        raise AirflowException("the installer uv is wanted (standard.venv_install_method) and not found; install uv")
    return "pip"


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


@contextlib.contextmanager
def environment(plan: VenvPlan, cache_path: str | None, run: Run) -> Iterator[Path]:
    """The interpreter of an environment of this plan; the environment is removed afterwards unless `cache_path` keeps
    it.

    Parameters:
        cache_path: folder of kept environments.
        run: runs a command with further variables and gives its exit code.

    Raises:
        AirflowException: it cannot be made; the command and its exit code are named.
    """
    if cache_path is None:
        with tempfile.TemporaryDirectory(prefix="tradewind-venv-") as folder:
            yield make(Path(folder) / "venv", plan, run)
        return
    yield kept(Path(cache_path), plan, run)


def kept(cache: Path, plan: VenvPlan, run: Run) -> Path:
    """The interpreter of a kept environment, made now if there is none. Raises as `environment`."""
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"venv-{plan.digest()}"
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others who want the same one wait for it
        if (folder / _DONE).exists():
            _log.info("using the virtual environment %s", folder)
            return _python(folder)
        shutil.rmtree(folder, ignore_errors=True)
        python = make(folder, plan, run)
        (folder / _DONE).write_text(json.dumps(asdict(plan) | {"index_urls": len(plan.index_urls)}, indent=2))
        return python


def make(folder: Path, plan: VenvPlan, run: Run) -> Path:
    """Make an environment in `folder`; its interpreter. Raises as `environment`."""
    python = _interpreter(plan.python_version)
    if plan.installer == "uv":
        command = [_uv() or "uv", "venv", "--quiet", "--python", python, str(folder)]
    else:
        command = [_path_of(python), "-m", "venv", str(folder)]
    if plan.system_site_packages:
        command.append("--system-site-packages")
    _do(command, run, {}, "make the virtual environment")
    if plan.requirements:
        _install(folder, plan, run)
    return _python(folder)


def _install(folder: Path, plan: VenvPlan, run: Run) -> None:
    listed = folder / "tradewind-requirements.txt"
    listed.write_text("\n".join(plan.requirements) + "\n")
    # Addresses of indexes may hold passwords: they travel as variables, not as arguments that others can read.
    variables: dict[str, str] = {}
    if plan.installer == "uv":
        command = [_uv() or "uv", "pip", "install", "--python", str(_python(folder)), *plan.pip_options]
        if plan.index_urls:
            variables = {"UV_DEFAULT_INDEX": plan.index_urls[0], "UV_INDEX": " ".join(plan.index_urls[1:])}
    else:
        command = [str(_python(folder)), "-m", "pip", "install", *plan.pip_options]
        if plan.index_urls:
            variables = {"PIP_INDEX_URL": plan.index_urls[0], "PIP_EXTRA_INDEX_URL": " ".join(plan.index_urls[1:])}
    _do([*command, "-r", str(listed)], run, {k: v for k, v in variables.items() if v}, "install the requirements")


def _do(command: Sequence[str], run: Run, variables: Mapping[str, str], what: str) -> None:
    code = run(command, variables)
    if code != 0:
        raise AirflowException(f"cannot {what}: {shlex.join(command)} ended with code {code}; its output is in the log")


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _interpreter(version: str | None) -> str:
    if version is None:
        return sys.executable
    return f"python{version}" if version[:1].isdigit() else version


def _path_of(python: str) -> str:
    found = shutil.which(python)
    if found is None:
        raise AirflowException(
            f"there is no interpreter {python!r} on this machine; install it or correct python_version"
        )
    return found


def answers(python: Path, code: str) -> bool:
    """Whether an interpreter runs a line of code without an error."""
    done = subprocess.run([str(python), "-c", code], capture_output=True, env=dict(os.environ), check=False)
    return done.returncode == 0
