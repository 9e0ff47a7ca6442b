"""The arguments every task takes: what each accepts and what it becomes. One table, used by operators and by `partial`.

A check receives the words for the message ("retries of task 'load'") and the value, and returns the value as the task
keeps it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from tradewind.wire.states import Isolation, TriggerRule, WeightRule

from . import dates
from .defaults import authoring_defaults
from .errors import WrongArgument, WrongValue, checked_id, nearest
from .params import ParamsDict

Check = Callable[[str, Any], Any]

WEIGHT_MAX = 2**31 - 1
WEIGHT_MIN = -(2**31)
_DOCS = ("doc", "doc_md", "doc_json", "doc_yaml", "doc_rst")
_RENAMED_RULES = {"dummy": "always", "none_failed_or_skipped": "none_failed_min_one_success"}
_RESOURCES = ("cpus", "ram", "disk", "gpus")


def checked_arguments(task_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` common arguments in their effective form. Arguments without an entry in the table pass as they are.

    Raises:
        WrongArgument, WrongValue: naming the argument, the task and what would be right.
        NotImplementedError: the argument asks for something that is not built yet; the topic is named.
    """
    result = {}
    for name, value in given.items():
        check = CHECKS.get(name)
        result[name] = check(f"{name} of task {task_id!r}", value) if check else value
    if result.get("wait_for_downstream"):
        result["depends_on_past"] = True
    return result


def _of(kind: type, words: str) -> Check:
    def check(what: str, value: Any) -> Any:
        if value is not None and not isinstance(value, kind):
            raise WrongArgument(f"{what} must be {words}, not {value!r} of type {type(value).__name__}")
        return value

    return check


text = _of(str, "a text")
_duration_only = _of(timedelta, "a timedelta, such as timedelta(minutes=5)")


def flag(what: str, value: Any) -> bool:
    """A bool; None counts as False."""
    if value is not None and not isinstance(value, bool):
        raise WrongArgument(f"{what} must be True or False, not {value!r} of type {type(value).__name__}")
    return bool(value)


def _flag_or_none(what: str, value: Any) -> bool | None:
    return None if value is None else flag(what, value)


def whole_number(minimum: int | None = None) -> Check:
    """A check for integers (None stays None) of at least `minimum`."""

    def check(what: str, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise WrongArgument(f"{what} must be a whole number, not {value!r} of type {type(value).__name__}")
        number = operator.index(value)
        if minimum is not None and number < minimum:
            raise WrongValue(f"{what} must be at least {minimum}, not {number}")
        return number

    return check


def _retries(what: str, value: Any) -> int:
    if value is None:
        return authoring_defaults().retries
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)  # "3" from an environment variable or a Variable
    return int(whole_number(0)(what, value))


def _retry_delay(what: str, value: Any) -> timedelta:
    return authoring_defaults().retry_delay if value is None else dates.length(what, value)


def _length_or_none(what: str, value: Any) -> timedelta | None:
    return None if value is None else dates.length(what, value)


def _backoff(what: str, value: Any) -> float:
    if value is None or value is False:
        return 0.0
    if value is True:
        return 2.0
    if not isinstance(value, int | float):
        raise WrongArgument(
            f"{what} must be a number (the factor between two delays), not {value!r} of type {type(value).__name__}"
        )
    if value < 0:
        raise WrongValue(f"{what} must not be negative: {value!r}")
    return float(value)


def _weight(what: str, value: Any) -> int:
    number = whole_number()(what, value)
    return max(WEIGHT_MIN, min(WEIGHT_MAX, 1 if number is None else number))


def trigger_rule(what: str, value: Any) -> TriggerRule:
    """One of the 13 trigger rules."""
    if value is None:
        return TriggerRule.ALL_SUCCESS
    try:
        return TriggerRule(str(getattr(value, "value", value)))
    except ValueError:
        renamed = _RENAMED_RULES.get(str(value))
        hint = f"; it is called {renamed!r} now" if renamed else nearest(str(value), TriggerRule)
        raise WrongValue(f"{what} is not a trigger rule: {value!r}{hint}; rules are {', '.join(TriggerRule)}") from None


def _weight_rule(what: str, value: Any) -> Any:
    """One of the three rules, or a strategy."""
    if value is None:
        return WeightRule.DOWNSTREAM
    raw = getattr(value, "value", value)
    if not isinstance(raw, str):
        strategy = value() if isinstance(value, type) else value
        if callable(getattr(strategy, "get_weight", None)):
            return _own_strategy(strategy)
        raise WrongArgument(
            f"{what} must be downstream, upstream, absolute or a PriorityWeightStrategy, not {value!r} of type "
            f"{type(value).__name__}"
        )
    try:
        return WeightRule(raw)
    except ValueError:
        raise WrongValue(
            f"{what} must be downstream, upstream or absolute, not {value!r}{nearest(raw, WeightRule)}"
        ) from None


def _own_strategy(strategy: Any) -> Any:
    """The strategy, as one of our class: others have the same shape."""
    from .weights import PriorityWeightStrategy

    if isinstance(strategy, PriorityWeightStrategy):
        return strategy

    class Adapted(PriorityWeightStrategy):
        def get_weight(self, ti: Any) -> int:
            weight: int = strategy.get_weight(ti)
            return weight

    Adapted.__name__ = type(strategy).__name__
    return Adapted()


