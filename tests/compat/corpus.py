"""Loads folders of DAG files, each file in a process of its own, and says what became of each.

    python tests/compat/corpus.py FOLDER...     # with an interpreter that has tradewind-airflow and provider packages

Prints one line per file that did not load, and the totals per folder.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import re
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tradewind.runtime.parse_child import parse
from tradewind.runtime.parse_words import ParseLimits, ParseOrder

LIMITS = ParseLimits(timeout_seconds=60.0, memory_bytes_max=4 << 30)


@dataclass
class Loaded:
    """What became of a file."""

    file: str
    dags: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    traceback: str = ""
    notes: int = 0

    @property
    def kind(self) -> str:
        """loaded; empty: no DAG in it; foreign: needs a package that is not installed; failed."""
        if not self.problems:
            return "loaded" if self.dags else "empty"
        return "foreign" if all(map(_is_foreign, self.problems)) else "failed"


def _is_foreign(problem: str) -> bool:
    """Whether a file needs somebody else's package: the real system does not load it either."""
    if "No module named" in problem:
        name = problem.split("No module named", 1)[1].strip(" '\"").split("'")[0]
        return not f"{name}.".startswith("airflow.") or name.startswith("airflow.providers.")
    return "AirflowOptionalProviderFeatureException" in problem or "is not installed" in problem


def files_of(folder: Path) -> Iterator[Path]:
    """DAG files of a folder: those that speak of DAGs and Airflow."""
    for path in sorted(folder.rglob("*.py")):
        text = path.read_bytes()
        if b"airflow" in text and (b"dag" in text.lower() or b"asset" in text) and path.name != "__init__.py":
            yield path


def load(path: Path, root: Path) -> Loaded:
    """Load one file in a child."""
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as output:
        pid = os.fork()
        if pid == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            try:
                pickle.dump(_load(path, root), answer)
                answer.flush()
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        answer.seek(0)
        raw = answer.read()
        output.seek(0)
        said = output.read()[-2000:].decode(errors="replace")
    return pickle.loads(raw) if raw else Loaded(str(path), problems=("the process ended",), traceback=said)


def _load(path: Path, root: Path) -> Loaded:
    sys.path[:0] = [str(root), str(path.parent)]
    order = ParseOrder(number=1, tree=str(root), file=str(path.relative_to(root)), shown_root="dags")
    answer = parse(order, LIMITS)
    return Loaded(
        str(path.relative_to(root)),
        dags=tuple(dag.dag_id for dag in answer.dags),
        problems=tuple(problem.message for problem in answer.problems),
        traceback="\n".join(problem.traceback for problem in answer.problems),
        notes=sum("OlderForm" in text for text in answer.warnings),
    )


def _warm_up(paths: list[Path]) -> None:
    """Import once, here, what many of the files import: packages of vendors take seconds each."""
    pattern = re.compile(rb"^\s*from (airflow\.providers\.[\w.]+) import", re.MULTILINE)
    counted = Counter(name for path in paths for name in set(pattern.findall(path.read_bytes())))
    for name, number in counted.most_common():
        if number > 1:
            with contextlib.suppress(BaseException):
                importlib.import_module(name.decode())


def _lend_examples(folder: Path) -> None:
    """Let `airflow.example_dags` be the incumbent's folder: its files import one another by that path."""
    lent = Path(tempfile.mkdtemp(prefix="tradewind-examples-"))
    (lent / "example_dags").symlink_to(folder)
    import airflow

    airflow.__path__.append(str(lent))


def main(folders: list[str]) -> int:
    """Load all; 1 when one failed."""
    import airflow  # noqa: F401
    import tradewind.sdk.compile  # noqa: F401

    failed = 0
    for folder in (Path(one).absolute() for one in folders):
        if folder.name == "example_dags" and folder.parent.name == "airflow":
            _lend_examples(folder)
        paths = list(files_of(folder))
        _warm_up(paths)
        found = [load(path, folder) for path in paths]
        kinds = Counter(one.kind for one in found)
        for one in found:
            if one.kind in ("failed", "foreign"):
                print(f"{one.kind:8} {one.file}: {one.problems[0][:300]}")
                if os.environ.get("TRACE") and one.kind == "failed":
                    print(one.traceback)
        total = kinds["loaded"] + kinds["failed"]
        share = 100.0 * kinds["loaded"] / total if total else 100.0
        print(f"{folder}: {share:.1f} % of {total} ({dict(kinds)}), {sum(one.notes for one in found)} older forms")
        failed += kinds["failed"]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
