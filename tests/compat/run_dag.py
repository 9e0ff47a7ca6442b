"""Runs the DAGs of one file with `dag.test()` and prints the state of each task instance as JSON.

Works with Tradewind and with the incumbent alike, so that both can be compared:

    PYTHON tests/compat/run_dag.py FILE
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any


def states_of(run: Any) -> dict[str, str]:
    """task id (with map index) → final state."""
    instances = run.get_task_instances()
    if isinstance(instances, dict):
        instances = instances.values()
    found = {}
    for one in instances:
        index = getattr(one, "map_index", -1)
        index = -1 if index is None else index
        state = getattr(one.state, "value", one.state)
        found[one.task_id if index < 0 else f"{one.task_id}[{index}]"] = str(state)
    return dict(sorted(found.items()))


def _lend_examples(folder: Path) -> None:
    """Let `airflow.example_dags` be this folder where the installation has none: its files import one another so."""
    import airflow

    if importlib.util.find_spec("airflow.example_dags") is None:
        lent = Path(tempfile.mkdtemp(prefix="tradewind-examples-"))
        (lent / "example_dags").symlink_to(folder)
        airflow.__path__.append(str(lent))
        importlib.invalidate_caches()


def main(file: str) -> None:
    """Run all DAGs of the file."""
    from airflow.sdk import DAG

    sys.path.insert(0, str(Path(file).parent))
    if Path(file).parent.name == "example_dags":
        _lend_examples(Path(file).parent)
    spec = importlib.util.spec_from_file_location("dag_file", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["dag_file"] = module
    answer: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        spec.loader.exec_module(module)
        dags = {value.dag_id: value for value in vars(module).values() if isinstance(value, DAG)}
        for dag_id, dag in sorted(dags.items()):
            try:
                run = dag.test()
                state = getattr(run.state, "value", run.state)
                answer[dag_id] = {"run": str(state), "tasks": states_of(run)}
            except Exception as error:
                answer[dag_id] = {"error": f"{type(error).__name__}: {error}"[:300]}
    print("RESULT " + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
