"""The command line of a single DAG file: `python my_dag.py test`."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .errors import WrongValue

if TYPE_CHECKING:
    from .definition import DAG


def run_dag_cli(dag: DAG, arguments: list[str] | None = None) -> None:
    """Parse `arguments` (default: those of the process) and do what they say.

    Raises:
        SystemExit: the arguments are wrong, help was asked for, or the tested run failed (code 1).
    """
    parser = argparse.ArgumentParser(description=f"DAG {dag.dag_id}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tasks", help="list the tasks in the order in which they may run")
    commands.add_parser("show", help="print what the DAG compiles to, as JSON")
    test = commands.add_parser("test", help="run the DAG in this process, without a server")
    test.add_argument("--logical-date", help="ISO instant the run is for")
    test.add_argument("--conf", help="conf of the run, a JSON object")
    given = parser.parse_args(arguments)
    if given.command == "tasks":
        for task in dag.topological_sort():
            print(task.task_id)
    elif given.command == "show":
        _show(dag)
    elif not _test(dag, given):
        raise SystemExit(1)


def _show(dag: DAG) -> None:
    from tradewind.wire.document import encode_document

    from .compile import compile_dag

    print(encode_document(compile_dag(dag, file=dag.fileloc)).decode())


def _test(dag: DAG, given: argparse.Namespace) -> bool:
    options: dict[str, Any] = {}
    try:
        if given.logical_date:
            options["logical_date"] = datetime.fromisoformat(given.logical_date)
        if given.conf:
            options["run_conf"] = json.loads(given.conf)
    except ValueError as error:
        raise WrongValue(f"--logical-date takes an ISO instant, --conf a JSON object: {error}") from None
    return str(dag.test(**options).state) == "success"
