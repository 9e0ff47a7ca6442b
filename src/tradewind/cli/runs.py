"""`tradewind runs`: runs of DAGs."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from tradewind.cli.clearing import CLEAR_RUNS, MARK_RUN, clear_runs, mark_run, who
from tradewind.cli.commandline import OUTPUT, YES, Noun, argument
from tradewind.cli.output import show_document, show_record, show_rows
from tradewind.cli.world import CLOCK, confirm, database
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import NotFound
from tradewind.wire.states import DagRunState

if TYPE_CHECKING:
    from tradewind.scheduler.reasons import Why

NOUN = Noun("runs", "Runs of DAGs: list, show, cancel, clear, mark, delete")
NOUNS = {NOUN.name: NOUN}
DAG_ID = argument("dag_id", help="id of the DAG")
RUN_ID = argument("run_id", help="id of the run; `latest` is the newest")


@NOUN.verb(
    "list",
    argument("dag_id", nargs="?", help="only of this DAG"),
    argument("--state", action="append", choices=[state.value for state in DagRunState], help="only in this state"),
    argument("-n", "--limit", type=int, default=25, help="how many (default 25)"),
    OUTPUT,
)
def list_runs(given: Namespace) -> None:
    """List runs, newest first."""
    from tradewind.commands.runs import require_dag

    states = tuple(DagRunState(state) for state in given.state or ())
    with database() as store, store.read() as tx:
        if given.dag_id is not None:
            require_dag(tx, given.dag_id)
        rows = tx.list_runs(dag_id=given.dag_id, states=states, limit=given.limit)
    columns = ("dag_id", "run_id", "state", "run_type", "run_after", "start_date", "duration")
    show_rows(map(run_facts, rows), given.output, columns, "there are no runs")


@NOUN.verb("show", DAG_ID, RUN_ID, OUTPUT)
def show_run(given: Namespace) -> None:
    """Show a run with its task instances."""
    with database() as store, store.read() as tx:
        run = find_run(tx, given.dag_id, given.run_id)
        tasks = tx.task_list(run.run_key)
    if given.output in ("json", "yaml"):
        show_document({**run_facts(run), "tasks": list(map(task_facts, tasks))}, given.output)
        return
    if given.output == "table":
        show_record({name: value for name, value in run_facts(run).items() if value not in (None, "", {})}, "table")
        print()
    show_rows(map(task_facts, tasks), given.output, TASK_COLUMNS, "it has no task instances yet")


@NOUN.verb(
    "cancel",
    DAG_ID,
    RUN_ID,
    argument("--state", choices=("failed", "success"), default="failed", help="how it ends (default failed)"),
    argument("--reason", help="why, for those who look at it later"),
)
def cancel_run(given: Namespace) -> None:
    """End a run now: what runs is stopped, what waits does not start."""
    from tradewind.commands.runs import stop_run

    reason = given.reason or f"cancelled by {who()} on the command line"
    with database() as store, store.begin() as tx:
        run = find_run(tx, given.dag_id, given.run_id)
        stop_run(tx, CLOCK.now(), run.dag_id, run.run_id, DagRunState(given.state), reason)
    print(f"run {run.run_id!r} of DAG {run.dag_id!r} ends as {given.state}")


@NOUN.verb("why", DAG_ID, RUN_ID, OUTPUT)
def why(given: Namespace) -> None:
    """Say in one sentence why a run is running, or why it is not."""
    from tradewind.scheduler.reasons import explain_run

    with database() as store, store.read() as tx:
        run = find_run(tx, given.dag_id, given.run_id)
        reason = explain_run(tx, run)
    show_reason(reason, given.output, {"run_id": run.run_id, "state": run.state})


NOUN.verb("clear", *CLEAR_RUNS)(clear_runs)
NOUN.verb("mark", *MARK_RUN)(mark_run)


@NOUN.verb("note", DAG_ID, RUN_ID, argument("note", help="the note; empty: none"))
def note_run(given: Namespace) -> None:
    """Write a note on a run."""
    from tradewind.commands.notes import set_run_note

    with database() as store, store.begin() as tx:
        run = find_run(tx, given.dag_id, given.run_id)
        set_run_note(tx, run.dag_id, run.run_id, given.note or None)
    print(f"run {run.run_id!r} of DAG {run.dag_id!r} has {'the' if given.note else 'no'} note")


@NOUN.verb(
    "deadlines",
    argument("dag_id", nargs="?", help="only of this DAG"),
    argument("--run-id", help="only of this run"),
    argument("--state", action="append", choices=("pending", "met", "missed", "void"), help="only in this state"),
    argument("-n", "--limit", type=int, default=25, help="how many (default 25)"),
    OUTPUT,
)
def deadlines(given: Namespace) -> None:
    """List deadlines of runs and tasks, latest due first, with what became of their callbacks."""
    from tradewind.commands.deadlines import list_deadlines
    from tradewind.ports.deadline_rows import DeadlineState

    states = [DeadlineState(state) for state in given.state or ()]
    with database() as store, store.read() as tx:
        found = list_deadlines(tx, dag_id=given.dag_id, run_id=given.run_id, states=states, limit=given.limit)
    facts = (
        {
            "dag_id": row.dag_id,
            "run_id": row.run_id,
            "task_id": row.task_id or None,
            "name": row.name,
            "due_at": row.due_at,
            "state": row.state,
            "settled_at": row.settled_at,
            "callback": state,
            "error": error or row.reason,
            "reference": row.reference,
            "path": row.path,
        }
        for row, state, error in found
    )
    columns = ("dag_id", "run_id", "task_id", "name", "due_at", "state", "callback", "error")
    show_rows(facts, given.output, columns, "there are no deadlines")


@NOUN.verb("delete", DAG_ID, RUN_ID, YES)
def delete(given: Namespace) -> None:
    """Delete a run that does not run, with its task instances and their values. Logs stay."""
    from tradewind.commands.deletion import delete_run

    with database() as store:
        with store.read() as tx:
            run = find_run(tx, given.dag_id, given.run_id)
        confirm(f"Delete run {run.run_id!r} of DAG {run.dag_id!r} for good?", given.yes)
        with store.begin() as tx:
            delete_run(tx, run.dag_id, run.run_id)
    print(f"run {run.run_id!r} of DAG {run.dag_id!r} is deleted")


TASK_COLUMNS = ("task", "state", "try", "start_date", "duration", "reason")


def find_run(tx: Transaction, dag_id: str, run_id: str) -> RunRow:
    """The run of this id; `latest` is the newest. Raises `NotFound`."""
    from tradewind.commands.runs import require_dag, require_run

    require_dag(tx, dag_id)
    if run_id != "latest":
        return require_run(tx, dag_id, run_id)
    newest = tx.list_runs(dag_id=dag_id, limit=1)
    if not newest:
        raise NotFound(f"DAG {dag_id!r} has no runs yet; `tradewind dags trigger {dag_id}` makes one")
    return newest[0]


def show_reason(reason: Why, form: str, facts: dict[str, Any]) -> None:
    """Print why something stands where it stands."""
    if form not in ("json", "yaml"):
        print(reason.sentence)
        return
    found = {"why": reason.sentence, "kind": reason.kind, "blocking": reason.blocking}
    show_document({**facts, **found, "expected_at": reason.expected_at}, form)


def run_facts(row: RunRow) -> dict[str, Any]:
    """What is shown of a run."""
    seconds = (row.ended_at - row.started_at).total_seconds() if row.started_at and row.ended_at else None
    return {
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "state": row.state,
        "reason": row.reason,
        "run_type": row.run_type,
        "run_after": row.run_after,
        "logical_date": row.logical_date,
        "data_interval_start": row.data_interval_start,
        "data_interval_end": row.data_interval_end,
        "queued_at": row.queued_at,
        "start_date": row.started_at,
        "end_date": row.ended_at,
        "duration": seconds,
        "conf": row.conf,
        "note": row.note,
    }


def task_facts(row: TaskRow) -> dict[str, Any]:
    """What is shown of a task instance."""
    return {
        "task": f"{row.task_id}[{row.map_path}]" if row.map_path else row.task_id,
        "task_id": row.task_id,
        "map_index": row.map_path,
        "state": row.state,
        "try": row.try_number,
        "max_tries": row.max_tries,
        "start_date": row.started_at,
        "end_date": row.ended_at,
        "duration": row.seconds,
        "reason": row.reason,
        "cause": row.cause,
        "hostname": row.hostname,
        "operator": row.operator,
        "pool": row.pool,
        "label": row.map_index_label,
    }
