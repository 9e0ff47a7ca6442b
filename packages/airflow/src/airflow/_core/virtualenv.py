"""`airflow.utils.python_virtualenv`: making an environment for a script."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from airflow._core.decorated import remove_task_decorator
from airflow._core.processes import execute_in_subprocess


def prepare_virtualenv(
    venv_directory: str,
    python_bin: str,
    system_site_packages: bool,
    requirements: list[str] | None = None,
    requirements_file_path: str | None = None,
    pip_install_options: list[str] | None = None,
    index_urls: list[str] | None = None,
    **_: Any,
) -> str:
    """Make a virtual environment and install packages; path of its interpreter."""
    if requirements is not None and requirements_file_path is not None:
        raise ValueError("Either requirements OR requirements_file_path has to be passed, but not both")
    uv = shutil.which("uv")
    make = [uv, "venv", "--allow-existing", "--seed"] if uv else [sys.executable, "-m", "venv"]
    if python_bin and uv:
        make += ["--python", python_bin]
    elif python_bin and shutil.which(python_bin):
        make[0] = python_bin
    if system_site_packages:
        make.append("--system-site-packages")
    execute_in_subprocess([*make, venv_directory])
    python = str(Path(venv_directory) / "bin" / "python")
    wanted = ["-r", requirements_file_path] if requirements_file_path else list(requirements or [])
    if wanted:
        install = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
        urls = [part for url in index_urls or [] for part in ("--extra-index-url", url)]
        execute_in_subprocess([*install, *(pip_install_options or []), *urls, *wanted])
    return python


def write_python_script(
    jinja_context: dict[str, Any], filename: str, render_template_as_native_obj: bool = False, **_: Any
) -> None:
    """Raises NotImplementedError: the script of the virtual environment operators is theirs."""
    raise NotImplementedError(f"write_python_script({filename!r}): use PythonVirtualenvOperator")


__all__ = ["prepare_virtualenv", "remove_task_decorator", "write_python_script"]
