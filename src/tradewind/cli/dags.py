"""`tradewind dags`: DAGs."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradewind.cli.commandline import OUTPUT, YES, Noun, argument
from tradewind.cli.doctor import DEPRECATIONS, deprecations
from tradewind.cli.output import coloured, counted, show_document, show_rows
from tradewind.cli.versions import DIFF, SOURCE, VERSIONS, diff, source, versions
from tradewind.cli.world import CLOCK, confirm, database, instant, json_value, settings
from tradewind.ports.rows import DagRow
from tradewind.wire.errors import BadInput
from tradewind.wire.schedule import CustomSchedule, NullSchedule
from tradewind.wire.states import DagRunState

if TYPE_CHECKING:
    from tradewind.domain.timetables import DagRunInfo
    from tradewind.ports.rows import RunRow, TaskRow
    from tradewind.wire.document import DagDocument
    from tradewind.wire.schedule import Schedule

NOUN = Noun("dags", "DAGs: list, show, trigger, pause, test, delete")
NOUNS = {NOUN.name: NOUN}
DAG_ID = argument("dag_id", help="id of the DAG")
DAGS_FOLDER = argument("--dags-folder", type=Path, help="look into the files of this folder instead of the database")
LOGICAL_DATE = argument("--logical-date", help="ISO instant the run is for (default now)")
DATE = argument("date", nargs="?", metavar="logical_date", help="the same as --logical-date")
CONF = argument("--conf", "-c", help="conf of the run: a JSON object")
_PAGE = 1000


@NOUN.verb(
    "list",
    argument("--pattern", help="only ids that contain this"),
    argument("--tag", action="append", default=[], help="only with this tag (may be repeated: all of them)"),
    argument("--paused", action="store_true", help="only paused ones"),
    argument("--active", action="store_true", help="only those that are not paused"),
    argument("--all", action="store_true", help="also those that no file defines any more"),
    OUTPUT,
)
def list_dags(given: Namespace) -> None:
    """List DAGs."""
    paused = True if given.paused else False if given.active else None
    rows: list[DagRow] = []
    with database() as store, store.read() as tx:
        while page := tx.list_dags(
            pattern=given.pattern,
            tags=given.tag,
            paused=paused,
            include_stale=given.all,
            limit=_PAGE,
            after=rows[-1].dag_id if rows else None,
        ):
            rows += page
        errors = len(tx.list_import_errors())
    columns = ("dag_id", "schedule", "paused", "next_run", "file", "tags")
    show_rows(map(_facts, rows), given.output, columns, "there are no DAGs")
    if errors:
        print(f"{counted(errors, 'file')} could not be loaded; `tradewind dags errors` tells why", file=sys.stderr)


@NOUN.verb("show", DAG_ID, DAGS_FOLDER, OUTPUT)
def show_dag(given: Namespace) -> None:
    """Show the tasks of a DAG as a tree; with -o json the whole document."""
    import msgspec

    from tradewind.cli.tree import task_tree

    document = _document(given.dag_id, given.dags_folder)
    if given.output in ("json", "yaml"):
        show_document(msgspec.to_builtins(document), given.output)
    elif given.output == "plain":
        for task in document.tasks:
            print("\t".join((task.task_id, task.operator, ",".join(task.upstream))))
    else:
        print("\n".join(task_tree(document)))


@NOUN.verb(
    "trigger",
    DAG_ID,
    CONF,
    argument("--run-id", "-r", help="id of the run (default: made from the logical date)"),
    LOGICAL_DATE,
    argument("--note", help="a note for those who look at the run later"),
    argument("--partition-key", help="partition the run is for; it has no logical date then"),
    argument("--key", help="a key of your choice: asking again with it gives the same run"),
    argument("--wait", "-w", action="store_true", help="wait until it is over; exit code 1 unless it succeeded"),
    OUTPUT,
)
def trigger(given: Namespace) -> int:
    """Make a run of a DAG."""
    from tradewind.cli.progress import follow_run, run_seconds
    from tradewind.commands.documents import Documents
    from tradewind.commands.runs import trigger_run
    from tradewind.kernel.ids import uuid7

    conf = json_value(given.conf, "--conf") if given.conf is not None else {}
    with database() as store:
        now = CLOCK.now()
        dated = None if given.partition_key is not None else now
        logical_date = instant(given.logical_date) if given.logical_date else dated
        with store.begin() as tx:
            run = trigger_run(
                tx,
                Documents(),
                now,
                lambda: str(uuid7()),
                given.dag_id,
                run_id=given.run_id,
                logical_date=logical_date,
                conf=conf,
                note=given.note,
                partition_key=given.partition_key,
                client_key=given.key,
            )
        if not given.wait:
            _show_run(run, [], given.output)
            return 0
        quiet = given.output in ("json", "yaml")
        tell = sys.stderr if quiet else sys.stdout
        print(f"run {run.run_id} of DAG {run.dag_id}", file=tell, flush=True)
        run, rows = follow_run(store, run.run_key, lambda line: print(line, file=tell, flush=True))
    if quiet:
        _show_run(run, rows, given.output)
    else:
        print(f"run {run.run_id}: {coloured(run.state)}{run_seconds(run)}" + (f" ({run.reason})" if run.reason else ""))
    return 0 if run.state is DagRunState.SUCCESS else 1


@NOUN.verb("pause", DAG_ID, argument("--reason", help="why, for those who look at it later"))
def pause(given: Namespace) -> None:
    """Switch the schedule of a DAG off. What runs goes on; people may still trigger it."""
    from tradewind.commands.dags import pause_dag

    with database() as store, store.begin() as tx:
        changed = pause_dag(tx, given.dag_id, given.reason)
    print(f"DAG {given.dag_id!r} is paused" + ("" if changed else " already"))


@NOUN.verb("unpause", DAG_ID)
def unpause(given: Namespace) -> None:
    """Switch the schedule of a DAG on."""
    from tradewind.commands.dags import unpause_dag
    from tradewind.commands.documents import Documents

    with database() as store, store.begin() as tx:
        changed = unpause_dag(tx, Documents(), CLOCK.now(), given.dag_id)
    print(f"DAG {given.dag_id!r} is not paused" + ("" if changed else ", and was not before"))


@NOUN.verb("why", DAG_ID, OUTPUT)
def why(given: Namespace) -> None:
    """Say in one sentence when a DAG runs next by itself, or what holds it."""
    from tradewind.cli.runs import show_reason
    from tradewind.commands.runs import require_dag
    from tradewind.scheduler.reasons import explain_dag

    with database() as store, store.read() as tx:
        dag = require_dag(tx, given.dag_id)
        reason = explain_dag(tx, dag)
    show_reason(reason, given.output, {"dag_id": dag.dag_id})


NOUN.verb("versions", *VERSIONS)(versions)
NOUN.verb("deprecations", *DEPRECATIONS)(deprecations)
NOUN.verb("source", *SOURCE)(source)
NOUN.verb("diff", *DIFF)(diff)


@NOUN.verb("delete", DAG_ID, YES)
def delete(given: Namespace) -> None:
    """Delete a DAG with its versions and its runs. A file that still defines it brings it back, without history."""
    from tradewind.commands.deletion import delete_dag
    from tradewind.commands.runs import require_dag

    with database() as store:
        with store.read() as tx:
            dag = require_dag(tx, given.dag_id)
        there = "" if dag.is_stale else f" {dag.file} still defines it, and brings it back when it is loaded again."
        confirm(f"Delete DAG {given.dag_id!r} with all its runs for good?{there}", given.yes)
        with store.begin() as tx:
            count = delete_dag(tx, given.dag_id)
    print(f"DAG {given.dag_id!r} is deleted with {counted(count, 'run')}")


@NOUN.verb(
    "test",
    DAG_ID,
    DATE,
    LOGICAL_DATE,
    CONF,
    argument("--file", "-f", type=Path, help="the file that has the DAG"),
    DAGS_FOLDER,
    argument("--mark-success-pattern", help="tasks whose id matches this regular expression are taken as successful"),
)
def test(given: Namespace) -> int:
    """Run a DAG in this process, one task at a time, without scheduler and agent: dag.test().

    Connections and variables of the database, when there is one, are at hand. Exit code 1 unless it succeeded.
    """
    from tradewind.cli.dag_files import load_dag
    from tradewind.cli.stored import stored_secrets

    found = settings()
    conf = json_value(given.conf, "--conf") if given.conf is not None else None
    if conf is not None and not isinstance(conf, dict):
        raise BadInput(f'--conf must be a JSON object such as {{"key": "value"}}, not {given.conf}')
    dag = load_dag(given.dag_id, found, folder=given.dags_folder, file=given.file)
    date = given.logical_date or given.date
    options: dict[str, Any] = {"logical_date": instant(date)} if date else {}
    with stored_secrets(found) as (connections, variables):
        run = dag.test(
            run_conf=conf,
            conn_file_path=connections,
            variable_file_path=variables,
            mark_success_pattern=given.mark_success_pattern,
            **options,
        )
    print(f"run {run.run_id}: {coloured(run.state)} ({run.reason})")
    return 0 if run.state is DagRunState.SUCCESS else 1


@NOUN.verb("errors", argument("file", nargs="?", help="only of this file, with its traceback"), OUTPUT)
def errors(given: Namespace) -> None:
    """List DAG files that could not be loaded."""
    with database() as store, store.read() as tx:
        rows = [row for row in tx.list_import_errors() if given.file in (None, row.path)]
    if given.file is not None and given.output == "table":
        print("\n\n".join(row.traceback for row in rows) or f"{given.file} has no error")
        return
    facts = (
        {"file": row.path, "error": row.message, "at": row.at, "traceback": row.traceback, "bundle": row.bundle}
        for row in rows
    )
    show_rows(facts, given.output, ("file", "error", "at"), "all files could be loaded")


@NOUN.verb(
    "next-execution",
    DAG_ID,
    DAGS_FOLDER,
    argument("--from", dest="start", help="ISO instant to look from (default now)"),
    argument("-n", "--num-executions", type=int, help="how many (default 10 as a table, otherwise 1)"),
    OUTPUT,
)
def next_execution(given: Namespace) -> None:
    """Say when a DAG runs next by its schedule; -o plain prints the instants in UTC, one a line."""
    from tradewind.domain.timetables.notes import clock_notes

    if given.num_executions is None:
        given.num_executions = 10 if given.output == "table" else 1
    if given.num_executions < 1:
        raise BadInput(f"-n must be at least 1, not {given.num_executions}")
    runs, schedule = _upcoming(given)
    if given.output == "plain":
        for run in runs:
            print(run.run_after.isoformat())
        return
    notes = clock_notes(schedule, runs, CLOCK.now())
    facts = (
        {
            "run_after": run.run_after,
            "logical_date": run.logical_date,
            "data_interval_start": run.data_interval_start,
            "data_interval_end": run.data_interval_end,
            **({"partition_key": run.partition_key} if run.partition_key is not None else {}),
            **({"note": note} if any(notes) else {}),
        }
        for run, note in zip(runs, notes, strict=True)
    )
    has_schedule = not isinstance(schedule, NullSchedule)
    empty = "does not run by itself after that" if has_schedule else "has no schedule: it runs when it is triggered"
    show_rows(facts, given.output, empty=f"DAG {given.dag_id!r} {empty}")


def _upcoming(given: Namespace) -> tuple[list[DagRunInfo], Schedule]:
    """The next runs, of the database's DAG counted from its newest run, or of a file's; and its schedule."""
    from tradewind.domain.timetables.upcoming import upcoming

    start = instant(given.start) if given.start else CLOCK.now()
    after = None
    if given.dags_folder is None:
        document, after = _document_and_newest(given.dag_id, look_back=given.start is None)
    else:
        document = _document(given.dag_id, given.dags_folder)
    if isinstance(document.schedule, CustomSchedule):
        return _foretold(given), document.schedule
    runs = upcoming(
        document.schedule,
        document.start_date,
        document.end_date,
        document.catchup,
        start,
        given.num_executions,
        after=after,
    )
    return runs, document.schedule


def _foretold(given: Namespace) -> list[DagRunInfo]:
    """What a timetable of the author's own said last."""
    from datetime import datetime

    from tradewind.domain.timetables import DagRunInfo

    if given.dags_folder is not None:
        raise BadInput("a timetable of one's own is asked by the DAG processor only: leave --dags-folder out")
    with database() as store, store.read() as tx:
        row = tx.timetable_get(given.dag_id)
    told = [DagRunInfo.exact(datetime.fromisoformat(text)) for text in (row.forecast if row is not None else ())]
    return told[: given.num_executions]


