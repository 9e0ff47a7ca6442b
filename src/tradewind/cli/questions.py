"""`tradewind questions`: what tasks ask people, and the answers."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from tradewind.cli.commandline import OUTPUT, Noun, argument
from tradewind.cli.output import show_record, show_rows
from tradewind.cli.runs import find_run
from tradewind.cli.world import database, json_value
from tradewind.ports.hitl_rows import HitlRow
from tradewind.ports.store import Transaction
from tradewind.wire.errors import BadInput, NotFound

NOUN = Noun("questions", "Questions of tasks that wait for a person: list, show, answer")
NOUNS = {NOUN.name: NOUN}
_LISTED_MAX = 1000
_PLACE = (
    argument("dag_id", help="the DAG"),
    argument("run_id", help="its run; `latest` is the newest"),
    argument("task_id", help="the task; task_id[2] is the instance with map index 2"),
)


@NOUN.verb("list", OUTPUT)
def list_questions(given: Namespace) -> None:
    """List what waits for an answer, oldest first."""
    with database() as store, store.read() as tx:
        rows = tx.hitl_list_open(_LISTED_MAX)
    show_rows(map(_line, rows), given.output, empty="nobody is asked anything")


@NOUN.verb("show", *_PLACE, OUTPUT)
def show_question(given: Namespace) -> None:
    """Show what a task asks or asked, with its form and the answer."""
    with database() as store, store.read() as tx:
        row = _question(tx, given)
    show_record(_line(row) | _details(row), given.output)


@NOUN.verb(
    "answer",
    *_PLACE,
    argument("--choose", action="append", default=[], metavar="OPTION", help="an option; may be given several times"),
    argument(
        "--fill",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a field of the form; the value is JSON, or else text",
    ),
)
def answer_question(given: Namespace) -> None:
    """Answer for a task; it goes on with it. Whoever may use this command line may answer every question."""
    from tradewind.commands.hitl import respond
    from tradewind.kernel.clock import SystemClock

    fields = dict(map(_field, given.fill))
    with database() as store, store.begin() as tx:
        row = _question(tx, given)
        user = next(iter(row.assigned_users), "cli")
        name = str(row.assigned_users.get(user, "command line"))
        answered = respond(tx, SystemClock().now(), row.ti_id, given.choose, fields, user_id=user, user_name=name)
    print(f"answered {answered.subject!r}: {', '.join(answered.chosen_options) or 'no option'}")


def _question(tx: Transaction, given: Namespace) -> HitlRow:
    task_id, _, rest = given.task_id.partition("[")
    run = find_run(tx, given.dag_id, given.run_id)
    rows = tx.task_list(run.run_key, [task_id])
    place = rest.removesuffix("]")
    for row in rows:
        found = tx.hitl_get(row.ti_id) if row.map_path == place else None
        if found is not None:
            return found
    raise NotFound(f"task {given.task_id!r} in run {run.run_id!r} of DAG {run.dag_id!r} asks nothing")


def _field(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadInput(f"--fill takes NAME=VALUE, not {text!r}")
    try:
        return name, json_value(value, name)
    except BadInput:
        return name, value


def _line(row: HitlRow) -> dict[str, Any]:
    return {
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "task": f"{row.task_id}[{row.map_path}]" if row.map_path else row.task_id,
        "subject": row.subject,
        "options": list(row.options),
        "asked": row.created_at,
        "until": row.due_at,
    }


def _details(row: HitlRow) -> dict[str, Any]:
    return {
        "body": row.body,
        "multiple": row.multiple,
        "defaults": list(row.defaults) if row.has_defaults else None,
        "form": row.params,
        "for": list(row.assigned_users.values()) or "everybody",
        "answered": row.responded_at,
        "answered_by": row.responded_by_name or row.responded_by,
        "chosen": list(row.chosen_options),
        "filled_in": row.params_input,
    }
