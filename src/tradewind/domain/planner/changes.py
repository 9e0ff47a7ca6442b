"""What a run decides: the changes that `RunPlan` returns, in the order they must be carried out, each with its
reason."""

from __future__ import annotations

from dataclasses import dataclass

from tradewind.wire.states import DagRunState, TaskInstanceState

from .events import Key


@dataclass(frozen=True, slots=True)
class Create:
    """A new instance without status. An index that was removed before comes back this way: insert it, or set the
    removed row to no status."""

    key: Key
    reason: str


@dataclass(frozen=True, slots=True)
class Rename:
    """The placeholder of a mapped task or group becomes the first index; its row keeps state and history."""

    key: Key
    to: Key
    reason: str


@dataclass(frozen=True, slots=True)
class Ready:
    """May run as soon as limits allow. Said once per readiness: again after `Due`, `Cleared` or a take-over."""

    key: Key
    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Not started, becomes skipped."""

    key: Key
    reason: str


@dataclass(frozen=True, slots=True)
class FailUpstream:
    """Not started, becomes upstream_failed."""

    key: Key
    reason: str


@dataclass(frozen=True, slots=True)
class Remove:
    """The index (or the task) does not exist any more."""

    key: Key
    reason: str


@dataclass(frozen=True, slots=True)
class SucceedEmpty:
    """Nothing to execute: success without an executor."""

    key: Key
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A live instance (queued, running, deferred...) must be ended with `as_state`; its token is void."""

    key: Key
    as_state: TaskInstanceState
    reason: str


@dataclass(frozen=True, slots=True)
class FinishRun:
    """The run is over. Always the last change."""

    state: DagRunState
    reason: str
    asked: bool = False
    """A person or the run's time-out ended it: it is not tried again."""


Change = Create | Rename | Ready | Skip | FailUpstream | Remove | SucceedEmpty | Stop | FinishRun
