"""`tradewind backfill`: runs over the past."""

from __future__ import annotations

from argparse import Namespace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tradewind.cli.clearing import who
from tradewind.cli.commandline import OUTPUT, YES, Noun, argument
from tradewind.cli.output import counted, show_document, show_record, show_rows
from tradewind.cli.world import CLOCK, confirm, database, instant, json_value

if TYPE_CHECKING:
    from tradewind.commands.backfills import BackfillPlan, BackfillWish
    from tradewind.ports.backfill_rows import BackfillRow
    from tradewind.ports.store import Transaction

NOUN = Noun("backfill", "Runs over the past: create, list, show, pause, unpause, cancel")
NOUNS = {NOUN.name: NOUN}
_ID = argument("backfill_id", type=int, help="id of the backfill")
_DATES_MAX = 1000


@NOUN.verb(
    "create",
    argument("dag_id", nargs="?", help="id of the DAG"),
    argument("--dag-id", dest="of_dag", help="the same as the first argument"),
    argument("--from", "--from-date", dest="start", required=True, help="first logical date: an ISO instant"),
    argument("--to", "--to-date", dest="end", required=True, help="last logical date, included"),
    argument("--conf", "--dag-run-conf", help="conf of every run: a JSON object"),
    argument("--backwards", "--run-backwards", action="store_true", help="the newest date first"),
    argument("--max-active-runs", type=int, default=10, help="how many at once, beside the DAG's own (default 10)"),
    argument(
        "--reprocess",
        "--reprocess-behavior",
        choices=("none", "failed", "completed"),
        default="none",
        help="which runs that exist already run again (default none)",
    ),
    argument("--keep-version", action="store_true", help="runs that run again keep their version; default: the newest"),
    argument("--run-on-latest-version", action="store_true", help="the default; taken for the sake of habit"),
    argument("--dry-run", action="store_true", help="only list what would be done, and what it costs"),
    YES,
    OUTPUT,
)
def create(given: Namespace) -> None:
    """Run a DAG for every date of its schedule in a stretch of the past."""
    from tradewind.commands.backfills import create_backfill, plan_backfill
    from tradewind.commands.documents import Documents
    from tradewind.kernel.ids import uuid7

    wish, documents = _wish(given), Documents()
    with database() as store:
        with store.read() as tx:
            plan = plan_backfill(tx, documents, CLOCK.now(), wish)
        if given.dry_run:
            _show_plan(plan, given.output)
            return
        if plan.runs > plan.max_active_runs:
            confirm(f"Run DAG {wish.dag_id!r} {counted(plan.runs, 'time')} ({_cost(plan)})?", given.yes)
        with store.begin() as tx:
            row = create_backfill(tx, documents, CLOCK.now(), lambda: str(uuid7()), wish, user=who())
            facts = _facts(tx, row)
    if given.output == "table":
        print(f"backfill {row.backfill_id} of DAG {row.dag_id!r}: {plan.runs} runs")
    else:
        show_document(facts, given.output)


@NOUN.verb(
    "list",
    argument("dag_id", nargs="?", help="only of this DAG"),
    argument("--active", action="store_true", help="only those that are not completed"),
    argument("-n", "--limit", type=int, default=25, help="how many (default 25)"),
    OUTPUT,
)
def list_backfills(given: Namespace) -> None:
    """List backfills, newest first."""
    with database() as store, store.read() as tx:
        rows = tx.backfill_list(dag_id=given.dag_id, active=True if given.active else None, limit=given.limit)
        facts = [_facts(tx, row) for row in rows]
    columns = ("id", "dag_id", "from_date", "to_date", "state", "runs", "success", "failed", "running", "queued")
    show_rows(facts, given.output, columns, "there are no backfills")


@NOUN.verb("show", _ID, OUTPUT)
def show(given: Namespace) -> None:
    """Show a backfill with its dates."""
    from tradewind.commands.backfills import require_backfill

    with database() as store, store.read() as tx:
        facts = _facts(tx, require_backfill(tx, given.backfill_id))
        dates = [
            {
                "logical_date": row.logical_date,
                "partition_key": row.partition_key,
                "state": state,
                "run_key": row.run_key,
                "reason": row.reason,
            }
            for row, state in tx.backfill_run_list(given.backfill_id, limit=_DATES_MAX)
        ]
    if given.output in ("json", "yaml"):
        show_document({**facts, "dates": dates}, given.output)
        return
    if given.output == "table":
        show_record({name: value for name, value in facts.items() if value not in (None, {})}, "table")
        print()
    show_rows(dates, given.output, ("logical_date", "state", "reason"), "it has no dates")


