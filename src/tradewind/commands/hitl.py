"""Answers of people to tasks that wait for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tradewind.ports.hitl_rows import HitlRow
from tradewind.ports.store import Transaction
from tradewind.ports.trigger_rows import TriggerFire, TriggerRow
from tradewind.wire.errors import BadInput, Conflict, Forbidden, NotFound
from tradewind.wire.states import TaskInstanceState

from .waits import end_waits


def respond(
    tx: Transaction,
    now: datetime,
    ti_id: str,
    chosen_options: Sequence[str],
    params_input: Mapping[str, Any] | None = None,
    *,
    user_id: str | None = None,
    user_name: str | None = None,
) -> HitlRow:
    """Answer what a task asks; the task goes on with it.

    Parameters:
        ti_id: the instance that waits.
        chosen_options: of those offered; exactly one unless several may be chosen.
        params_input: values of the form; those left out keep what the author gave.
        user_id, user_name: who answers.

    Raises:
        NotFound: the instance asks nothing.
        Conflict: it was answered, or does not wait any more.
        Forbidden: the question is for others.
        BadInput: an option that is not offered, too many or none, or a value that the form does not take.
    """
    question = tx.hitl_get(ti_id)
    if question is None:
        raise NotFound("this task instance asks nothing; only tasks that wait for a person's answer can be answered")
    if question.responded_at is not None:
        who = question.responded_by_name or question.responded_by
        raise Conflict(f"the question {question.subject!r} is answered already{f' by {who}' if who else ''}")
    _check_user(question, user_id, user_name)
    chosen = check_options(question, chosen_options)
    given = check_form(question, params_input or {})
    if not tx.hitl_answer(question.token, now, chosen, given, by=user_id, by_name=user_name):
        raise Conflict(f"the question {question.subject!r} was answered a moment ago by somebody else")
    answered = tx.hitl_get(ti_id)
    assert answered is not None
    if not end_waits(tx, [TriggerFire(token=question.token, event=answer_event(answered))], now):
        rows = tx.task_get_many([ti_id])
        state = rows[0].state if rows else TaskInstanceState.REMOVED
        raise Conflict(f"the task does not wait any more: it is {state or 'without status'}")
    return answered


def take_defaults(tx: Transaction, wait: TriggerRow, now: datetime) -> TriggerFire | None:
    """Nobody answered in time: what the author wanted chosen then; None when there is no such choice (or it was no
    question)."""
    if wait.classpath:
        return None
    question = tx.hitl_get(wait.ti_id, wait.try_number)
    if question is None or question.token != wait.token or not question.has_defaults:
        return None
    if not tx.hitl_answer(question.token, now, question.defaults, form_values(question), by=None):
        return None
    answered = tx.hitl_get(wait.ti_id, wait.try_number)
    assert answered is not None
    return TriggerFire(token=wait.token, event=answer_event(answered, timed_out=True))


def answer_event(answered: HitlRow, *, timed_out: bool = False) -> str:
    """What the task hears."""
    by = None
    if answered.responded_by is not None:
        by = {"id": answered.responded_by, "name": answered.responded_by_name or answered.responded_by}
    assert answered.responded_at is not None
    return msgspec.json.encode(
        {
            "chosen_options": list(answered.chosen_options),
            "params_input": answered.params_input,
            "responded_at": {
                "$type": "datetime",
                "$value": {"at": _plain(answered.responded_at), "zone": "UTC", "fold": 0},
            },
            "responded_by_user": by,
            "timedout": timed_out,
        }
    ).decode()


def _plain(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def form_values(question: HitlRow) -> dict[str, Any]:
    """The form as its author filled it in."""
    return {name: field.get("value") for name, field in question.params.items()}


def check_options(question: HitlRow, chosen: Sequence[str]) -> list[str]:
    """Raises `BadInput` for a choice that is not offered."""
    unknown = [option for option in chosen if option not in question.options]
    offered = ", ".join(map(repr, question.options)) or "none"
    if unknown:
        raise BadInput(f"{unknown[0]!r} is not offered by {question.subject!r}; options: {offered}")
    if len(set(chosen)) != len(chosen):
        raise BadInput(f"an option of {question.subject!r} was chosen twice")
    if question.options and not chosen:
        raise BadInput(f"choose one of the options of {question.subject!r}: {offered}")
    if len(chosen) > 1 and not question.multiple:
        raise BadInput(f"{question.subject!r} takes one option, {len(chosen)} were chosen: {', '.join(chosen)}")
    return list(chosen)


def check_form(question: HitlRow, given: Mapping[str, Any]) -> dict[str, Any]:
    """The form with what was given filled in. Raises `BadInput` for an unknown field or a value it does not take."""
    unknown = sorted(set(given) - set(question.params))
    if unknown:
        fields = ", ".join(map(repr, question.params)) or "none"
        raise BadInput(f"{question.subject!r} has no field {unknown[0]!r}; fields: {fields}")
    values = {**form_values(question), **given}
    for name, field in question.params.items():
        schema = field.get("schema")
        if schema:
            _check_value(question, name, values[name], schema)
    return values


def _check_value(question: HitlRow, name: str, value: Any, schema: dict[str, Any]) -> None:
    import jsonschema  # only forms need it

    try:
        jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())
    except jsonschema.ValidationError as error:
        raise BadInput(f"field {name!r} of {question.subject!r}: {error.message}") from error


def _check_user(question: HitlRow, user_id: str | None, user_name: str | None) -> None:
    if question.assigned_users and user_id not in question.assigned_users:
        names = ", ".join(str(name) for name in question.assigned_users.values())
        who = user_name or user_id or "somebody without a name"
        raise Forbidden(f"the question {question.subject!r} is for {names}; {who} may not answer it")
