"""`tradewind tasks`: tasks of DAGs and their instances in runs."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradewind.cli.clearing import CLEAR_TASKS, MARK_TASKS, clear_tasks, mark_tasks
from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import coloured, show_record, show_rows
from tradewind.cli.runs import DAG_ID, RUN_ID, TASK_COLUMNS, find_run, show_reason, task_facts
from tradewind.cli.world import CLOCK, database, instant, json_value, settings
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.wire.errors import BadInput, NotFound
from tradewind.wire.states import EXECUTING_STATES, TaskInstanceState

if TYPE_CHECKING:
    from tradewind.cli.one_task import Setting
    from tradewind.kernel.doorbell import Listener
    from tradewind.ports.store import Store, Transaction
    from tradewind.sdk.definition import DAG
    from tradewind.wire.workload import RunFacts

NOUN = Noun("tasks", "Tasks: states, logs, why, clear, mark, test, render")
NOUNS = {NOUN.name: NOUN}
TASK_ID = argument("task_id", help="id of the task")
MAP_INDEX = argument("--map-index", default=None, help="index of a mapped task (3, or 3.1 inside a mapped group)")
_FILE = argument("--file", "-f", type=Path, help="the file that has the DAG")
_FOLDER = argument("--dags-folder", type=Path, help="look into the files of this folder")
_DATE = argument("--logical-date", help="ISO instant the run is for (default now)")
_SAME_DATE = argument("date", nargs="?", metavar="logical_date", help="the same as --logical-date")
_CONF = argument("--conf", "-c", help="conf of the run: a JSON object")
_OF_RUN = argument("--run-id", help="take what the tasks before left, and the run's facts, from this run")
_FOLLOW_SECONDS = 0.25
_GOES_ON = frozenset({None, TaskInstanceState.SCHEDULED, *EXECUTING_STATES})


@NOUN.verb("list", DAG_ID, OUTPUT)
def list_tasks(given: Namespace) -> None:
    """List the tasks of a DAG."""
    from tradewind.commands.documents import Documents
    from tradewind.commands.runs import require_dag

    with database() as store, store.read() as tx:
        document = Documents().get(tx, require_dag(tx, given.dag_id).version_id).document
    facts = (
        {
            "task_id": task.task_id,
            "operator": task.operator,
            "trigger_rule": task.trigger_rule,
            "upstream": task.upstream,
            "retries": task.retries,
            "pool": task.pool,
            "mapped": task.mapping is not None,
            "group": task.group_id,
        }
        for task in document.tasks
    )
    columns = (
        ("task_id",) if given.output == "plain" else ("task_id", "operator", "trigger_rule", "upstream", "retries")
    )
    show_rows(facts, given.output, columns, "it has no tasks")


@NOUN.verb("states", DAG_ID, RUN_ID, OUTPUT)
def states(given: Namespace) -> None:
    """List the states of the task instances of a run."""
    with database() as store, store.read() as tx:
        rows = tx.task_list(find_run(tx, given.dag_id, given.run_id).run_key)
    show_rows(map(task_facts, rows), given.output, TASK_COLUMNS, "it has no task instances yet")


@NOUN.verb(
    "logs",
    DAG_ID,
    RUN_ID,
    TASK_ID,
    MAP_INDEX,
    argument("--try", dest="try_number", type=int, help="number of the try (default: the newest)"),
    argument("-f", "--follow", action="store_true", help="go on until the try is over"),
    argument("-o", "--output", choices=("table", "json", "plain"), default="table", help="json: the lines as stored"),
)
def logs(given: Namespace) -> None:
    """Print the log of a task instance."""
    from tradewind.cli.log_view import attempts_in, lines_of, readable
    from tradewind.ports.logs import attempt_log

    folder = settings().logs.folder
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    with database() as store, store.listen(["changes"]) as bell:
        with store.read() as tx:
            run, row = _instance(tx, given)
        number = given.try_number or max(row.try_number, 1)
        path = attempt_log(folder, run.dag_id, run.run_id, row.task_id, row.map_path, number)
        wait = _waiter(store, bell, row.ti_id, number) if given.follow else None
        while given.follow and not path.exists() and wait is not None and wait():
            pass
        if not path.exists():
            there = attempts_in(path.parent)
            known = f"; there are logs of tries {', '.join(map(str, there))}" if there else ""
            state = row.state.value if row.state is not None else "without status"
            raise NotFound(f"try {number} of {row.task_id!r} has no log in {folder} ({state}){known}")
        for line in lines_of(path, wait):
            print(line if given.output == "json" else readable(line, colours), flush=given.follow)


@NOUN.verb("why", DAG_ID, RUN_ID, TASK_ID, MAP_INDEX, OUTPUT)
def why(given: Namespace) -> None:
    """Say in one sentence why a task instance is running, or why it is not."""
    from tradewind.scheduler.reasons import explain_run, explain_task

    with database() as store, store.read() as tx:
        run = find_run(tx, given.dag_id, given.run_id)
        rows = tx.task_list(run.run_key)
        if rows:
            row = _choose(run, [each for each in rows if each.task_id == given.task_id], given)
            reason, state = explain_task(tx, run, row), row.state
        else:
            reason, state = explain_run(tx, run), None
    show_reason(reason, given.output, {"task_id": given.task_id, "state": state})


NOUN.verb("clear", *CLEAR_TASKS)(clear_tasks)
NOUN.verb("mark", *MARK_TASKS)(mark_tasks)


@NOUN.verb("note", DAG_ID, RUN_ID, TASK_ID, argument("note", help="the note; empty: none"), MAP_INDEX)
def note(given: Namespace) -> None:
    """Write a note on a task instance."""
    from tradewind.commands.notes import set_task_note

    with database() as store, store.begin() as tx:
        run = find_run(tx, given.dag_id, given.run_id)
        count = set_task_note(tx, run.dag_id, run.run_id, given.task_id, given.note or None, map_path=given.map_index)
    print(f"{count} task instances have the note")


@NOUN.verb("test", DAG_ID, TASK_ID, _SAME_DATE, MAP_INDEX, _DATE, _CONF, _OF_RUN, _FILE, _FOLDER)
def test(given: Namespace) -> int:
    """Run one task in this process, without scheduler and agent; nothing is recorded. Exit code 1 when it fails."""
    import logging

    from tradewind.cli.one_task import run_one

    dag, run, setting = _world(given)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    outcome = run_one(dag, given.task_id, given.map_index or "", run, setting)
    for entry in outcome.xcoms:
        said = entry.value.data.decode("utf-8", "replace") if entry.value.data is not None else entry.value.url
        print(f"xcom {entry.key}: {said}")
    print(f"{given.task_id}: {coloured(outcome.state)}" + (f" ({outcome.reason})" if outcome.reason else ""))
    return 1 if outcome.state is TaskInstanceState.FAILED else 0


@NOUN.verb("render", DAG_ID, TASK_ID, _SAME_DATE, MAP_INDEX, _DATE, _CONF, _OF_RUN, _FILE, _FOLDER, OUTPUT)
def render(given: Namespace) -> None:
    """Show the templated fields of a task as they would be when it runs; with --run-id as they were in that run."""
    from tradewind.cli.one_task import render_one

    fields = _recorded(given) if given.run_id is not None else None
    if fields is None:
        dag, run, setting = _world(given)
        fields = render_one(dag, given.task_id, given.map_index or "", run, setting)
    if fields:
        show_record(fields, given.output)
    else:
        print(f"{given.task_id!r} has no templated fields", file=sys.stderr)


def _instance(tx: Transaction, given: Namespace) -> tuple[RunRow, TaskRow]:
    run = find_run(tx, given.dag_id, given.run_id)
    return run, _choose(run, tx.task_list(run.run_key, [given.task_id]), given)


def _choose(run: RunRow, rows: list[TaskRow], given: Namespace) -> TaskRow:
    """The instance that is meant. Raises `NotFound`, or `BadInput` when there are several."""
    if not rows:
        raise NotFound(
            f"run {run.run_id!r} of DAG {run.dag_id!r} has no task {given.task_id!r}; "
            f"`tradewind tasks states {run.dag_id} {run.run_id}` lists them"
        )
    if given.map_index is None and len(rows) == 1:
        return rows[0]
    if not any(row.map_path for row in rows) and given.map_index != "-1":
        raise BadInput(f"task {given.task_id!r} is not mapped: leave out --map-index {given.map_index}")
    paths = ", ".join(row.map_path for row in rows[:10]) + (" …" if len(rows) > 10 else "")
    if given.map_index is None:
        raise BadInput(f"task {given.task_id!r} is mapped: say which with --map-index; there are {paths}")
    for row in rows:
        if row.map_path == given.map_index.removeprefix("-1"):
            return row
    raise NotFound(f"task {given.task_id!r} has no index {given.map_index}; there are {paths}")


def _waiter(store: Store, bell: Listener, ti_id: str, try_number: int) -> Callable[[], bool]:
    """Waits a moment; whether the attempt still goes on."""

    def wait() -> bool:
        bell.wait(_FOLLOW_SECONDS)
        with store.read() as tx:
            rows = tx.task_get_many([ti_id])
        return bool(rows) and rows[0].try_number <= try_number and rows[0].state in _GOES_ON

    return wait


def _world(given: Namespace) -> tuple[DAG, RunFacts, Setting]:
    from tradewind.cli.dag_files import load_dag
    from tradewind.cli.one_task import Setting, run_facts
    from tradewind.cli.stored import stored_values

    found = settings()
    conf = json_value(given.conf, "--conf") if given.conf is not None else {}
    if not isinstance(conf, dict):
        raise BadInput(f'--conf must be a JSON object such as {{"key": "value"}}, not {given.conf}')
    dag = load_dag(given.dag_id, found, folder=given.dags_folder, file=given.file)
    connections, variables = stored_values(found)
    told = given.logical_date or given.date
    date = instant(told) if told else CLOCK.now()
    if given.run_id is None:
        return dag, run_facts(dag, date, conf), Setting(connections, variables)
    run, xcoms, stored = _from_run(given.dag_id, given.run_id)
    return dag, run, Setting(connections, variables, xcoms, stored)


def _from_run(dag_id: str, run_id: str) -> tuple[RunFacts, dict[tuple[str, str], dict[str, Any]], dict[str, bytes]]:
    """The facts of a run and what its tasks left."""
    from tradewind.commands.documents import Documents
    from tradewind.domain.planner import Graph, RunPlan
    from tradewind.runtime.values import ValueStore
    from tradewind.scheduler.owned import OwnedRun
    from tradewind.wire.execution import XComValue

    values = ValueStore(settings().values.url)
    xcoms: dict[tuple[str, str], dict[str, Any]] = {}
    stored: dict[str, bytes] = {}
    with database() as store, store.read() as tx:
        run = find_run(tx, dag_id, run_id)
        versioned = Documents().get(tx, run.version_id)
        facts = OwnedRun(run, versioned, RunPlan(Graph.of(versioned.document))).facts
        for row in tx.task_list(run.run_key):
            for found in tx.list_xcoms(row.ti_id):
                if found.url is not None:
                    stored[found.url] = values.fetch(found.url, found.sha256)
                xcoms.setdefault((row.task_id, row.map_path), {})[found.key] = XComValue(
                    data=found.data, url=found.url, size=found.size, sha256=found.sha256, length=found.length
                )
    return facts, xcoms, stored


def _recorded(given: Namespace) -> dict[str, Any] | None:
    """The fields as they were when the instance ran; None when it has not run."""
    with database() as store, store.read() as tx:
        _, row = _instance(tx, given)
        return tx.get_rendered(row.ti_id)