@NOUN.verb("pause", _ID)
def pause(given: Namespace) -> None:
    """Let no further run of a backfill begin. Those that run go on."""
    from tradewind.commands.backfills import pause_backfill

    with database() as store, store.begin() as tx:
        row = pause_backfill(tx, CLOCK.now(), given.backfill_id)
    print(f"backfill {row.backfill_id} of DAG {row.dag_id!r} is paused")


@NOUN.verb("unpause", _ID)
def unpause(given: Namespace) -> None:
    """Let the runs of a backfill begin again."""
    from tradewind.commands.backfills import unpause_backfill

    with database() as store, store.begin() as tx:
        row = unpause_backfill(tx, CLOCK.now(), given.backfill_id)
    print(f"backfill {row.backfill_id} of DAG {row.dag_id!r} is not paused")


@NOUN.verb("cancel", _ID, YES)
def cancel(given: Namespace) -> None:
    """End a backfill: its queued runs end as failed, those that run go on."""
    from tradewind.commands.backfills import backfill_progress, cancel_backfill

    with database() as store:
        with store.read() as tx:
            progress = backfill_progress(tx, given.backfill_id)
        confirm(f"Cancel backfill {given.backfill_id} with {counted(progress.queued, 'queued run')}?", given.yes)
        with store.begin() as tx:
            row = cancel_backfill(tx, CLOCK.now(), given.backfill_id, user=who())
    print(f"backfill {row.backfill_id} of DAG {row.dag_id!r} is cancelled")


def _wish(given: Namespace) -> BackfillWish:
    from tradewind.commands.backfills import BackfillWish
    from tradewind.ports.backfill_rows import Reprocess
    from tradewind.wire.errors import BadInput

    dag_id = given.dag_id or given.of_dag
    if dag_id is None:
        raise BadInput("say which DAG")
    return BackfillWish(
        dag_id=dag_id,
        from_date=instant(given.start),
        to_date=instant(given.end),
        conf=json_value(given.conf, "--conf") if given.conf is not None else None,
        run_backwards=given.backwards,
        max_active_runs=given.max_active_runs,
        reprocess=Reprocess(given.reprocess),
        newest_version=not given.keep_version,
    )


def _show_plan(plan: BackfillPlan, form: str) -> None:
    dates = [
        {
            "logical_date": each.info.logical_date,
            "run_after": each.info.run_after,
            "partition_key": each.info.partition_key,
            "does": each.deed,
            "run_id": each.run.run_id if each.run is not None else None,
            "reason": each.reason,
        }
        for each in plan.dates
    ]
    show_rows(dates, form, ("logical_date", "does", "run_id", "reason"), "nothing would be done")
    if form == "table":
        print(f"\n{counted(plan.runs, 'run')} of {counted(len(dates), 'date')}: {_cost(plan)}")


def _cost(plan: BackfillPlan) -> str:
    tasks = f"{counted(plan.runs * plan.tasks_per_run, 'task')}, {counted(plan.max_active_runs, 'run')} at once"
    if plan.seconds is None:
        return tasks
    return f"{tasks}, about {_about(plan.seconds)} by the last runs"


def _facts(tx: Transaction, row: BackfillRow) -> dict[str, Any]:
    from tradewind.commands.backfills import backfill_progress

    progress = backfill_progress(tx, row.backfill_id)
    state = "paused" if row.is_paused else "active"
    if row.completed_at is not None:
        state = "cancelled" if row.cancelled_at is not None else "completed"
    return {
        "id": row.backfill_id,
        "dag_id": row.dag_id,
        "from_date": row.from_date,
        "to_date": row.to_date,
        "state": state,
        "runs": progress.total,
        "success": progress.success,
        "failed": progress.failed,
        "running": progress.running,
        "queued": progress.queued,
        "max_active_runs": row.max_active_runs,
        "reprocess": row.reprocess,
        "backwards": row.run_backwards,
        "newest_version": row.newest_version,
        "conf": row.dag_run_conf,
        "created_at": row.created_at,
        "completed_at": row.completed_at,
        "user": row.triggering_user_name,
    }


def _about(seconds: float) -> str:
    """`0:12:00`, or a word for what is over before it is read."""
    return "a second" if seconds < 1 else str(timedelta(seconds=round(seconds)))
