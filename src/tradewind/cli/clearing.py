"""`tradewind tasks clear`, `tasks mark`, `runs clear`, `runs mark`: what runs again, and what people decide."""

from __future__ import annotations

import getpass
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tradewind.cli.commandline import OUTPUT, YES, argument
from tradewind.cli.output import counted, show_rows
from tradewind.cli.world import CLOCK, confirm, database, instant
from tradewind.wire.errors import BadInput
from tradewind.wire.states import DagRunState, TaskInstanceState

if TYPE_CHECKING:
    from tradewind.commands.clearing import ClearPlan, TaskRef
    from tradewind.ports.store import Store

_LISTED_MAX = 20
_COLUMNS = ("run_id", "task", "state", "try", "start_date", "reason")
_DAG_ID = argument("dag_id", help="id of the DAG")
_RUN_ID = argument("run_id", help="id of the run; `latest` is the newest")
_TASK_IDS = argument("task_ids", nargs="*", metavar="task_id", help="ids of tasks; none: all tasks of the run")
_MAP_INDEX = argument("--map-index", default=None, help="index of a mapped task (3, or 3.1 inside a mapped group)")
_GROUP = argument("--group", action="append", default=[], help="all tasks of this task group")
_DRY_RUN = argument("--dry-run", action="store_true", help="only list what would be changed")
_NOTE = argument("--note", help="a note on everything that is changed")
_RELATIVES = (
    argument("-d", "--downstream", action="store_true", help="also everything after them"),
    argument("-u", "--upstream", action="store_true", help="also everything before them"),
    argument("--future", action="store_true", help="also in the runs after this one"),
    argument("--past", action="store_true", help="also in the runs before this one"),
)
_ONLY_FAILED = argument(
    "-f", "--only-failed", action="store_true", help="of these only what failed, or waited for what failed"
)
_NEWEST = argument(
    "--newest-version", "--run-on-latest-version", action="store_true", help="run it by the newest version of the DAG"
)
CLEAR_TASKS = (
    _DAG_ID, _RUN_ID, _TASK_IDS, _MAP_INDEX, _GROUP, _ONLY_FAILED, *_RELATIVES,
    argument("--only-running", action="store_true", help="of these only what runs"),
    argument("--prevent-running", action="store_true", help="refuse when something of it runs"),
    argument("--no-reset-runs", action="store_true", help="runs that are over stay over, with cleared tasks"),
    _NEWEST, _NOTE, _DRY_RUN, YES, OUTPUT,
)  # fmt: skip
MARK_TASKS = (
    _DAG_ID, _RUN_ID, argument("state", choices=("success", "failed", "skipped"), help="the state they get"),
    argument("task_ids", nargs="*", metavar="task_id", help="ids of tasks"), _MAP_INDEX, _GROUP, *_RELATIVES, _NOTE,
    _DRY_RUN, YES, OUTPUT,
)  # fmt: skip
CLEAR_RUNS = (
    _DAG_ID, argument("run_id", nargs="?", help="id of the run; `latest` is the newest; none: those of --from, --to"),
    argument("--from", dest="start", help="runs with a logical date from this ISO instant on"),
    argument("--to", dest="end", help="runs with a logical date up to this ISO instant"),
    _ONLY_FAILED, argument("--only-new", action="store_true", help="only tasks that the newest version adds"),
    _NEWEST, _NOTE, _DRY_RUN, YES, OUTPUT,
)  # fmt: skip
MARK_RUN = (
    _DAG_ID, _RUN_ID, argument("state", choices=("success", "failed", "queued"), help="the state it gets"),
    argument("--reason", help="why, for those who look at it later"), YES,
)  # fmt: skip


def clear_tasks(given: Namespace) -> None:
    """Let task instances of a run run again, with the setups and teardowns around them; a run that is over goes on.

    Their tries so far stay as history; they get all their retries again. The run keeps its version of the DAG, unless
    the newest is asked for.
    """
    from tradewind.commands.clearing import ClearWish, clear, plan_clear
    from tradewind.commands.documents import Documents

    documents = Documents()
    with database() as store, _run_of(store, given) as run_id:
        wish = ClearWish(
            dag_id=given.dag_id,
            run_id=run_id,
            tasks=_tasks(given),
            groups=tuple(given.group),
            upstream=given.upstream,
            downstream=given.downstream,
            future=given.future,
            past=given.past,
            only_failed=given.only_failed,
            only_running=given.only_running,
            newest_version=given.newest_version or None,
            reset_runs=not given.no_reset_runs,
            prevent_running=given.prevent_running,
            note=given.note,
        )
        with store.read() as tx:
            plan = plan_clear(tx, documents, wish)
        if given.dry_run:
            _show(plan, given.output)
            return
        if plan.rows:
            confirm(f"Run again {_listed(plan)} of DAG {given.dag_id!r}?", given.yes)
            with store.begin() as tx:
                plan = clear(tx, documents, CLOCK.now(), wish)
    where = f"run {run_id!r} of " if len(plan.runs) < 2 else f"{len(plan.runs)} runs of "
    print(f"{where}DAG {given.dag_id!r}: {counted(len(plan.rows), 'task instance')} cleared")


