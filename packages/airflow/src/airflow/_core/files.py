"""`airflow.utils.file`."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ZIP_REGEX = re.compile(r"((.*\.zip){1}(?:/|\\))?(.*)")


def mkdirs(path: str, mode: int) -> None:
    """Make a folder and those above it."""
    Path(path).mkdir(mode=mode, parents=True, exist_ok=True)


def correct_maybe_zipped(fileloc: Any) -> Any:
    """The archive when a path lies in one."""
    if not fileloc:
        return fileloc
    found = ZIP_REGEX.search(str(fileloc))
    archive = found.group(2) if found else None
    return archive if archive and zipfile.is_zipfile(archive) else fileloc


def open_maybe_zipped(fileloc: str, mode: str = "r") -> Any:
    """A file, or a member of an archive, opened."""
    found = ZIP_REGEX.search(fileloc)
    archive, name = (found.group(2), found.group(3)) if found else (None, fileloc)
    if archive and zipfile.is_zipfile(archive):
        import io

        return io.TextIOWrapper(zipfile.ZipFile(str(archive)).open(name))
    return open(fileloc, mode=mode, encoding="utf-8")


def list_py_file_paths(directory: Any, safe_mode: bool = True, include_examples: bool | None = None) -> list[str]:  # noqa: ARG001
    """The DAG files of a folder."""
    if directory is None:
        return []
    root = Path(directory)
    if root.is_file():
        return [str(root)]
    return [str(path) for path in sorted(root.rglob("*.py")) if not safe_mode or might_contain_dag(str(path), True)]


def find_path_from_directory(base_dir_path: Any, ignore_file_name: str, *_: Any) -> Iterator[str]:  # noqa: ARG001
    """All files of a folder."""
    yield from (str(path) for path in sorted(Path(base_dir_path).rglob("*")) if path.is_file())


def might_contain_dag(file_path: str, safe_mode: bool, zip_file: Any = None) -> bool:
    """Whether the text of a file speaks of DAGs and Airflow."""
    return not safe_mode or might_contain_dag_via_default_heuristic(file_path, zip_file)


def might_contain_dag_via_default_heuristic(file_path: str, zip_file: Any = None) -> bool:
    """Whether the text of a file speaks of DAGs and Airflow."""
    content = (zip_file.read(file_path) if zip_file else Path(file_path).read_bytes()).lower()
    return all(word in content for word in (b"dag", b"airflow"))


def get_unique_dag_module_name(file_path: str) -> str:
    """The name a DAG file gets as module."""
    path = Path(file_path)
    digest = hashlib.sha1(str(path).encode(), usedforsecurity=False).hexdigest()
    return f"unusual_prefix_{digest}_{re.sub(r'[.-]', '_', path.stem)}"


__all__ = ["TemporaryDirectory", "correct_maybe_zipped", "mkdirs", "open_maybe_zipped"]
