"""States and rules under the names of all versions."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from tradewind.sdk import DagRunState, TaskInstanceState
from tradewind.sdk import TriggerRule as _TriggerRule


class _Older(type):
    """Gives `TriggerRule` its members of earlier days."""

    _RENAMED: ClassVar[dict[str, str]] = {
        "NONE_FAILED_OR_SKIPPED": "NONE_FAILED_MIN_ONE_SUCCESS",
        "DUMMY": "ALWAYS",
    }

    def __getattr__(cls, name: str) -> Any:
        if name in _Older._RENAMED:
            from airflow._notes import note_older_form

            now = _Older._RENAMED[name]
            note_older_form(f"TriggerRule.{name} is an older name: write TriggerRule.{now}")
            name = now
        return getattr(_TriggerRule, name)

    def __call__(cls, value: Any) -> Any:
        from airflow._translate import RULES

        return _TriggerRule(RULES.get(str(getattr(value, "value", value)), value))

    def __iter__(cls) -> Any:
        return iter(_TriggerRule)

    def __len__(cls) -> int:
        return len(_TriggerRule)

    def __contains__(cls, value: object) -> bool:
        return value in _TriggerRule.__members__.values()

    def __getitem__(cls, name: str) -> Any:
        return getattr(cls, name)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _TriggerRule)

    @property
    def __members__(cls) -> Any:
        return _TriggerRule.__members__


class TriggerRule(metaclass=_Older):
    """The SDK's trigger rules, with the names that they had."""

    @classmethod
    def is_valid(cls, trigger_rule: str) -> bool:
        """Whether there is such a rule."""
        from airflow._translate import RULES

        return str(trigger_rule) in {str(one) for one in _TriggerRule} or str(trigger_rule) in RULES

    @classmethod
    def all_triggers(cls) -> set[str]:
        """All rules."""
        return {str(one) for one in _TriggerRule}


class JobState(StrEnum):
    """State of a component."""

    RUNNING = "running"
    SUCCESS = "success"
    RESTARTING = "restarting"
    FAILED = "failed"


class TerminalTIState(StrEnum):
    """States in which a task instance stays."""

    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    REMOVED = "removed"


class IntermediateTIState(StrEnum):
    """States on the way."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RESTARTING = "restarting"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    UPSTREAM_FAILED = "upstream_failed"
    DEFERRED = "deferred"
    AWAITING_INPUT = "awaiting_input"


_T = TaskInstanceState
_D = DagRunState


class State:
    """States of runs and task instances in one place."""

    SUCCESS = _T.SUCCESS
    RUNNING = _T.RUNNING
    FAILED = _T.FAILED
    NONE = None
    REMOVED = _T.REMOVED
    SCHEDULED = _T.SCHEDULED
    QUEUED = _T.QUEUED
    RESTARTING = _T.RESTARTING
    SHUTDOWN = _T.RESTARTING
    UP_FOR_RETRY = _T.UP_FOR_RETRY
    UP_FOR_RESCHEDULE = _T.UP_FOR_RESCHEDULE
    UPSTREAM_FAILED = _T.UPSTREAM_FAILED
    SKIPPED = _T.SKIPPED
    DEFERRED = _T.DEFERRED
    AWAITING_INPUT = _T.AWAITING_INPUT

    finished_dr_states = frozenset([_D.SUCCESS, _D.FAILED])
    unfinished_dr_states = frozenset([_D.QUEUED, _D.RUNNING])
    task_states: tuple[Any, ...] = (None, *_T)
    dag_states = (_D.QUEUED, _D.SUCCESS, _D.RUNNING, _D.FAILED)
    running = frozenset([_T.RUNNING, _T.DEFERRED])
    finished = frozenset([_T.SUCCESS, _T.FAILED, _T.SKIPPED, _T.UPSTREAM_FAILED, _T.REMOVED])
    unfinished = frozenset({None, *_T}) - finished
    failed_states = frozenset([_T.FAILED, _T.UPSTREAM_FAILED])
    success_states = frozenset([_T.SUCCESS, _T.SKIPPED])
    terminating_states = frozenset([_T.RESTARTING])
    adoptable_states = frozenset([_T.QUEUED, _T.RUNNING, _T.RESTARTING])
    state_color: ClassVar[dict[Any, str]] = {
        None: "lightblue",
        _T.QUEUED: "gray",
        _T.RUNNING: "lime",
        _T.SUCCESS: "green",
        _T.RESTARTING: "violet",
        _T.FAILED: "red",
        _T.UP_FOR_RETRY: "gold",
        _T.UP_FOR_RESCHEDULE: "turquoise",
        _T.UPSTREAM_FAILED: "orange",
        _T.SKIPPED: "hotpink",
        _T.REMOVED: "lightgrey",
        _T.SCHEDULED: "tan",
        _T.DEFERRED: "mediumpurple",
    }

    @classmethod
    def color(cls, state: Any) -> str:
        """The colour a state is drawn in."""
        return cls.state_color.get(state, "white")

    @classmethod
    def color_fg(cls, state: Any) -> str:
        """The colour of text on it."""
        return "black" if cls.color(state) in ("green", "red") else "white"


class StoreScope:
    """Whose state is kept."""


class TaskScope(StoreScope):
    """A task instance's."""


class AssetScope(StoreScope):
    """An asset's."""


class BaseStoreBackend:
    """Base of places where state is kept."""