def mark_tasks(given: Namespace) -> None:
    """Decide the state of task instances. What runs of them is stopped.

    What failed after a task that is now success or skipped runs again.
    """
    from tradewind.commands.documents import Documents
    from tradewind.commands.marking import MarkWish, mark, plan_mark

    documents = Documents()
    with database() as store, _run_of(store, given) as run_id:
        assert run_id is not None
        wish = MarkWish(
            dag_id=given.dag_id,
            run_id=run_id,
            state=TaskInstanceState(given.state),
            tasks=_tasks(given),
            groups=tuple(given.group),
            upstream=given.upstream,
            downstream=given.downstream,
            future=given.future,
            past=given.past,
            note=given.note,
        )
        with store.read() as tx:
            plan = plan_mark(tx, documents, wish)
        if given.dry_run:
            _show(plan, given.output)
            return
        if plan.rows:
            confirm(f"Mark {_listed(plan)} of DAG {given.dag_id!r} as {given.state}?", given.yes)
            with store.begin() as tx:
                plan = mark(tx, documents, CLOCK.now(), wish, reason=f"marked {given.state} by {who()}")
    print(f"DAG {given.dag_id!r}: {counted(len(plan.rows), 'task instance')} marked {given.state}")


def clear_runs(given: Namespace) -> None:
    """Let a run, or all runs of a stretch of time, run again."""
    from tradewind.commands.clearing import ClearWish, clear, plan_clear
    from tradewind.commands.documents import Documents

    if given.run_id is None and given.start is None and given.end is None:
        raise BadInput("say which run, or a stretch of time with --from and --to")
    documents = Documents()
    with database() as store, _run_of(store, given) as run_id:
        wish = ClearWish(
            dag_id=given.dag_id,
            run_id=run_id,
            start=instant(given.start) if given.start else None,
            end=instant(given.end) if given.end else None,
            only_failed=given.only_failed,
            only_new=given.only_new,
            newest_version=given.newest_version or given.only_new or None,
            note=given.note,
        )
        with store.read() as tx:
            plan = plan_clear(tx, documents, wish)
        if given.dry_run:
            _show(plan, given.output)
            return
        if plan.runs:
            instances = counted(len(plan.rows), "task instance")
            question = f"Run {counted(len(plan.runs), 'run')} of DAG {given.dag_id!r} again ({instances})?"
            confirm(question, given.yes)
            with store.begin() as tx:
                plan = clear(tx, documents, CLOCK.now(), wish)
    runs, instances = counted(len(plan.runs), "run"), counted(len(plan.rows), "task instance")
    print(f"DAG {given.dag_id!r}: {runs} with {instances} cleared")


def mark_run(given: Namespace) -> None:
    """Decide the state of a run: success (with all its tasks), failed (what runs is stopped), or queued again."""
    from tradewind.commands.marking import plan_run_state, set_run_state

    state = DagRunState(given.state)
    with database() as store, _run_of(store, given) as run_id:
        assert run_id is not None
        with store.read() as tx:
            changed = plan_run_state(tx, given.dag_id, run_id, state)
        with_tasks = f" with {len(changed)} of its task instances" if changed else ""
        confirm(f"Mark run {run_id!r} of DAG {given.dag_id!r}{with_tasks} as {state}?", given.yes)
        reason = given.reason or f"marked {state} by {who()} on the command line"
        with store.begin() as tx:
            set_run_state(tx, CLOCK.now(), given.dag_id, run_id, state, reason)
    print(f"run {run_id!r} of DAG {given.dag_id!r} is marked {state}")


def who() -> str:
    """The user of this process, for reasons and rows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return "somebody"


@contextmanager
def _run_of(store: Store, given: Namespace) -> Iterator[str | None]:
    """The id of the run that is meant, None when none was named."""
    from tradewind.cli.runs import find_run

    if given.run_id is None:
        yield None
        return
    with store.read() as tx:
        run_id = find_run(tx, given.dag_id, given.run_id).run_id
    yield run_id


def _tasks(given: Namespace) -> tuple[TaskRef, ...]:
    if given.map_index is not None and not given.task_ids:
        raise BadInput("--map-index needs the id of a task")
    return tuple((task_id, given.map_index) for task_id in given.task_ids)


def _listed(plan: ClearPlan) -> str:
    rows = plan.rows
    names = [f"{row.task_id}[{row.map_path}]" if row.map_path else row.task_id for row in rows]
    more = f" and {len(names) - _LISTED_MAX} more" if len(names) > _LISTED_MAX else ""
    where = f" of run {plan.runs[0].run.run_id!r}" if len(plan.runs) == 1 else f" in {len(plan.runs)} runs"
    return ", ".join(names[:_LISTED_MAX]) + more + where


def _show(plan: ClearPlan, form: str) -> None:
    from tradewind.cli.runs import task_facts

    facts: list[dict[str, Any]] = [{"run_id": row.run_id, **task_facts(row)} for row in plan.rows]
    show_rows(facts, form, _COLUMNS, "nothing would be changed")
