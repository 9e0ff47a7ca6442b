"""Running and loading DAGs in tests: what stands behind the fixtures."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tradewind.kernel.clock import VirtualClock
from tradewind.sdk.definition import DAG
from tradewind.sdk.loading import load_dag_file
from tradewind.sdk.notset import NOTSET
from tradewind.sdk.testing import TestedRun, run_dag
from tradewind.sdk.value_codecs import to_json

_UNSAFE = re.compile(r"[^\w.\-\[\]]+")


class SnapshotDiffers(AssertionError):
    """A run is not as its snapshot says; the message shows the difference."""


class Snapshots:
    """The snapshots of one test: files of JSON beside it.

    Parameters:
        folder: where they lie.
        name: of the test; several snapshots of a test are numbered.
        update: write them anew.
    """

    def __init__(self, folder: Path, name: str, *, update: bool = False) -> None:
        self._folder = folder
        self._name = _UNSAFE.sub("_", name)
        self._update = update
        self._count = 0

    def check(self, content: Mapping[str, Any], name: str | None = None) -> None:
        """Compare with the snapshot; the first time, and on update, write it.

        Raises:
            SnapshotDiffers: it is another; `--tradewind-update-snapshots` accepts the new one.
        """
        self._count += 1
        label = name or (f".{self._count}" if self._count > 1 else "")
        file = self._folder / f"{self._name}{f'.{label}' if name else label}.json"
        present = json.dumps(json.loads(to_json(dict(content))), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        if self._update or not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            file.write_text(present, encoding="utf-8")
            return
        known = file.read_text(encoding="utf-8")
        if known != present:
            lines = difflib.unified_diff(known.splitlines(), present.splitlines(), "snapshot", "this run", lineterm="")
            raise SnapshotDiffers(
                f"the run differs from {file.name}; if it is right so, run pytest with "
                "--tradewind-update-snapshots\n" + "\n".join(lines)
            )


class CheckedRun:
    """A run in a test: everything a `TestedRun` has, and its snapshot."""

    def __init__(self, run: TestedRun, snapshots: Snapshots) -> None:
        self.run = run
        self._snapshots = snapshots

    def __getattr__(self, name: str) -> Any:
        return getattr(self.run, name)

    def matches_snapshot(self, name: str | None = None) -> None:
        """Compare states, order and values with what they were when the test was written. Raises `SnapshotDiffers`."""
        self._snapshots.check(self.run.snapshot(), name)

    def __repr__(self) -> str:
        return repr(self.run)


class DagRunner:
    """Runs DAGs in memory. What waits (pokes, retries, triggers that sleep on the clock) does not take time.

    Parameters:
        clock: the clock of the runs.
        connections, variables: what their tasks find.
        snapshots: of the test.
    """

    def __init__(
        self, clock: VirtualClock, connections: Mapping[str, Any], variables: Mapping[str, Any], snapshots: Snapshots
    ) -> None:
        self._clock = clock
        self._connections = connections
        self._variables = variables
        self._snapshots = snapshots

    def __call__(
        self,
        dag: DAG,
        *,
        conf: Mapping[str, Any] | None = None,
        logical_date: Any = NOTSET,
        run_after: Any = None,
        mark_success: str | None = None,
        use_executor: bool = False,
    ) -> CheckedRun:
        """Run a DAG once.

        Parameters:
            conf: of the run; params are set by it.
            logical_date: default the clock's present; None: a run without one.
            run_after: when it would start.
            mark_success: tasks whose id matches this pattern succeed without running.
            use_executor: each attempt in a process of its own.
        """
        run = run_dag(
            dag,
            run_conf=dict(conf or {}),
            logical_date=logical_date,
            run_after=run_after,
            mark_success_pattern=mark_success,
            use_executor=use_executor,
            connections=self._connections,
            variables=self._variables,
            clock=self._clock,
            pause=self._clock.advance,
            wait_seconds_max=math.inf,
        )
        return CheckedRun(run, self._snapshots)


class DagFiles:
    """Loads DAG files as the DAG processor does."""

    def __call__(self, path: str | Path) -> dict[str, DAG]:
        """The DAGs of a file, or of all files of a folder, by id.

        Raises:
            AssertionError: a file cannot be loaded; its traceback is shown.
        """
        where = Path(path).absolute()
        folder = where if where.is_dir() else where.parent
        dags: dict[str, DAG] = {}
        for file in sorted(where.rglob("*.py")) if where.is_dir() else [where]:
            name = f"tradewind_dag_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
            loaded = load_dag_file(file, bundle_root=folder, module_name=name)
            if loaded.errors:
                raise AssertionError(f"{file.name} cannot be loaded:\n{loaded.errors[0].traceback}")
            dags.update(loaded.dags)
        return dags
