"""`airflow.utils.process_utils`."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger("tradewind.task.process_utils")
DEFAULT_TIME_TO_WAIT_AFTER_SIGTERM = 60


def execute_in_subprocess(cmd: list[str], cwd: str | None = None, env: dict[str, str] | None = None) -> None:
    """Run a command; its output is logged. Raises CalledProcessError when it fails."""
    execute_in_subprocess_with_kwargs(cmd, cwd=cwd, env=env)


def execute_in_subprocess_with_kwargs(cmd: list[str], **kwargs: Any) -> None:
    """The same, with arguments of `subprocess.Popen`."""
    log.info("Executing cmd: %s", " ".join(map(shlex.quote, cmd)))
    with subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=True, **kwargs) as process:
        for line in process.stdout or ():
            log.info("%s", line.decode(errors="replace").rstrip())
        code = process.wait()
    if code:
        raise subprocess.CalledProcessError(code, cmd)


def execute_interactive(cmd: list[str], **kwargs: Any) -> None:
    """Run a command with this terminal."""
    subprocess.run(cmd, check=True, **kwargs)


def kill_child_processes_by_pids(pids_to_kill: list[int], timeout: int = 5) -> None:
    """End processes, gently first."""
    import psutil  # type: ignore[import-untyped,unused-ignore]

    children = [psutil.Process(pid) for pid in pids_to_kill if psutil.pid_exists(pid)]
    for child in children:
        child.terminate()
    _, alive = psutil.wait_procs(children, timeout=timeout)
    for child in alive:
        child.kill()


def reap_process_group(
    process_group_id: int, logger: Any, sig: signal.Signals = signal.SIGTERM, timeout: float = 60
) -> dict[int, int]:
    """End a group of processes; pid → exit code."""
    import psutil

    def members() -> list[Any]:
        return [one for one in psutil.process_iter(["pid"]) if _group(one.pid) == process_group_id]

    found: dict[int, int] = {}
    for number in (sig, signal.SIGKILL):
        listed = members()
        if not listed:
            break
        logger.info("Sending %s to group %s", number, process_group_id)
        try:
            os.killpg(process_group_id, number)
        except ProcessLookupError:
            break
        gone, _ = psutil.wait_procs(listed, timeout=timeout)
        found.update({one.pid: getattr(one, "returncode", None) or 0 for one in gone})
    return found


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


@contextmanager
def patch_environ(new_env_variables: dict[str, str]) -> Iterator[None]:
    """Environment variables for the block."""
    before = {name: os.environ.get(name) for name in new_env_variables}
    os.environ.update(new_env_variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def check_if_pidfile_process_is_running(pid_file: str, process_name: str) -> None:
    """Raise when the process of a pid file lives."""
    import psutil

    try:
        pid = int(Path(pid_file).read_text("utf-8"))
    except (OSError, ValueError):
        return
    if psutil.pid_exists(pid):
        raise RuntimeError(f"The {process_name} is already running under PID {pid}.")


def set_new_process_group() -> None:
    """Make this process the head of a group of its own."""
    if os.getpid() != os.getsid(0):
        os.setpgid(0, 0)
