"""`airflow.models.DagBag`: the DAGs of a folder, for tests of DAG files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple


class FileLoadStat(NamedTuple):
    """How a file was loaded."""

    file: str
    duration: timedelta
    dag_num: int
    task_num: int
    dags: str
    warning_num: int = 0


class DagBag:
    """Loads DAG files in this process.

    Parameters:
        dag_folder: a folder or file; default the configured one.
        include_examples, safe_mode, read_dags_from_db, ...: taken; `safe_mode` passes over files that mention no DAG.
    """

    def __init__(
        self, dag_folder: str | Path | None = None, include_examples: Any = None, safe_mode: Any = True, **_: Any
    ) -> None:
        from airflow._core.configuration import conf, get_airflow_home

        default = conf.get("core", "dags_folder", fallback=None) or str(Path(get_airflow_home()) / "dags")
        self.dag_folder = str(dag_folder or default)
        self.include_examples = include_examples
        self.safe_mode = safe_mode
        self.dags: dict[str, Any] = {}
        self.import_errors: dict[str, str] = {}
        self.file_last_changed: dict[str, Any] = {}
        self.dagbag_stats: list[FileLoadStat] = []
        if dag_folder is None or dag_folder not in (os.devnull, "/dev/null"):
            self.collect_dags(self.dag_folder)

    def collect_dags(self, dag_folder: str | Path | None = None, **_: Any) -> None:
        """Load all files of a folder."""
        root = Path(dag_folder or self.dag_folder)
        files = [root] if root.is_file() else sorted(root.rglob("*.py"))
        for file in files:
            if self.safe_mode and not _mentions(file):
                continue
            self.process_file(str(file), root=root if root.is_dir() else root.parent)

    def process_file(self, filepath: str, *_: Any, **more: Any) -> list[Any]:
        """Load a file; its DAGs."""
        from tradewind.sdk.loading import load_dag_file

        root = more.get("root") or Path(filepath).parent
        name = f"tradewind_dag_{abs(hash(filepath))}"
        loaded = load_dag_file(filepath, bundle_root=root, module_name=name)
        for error in loaded.errors:
            self.import_errors[filepath] = error.traceback
        self.dags.update(loaded.dags)
        return list(loaded.dags.values())

    def get_dag(self, dag_id: str, *_: Any, **__: Any) -> Any:
        """The DAG; None when there is none."""
        return self.dags.get(dag_id)

    @property
    def dag_ids(self) -> list[str]:
        """Ids of all DAGs."""
        return list(self.dags)

    def size(self) -> int:
        """How many DAGs there are."""
        return len(self.dags)

    def bag_dag(self, dag: Any, **_: Any) -> None:
        """Put a DAG in."""
        dag.validate()
        self.dags[dag.dag_id] = dag

    def __iter__(self) -> Iterator[Any]:
        return iter(self.dags.values())


BundleDagBag = DagBag


def _mentions(file: Path) -> bool:
    text = file.read_bytes().lower()
    return (b"dag" in text or b"asset" in text) and (b"airflow" in text or b"tradewind" in text)