def isolation(what: str, value: Any) -> Isolation | None:
    """How an attempt gets its process; None: not said."""
    if value is None:
        return None
    try:
        return Isolation(value)
    except ValueError:
        raise WrongValue(f"{what} must be fork, spawn or reuse, not {value!r}") from None


def callbacks(what: str, value: Any) -> list[Callable[..., Any]]:
    """One callable or several, as a list."""
    if value is None:
        return []
    listed = list(value) if isinstance(value, Iterable) and not callable(value) else [value]
    for one in listed:
        if not callable(one):
            raise WrongArgument(
                f"{what} must be a function or a list of functions, not {one!r} of type {type(one).__name__}"
            )
    return listed


def _hook(what: str, value: Any) -> Callable[..., Any] | None:
    if value is not None and not callable(value):
        raise WrongArgument(f"{what} must be a function, not {value!r} of type {type(value).__name__}")
    return value  # type: ignore[no-any-return]


def _resources(what: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongArgument(f"{what} must be a dict, not {value!r} of type {type(value).__name__}")
    for name in value:
        if name not in _RESOURCES:
            raise WrongArgument(f"{what}: {name!r} is not one of {', '.join(_RESOURCES)}")
    return dict(value)


def _mapping(what: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongArgument(f"{what} must be a dict, not {value!r} of type {type(value).__name__}")
    return dict(value)


def _params(what: str, value: Any) -> ParamsDict:
    if value is not None and not isinstance(value, Mapping | ParamsDict):
        raise WrongArgument(f"{what} must be a dict, not {value!r} of type {type(value).__name__}")
    return ParamsDict.named(what, value)


def _with_default(check: Check, default: Any) -> Check:
    return lambda what, value: check(what, default if value is None else value)


def _owner(what: str, value: Any) -> str:
    return str(text(what, value) or authoring_defaults().owner)


def _retry_policy(what: str, value: Any) -> Any:
    if value is None:
        return None
    from .retry_policies import RetryPolicy

    if not isinstance(value, RetryPolicy):
        raise WrongArgument(f"{what} must be a RetryPolicy, not {value!r} of type {type(value).__name__}")
    return value


def _not_yet(topic: str) -> Check:
    """For what would change how a task runs: taking it and doing nothing would be a lie."""

    def check(what: str, value: Any) -> Any:
        if value:
            raise NotImplementedError(f"{what}: {topic} not available yet")
        return value

    return check


def _assets(what: str, value: Any) -> list[Any]:
    """Assets, aliases, references; other objects are kept for lineage and mean nothing here."""
    if value is None:
        return []
    if isinstance(value, str):
        raise WrongArgument(f"{what} must be assets, not the text {value!r}; write Asset({value!r})")
    listed = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    for one in listed:
        if isinstance(one, int | float | bytes):
            raise WrongArgument(f"{what} must be assets, not {one!r} of type {type(one).__name__}; write Asset(...)")
    return listed


def _email(what: str, value: Any) -> Any:
    """An address, several in one text, or a list of them. What is rendered later may be anything."""
    if value is None or isinstance(value, str) or hasattr(value, "resolve"):
        return value
    if not isinstance(value, Collection) or isinstance(value, Mapping | bytes):
        raise WrongArgument(
            f"{what} must be an address or a list of addresses, not {value!r} of type {type(value).__name__}"
        )
    for one in value:
        if not isinstance(one, str):
            raise WrongArgument(f"{what} must be a list of addresses, but has {one!r} of type {type(one).__name__}")
    return value


def _deadline(what: str, value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    from .deadlines import deadlines_of

    return deadlines_of(what.removeprefix("deadline "), value)


CHECKS: dict[str, Check] = {
    "task_id": lambda _, value: checked_id("task id", value),
    "owner": _owner,
    "email": _email,
    "email_on_retry": flag,
    "email_on_failure": flag,
    "retries": _retries,
    "retry_delay": _retry_delay,
    "retry_exponential_backoff": _backoff,
    "max_retry_delay": _length_or_none,
    "retry_policy": _retry_policy,
    "start_date": dates.instant,
    "end_date": dates.instant,
    "depends_on_past": flag,
    "ignore_first_depends_on_past": flag,
    "wait_for_past_depends_before_skipping": flag,
    "wait_for_downstream": flag,
    "params": _params,
    "priority_weight": _weight,
    "weight_rule": _weight_rule,
    "queue": _with_default(text, "default"),
    "pool": _with_default(text, "default_pool"),
    "pool_slots": _with_default(whole_number(1), 1),
    "execution_timeout": _duration_only,
    "on_execute_callback": callbacks,
    "on_failure_callback": callbacks,
    "on_success_callback": callbacks,
    "on_retry_callback": callbacks,
    "on_skipped_callback": callbacks,
    "pre_execute": _hook,
    "post_execute": _hook,
    "trigger_rule": trigger_rule,
    "resources": _resources,
    "run_as_user": text,
    "map_index_template": text,
    "max_active_tis_per_dag": whole_number(1),
    "max_active_tis_per_dagrun": whole_number(1),
    "executor": text,
    "executor_config": _mapping,
    "do_xcom_push": flag,
    "multiple_outputs": flag,
    "inlets": _assets,
    "outlets": _assets,
    **dict.fromkeys(_DOCS, text),
    "doc_json": lambda _, value: value,
    "task_display_name": text,
    "logger_name": text,
    "allow_nested_operators": flag,
    "render_template_as_native_obj": _flag_or_none,
    "isolation": isolation,
    "deadline": _deadline,
}
"""Argument name → its check."""