def _document_and_newest(dag_id: str, *, look_back: bool) -> tuple[DagDocument, DagRunInfo | None]:
    from tradewind.commands.documents import Documents
    from tradewind.commands.runs import require_dag
    from tradewind.commands.schedules import info_of_run

    with database() as store, store.read() as tx:
        dag = require_dag(tx, dag_id)
        if dag.is_paused:
            print(f"DAG {dag_id!r} is paused: it does not run by its schedule until it is unpaused", file=sys.stderr)
        newest = tx.run_last_automated(dag_id) if look_back else None
        return Documents().get(tx, dag.version_id).document, info_of_run(newest) if newest else None


def _document(dag_id: str, folder: Path | None) -> DagDocument:
    if folder is not None:
        from tradewind.cli.dag_files import document_in_folder

        return document_in_folder(folder, dag_id, settings())
    from tradewind.commands.documents import Documents
    from tradewind.commands.runs import require_dag

    with database() as store, store.read() as tx:
        return Documents().get(tx, require_dag(tx, dag_id).version_id).document


def _show_run(run: RunRow, rows: list[TaskRow], form: str) -> None:
    from tradewind.cli.runs import run_facts, task_facts

    if form in ("json", "yaml"):
        tasks = {"tasks": list(map(task_facts, rows))} if rows else {}
        show_document({**run_facts(run), **tasks}, form)
    elif form == "plain":
        print(run.run_id)
    else:
        later = f"; it starts at {run.run_after.isoformat()}" if run.run_after > CLOCK.now() else ""
        print(f"run {run.run_id} of DAG {run.dag_id} is queued{later}")


def _facts(row: DagRow) -> dict[str, Any]:
    return {
        "dag_id": row.dag_id,
        "schedule": row.schedule_summary,
        "paused": row.is_paused,
        "next_run": None if row.is_paused or row.is_stale else row.next_run_after,
        "file": row.file,
        "tags": row.tags,
        "owners": row.owners,
        "description": row.description,
        "timezone": row.timezone,
        "max_active_runs": row.max_active_runs,
        "runs_active": row.runs_active,
        "pause_reason": row.pause_reason,
        "stale": row.is_stale,
        "parsed_at": row.parsed_at,
    }
