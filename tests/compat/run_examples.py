"""Runs example DAGs on the incumbent and on Tradewind and compares the final states.

    python tests/compat/run_examples.py real   REAL_PYTHON  FOLDER OUT.json   # expectations, in a scratch installation
    python tests/compat/run_examples.py ours   OUR_PYTHON   FOLDER OUT.json
    python tests/compat/run_examples.py table  REAL.json OURS.json            # the table of RESULTS.md

Both sides run `run_dag.py` with their own interpreter, a process per file, with a time limit. Files that need a cloud,
a person, another running DAG or a long wait are passed over (`PASSED_OVER`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SECONDS = 150
PASSED_OVER = {
    "example_kubernetes_executor": "needs Kubernetes",
    "example_local_kubernetes_executor": "needs Kubernetes",
    "tutorial_objectstorage": "reads from the internet",
    "tutorial_dag": "",
    "example_hitl_operator": "waits for a person",
    "example_external_task_child_deferrable": "waits for another DAG",
    "example_external_task_parent_deferrable": "waits for another DAG",
    "example_external_task_marker_dag": "waits for another DAG",
    "example_trigger_controller_dag": "starts another DAG",
    "example_sensors": "waits minutes",
    "example_sensor_decorator": "",
    "example_asset_with_watchers": "waits for a file",
    "example_time_delta_sensor_async": "waits",
    "tutorial_taskflow_api_virtualenv": "installs packages",
    "example_passing_params_via_test_command": "only for the command line",
}
"""File → why it is not run; an empty reason: it is run."""


def _files(folder: Path) -> list[Path]:
    found = (path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py")
    return [path for path in found if not PASSED_OVER.get(path.stem)]


def run(python: str, folder: Path, out: Path) -> None:
    """Run each file of a folder and write what became of it."""
    script = Path(__file__).with_name("run_dag.py")
    results: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    for path in _files(folder):
        if path.stem in results:
            continue
        with tempfile.TemporaryDirectory() as place:
            try:
                done = subprocess.run(
                    [python, str(script), str(path)],
                    capture_output=True,
                    text=True,
                    timeout=SECONDS,
                    cwd=place,
                    env={**os.environ, "PYTHONWARNINGS": "ignore"},
                    check=False,
                )
                lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
                answer = json.loads(lines[-1][7:]) if lines else {"error": done.stderr.strip().splitlines()[-1:]}
            except subprocess.TimeoutExpired:
                answer = {"error": f"took longer than {SECONDS} s"}
        results[path.stem] = answer
        out.write_text(json.dumps(results, indent=1))


def table(real: dict[str, Any], ours: dict[str, Any]) -> str:
    """The comparison as a table."""
    lines = ["| File | DAG | Incumbent | Tradewind | |", "|---|---|---|---|---|"]
    same = total = 0
    for file, dags in sorted(real.items()):
        for dag_id, expected in sorted(dags.items()):
            if not isinstance(expected, dict) or "tasks" not in expected:
                continue
            total += 1
            found = ours.get(file, {}).get(dag_id) or {"error": str(ours.get(file, {}).get("error", "not run"))[:80]}
            equal = found.get("tasks") == expected["tasks"] and found.get("run") == expected["run"]
            same += equal
            verdict = "same" if equal else "differs"
            lines.append(f"| {file} | {dag_id} | {_short(expected)} | {_short(found)} | {verdict} |")
    lines.append("")
    lines.append(f"{same} of {total} DAGs end in the same states.")
    return "\n".join(lines)


def _short(result: dict[str, Any]) -> str:
    if "error" in result:
        return str(result["error"])[:90].replace("|", "/").replace("\n", " ")
    counted: dict[str, int] = {}
    for state in result["tasks"].values():
        counted[state] = counted.get(state, 0) + 1
    return f"{result['run']}: " + ", ".join(f"{number} {state}" for state, number in sorted(counted.items()))


def main(arguments: list[str]) -> None:
    """See the module."""
    if arguments[0] == "table":
        print(table(*(json.loads(Path(one).read_text()) for one in arguments[1:3])))
    else:
        run(arguments[1], Path(arguments[2]), Path(arguments[3]))


if __name__ == "__main__":
    main(sys.argv[1:])
