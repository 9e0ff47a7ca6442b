"""Retry policies: whether a failed try is followed by another, decided by the exception itself, where it was raised.

    policy = ExceptionRetryPolicy(
        rules=[
            RetryRule(exception="requests.exceptions.HTTPError", retry_delay=timedelta(minutes=5)),
            RetryRule(exception=PermissionError, action=RetryAction.FAIL, reason="nobody will let us in later"),
        ]
    )

A policy never gives more tries than the task's `retries`.
"""

from __future__ import annotations

import importlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

from .errors import WrongArgument, WrongValue

_log = logging.getLogger("tradewind.task.retry_policy")


class RetryAction(Enum):
    """What follows a failure."""

    FAIL = "fail"
    """No further try."""
    RETRY = "retry"
    """Another try while there are some left, after the delay of the decision (or the task's)."""
    DEFAULT = "default"
    """As without a policy."""


@dataclass
class RetryDecision:
    """What a policy says about one failure.

    Parameters:
        action: what follows.
        retry_delay: with RETRY: wait so long instead of the task's delay.
        reason: one line, shown with the task instance.
    """

    action: RetryAction = RetryAction.DEFAULT
    retry_delay: timedelta | None = None
    reason: str | None = None

    @classmethod
    def fail(cls, reason: str | None = None) -> RetryDecision:
        return cls(RetryAction.FAIL, None, reason)

    @classmethod
    def retry(cls, delay: timedelta | None = None, reason: str | None = None) -> RetryDecision:
        return cls(RetryAction.RETRY, delay, reason)

    @classmethod
    def default(cls) -> RetryDecision:
        return cls()


class RetryPolicy(ABC):
    """Base of retry policies: implement `evaluate`."""

    @abstractmethod
    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """What follows this failure. Called in the task's process; what it raises is logged, and the failure treated
        as without a policy.

        Parameters:
            exception: what the task raised.
            try_number: of the try that failed, from 1.
            max_tries: retries that the task has in all.
            context: of the task.
        """

    def serialize(self) -> dict[str, Any]:
        """What an equal policy can be made of."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RetryPolicy:
        return cls(**data)


ExceptionSpec = type[BaseException] | str


@dataclass
class RetryRule:
    """What follows certain exceptions.

    Parameters:
        exception: a class, its dotted path, or a list of these.
        action: what follows.
        retry_delay: with RETRY: wait so long.
        reason: one line.
        match_subclasses: whether exceptions derived from it count too.

    Raises:
        WrongArgument, WrongValue: it can never match, or the delay is negative.
    """

    exception: ExceptionSpec | list[ExceptionSpec]
    action: RetryAction = RetryAction.RETRY
    retry_delay: timedelta | None = None
    reason: str | None = None
    match_subclasses: bool = True
    _found: dict[str, type[BaseException] | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        specs = self._specs()
        if not specs:
            raise WrongValue("a RetryRule needs at least one exception")
        for spec in specs:
            is_class = isinstance(spec, type) and issubclass(spec, BaseException)
            if not is_class and not (isinstance(spec, str) and "." in spec.strip(".")):
                raise WrongArgument(
                    f"exception of a RetryRule must be an exception class or its dotted path, not {spec!r}"
                )
        self.action = RetryAction(self.action)
        if self.retry_delay is not None and self.retry_delay < timedelta(0):
            raise WrongValue(f"retry_delay of a RetryRule must not be negative: {self.retry_delay}")

    def _specs(self) -> list[ExceptionSpec]:
        return list(self.exception) if isinstance(self.exception, list | tuple) else [self.exception]

    @property
    def exception_path(self) -> str:
        """Dotted paths, separated by commas."""
        return ",".join(_path_of(spec) for spec in self._specs())

    def matches(self, exc: BaseException) -> bool:
        """Whether the rule is about this exception. Paths are imported when they are first needed."""
        classes = tuple(found for spec in self._specs() if (found := self._class_of(spec)) is not None)
        return isinstance(exc, classes) if self.match_subclasses else type(exc) in classes

    def _class_of(self, spec: ExceptionSpec) -> type[BaseException] | None:
        if not isinstance(spec, str):
            return spec
        if spec not in self._found:
            self._found[spec] = _imported(spec)
        return self._found[spec]

    def serialize(self) -> dict[str, Any]:
        paths = [_path_of(spec) for spec in self._specs()]
        return {
            "exception": paths if len(paths) > 1 else paths[0],
            "action": self.action.value,
            "retry_delay": None if self.retry_delay is None else self.retry_delay.total_seconds(),
            "reason": self.reason,
            "match_subclasses": self.match_subclasses,
        }

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RetryRule:
        delay = data.get("retry_delay")
        return cls(
            exception=data["exception"],
            action=RetryAction(data.get("action", RetryAction.RETRY.value)),
            retry_delay=None if delay is None else timedelta(seconds=delay),
            reason=data.get("reason"),
            match_subclasses=data.get("match_subclasses", True),
        )


class ExceptionRetryPolicy(RetryPolicy):
    """The first rule that matches decides.

    Parameters:
        rules: in order.
        default: what follows an exception that no rule is about.
    """

    def __init__(self, rules: Sequence[RetryRule], default: RetryAction = RetryAction.DEFAULT) -> None:
        for rule in rules:
            if not isinstance(rule, RetryRule):
                raise WrongArgument(f"rules of an ExceptionRetryPolicy must be RetryRule objects, not {rule!r}")
        self.rules = list(rules)
        self.default = RetryAction(default)

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None  # noqa: ARG002
    ) -> RetryDecision:  # fmt: skip
        for rule in self.rules:
            if rule.matches(exception):
                return RetryDecision(rule.action, rule.retry_delay, rule.reason)
        return RetryDecision(self.default)

    def serialize(self) -> dict[str, Any]:
        return {"rules": [rule.serialize() for rule in self.rules], "default": self.default.value}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ExceptionRetryPolicy:
        rules = [RetryRule.deserialize(rule) for rule in data["rules"]]
        return cls(rules, RetryAction(data.get("default", RetryAction.DEFAULT.value)))

    def __repr__(self) -> str:
        return f"ExceptionRetryPolicy({len(self.rules)} rules, default={self.default.value})"


def decide(
    policy: RetryPolicy | None, error: BaseException, try_number: int, max_tries: int, context: Any
) -> RetryDecision | None:
    """What a task's policy says; None without a policy, or when it fails itself."""
    if policy is None:
        return None
    try:
        decision = policy.evaluate(error, try_number, max_tries, context)
        if not isinstance(decision, RetryDecision):
            raise WrongArgument(f"{type(policy).__name__}.evaluate must return a RetryDecision, not {decision!r}")
    except Exception as problem:
        _log.error("the retry policy failed: the failure is treated as without it", exc_info=problem)
        return None
    if decision.action is RetryAction.DEFAULT:
        return None
    _log.info(
        "the retry policy decides: %s%s", decision.action.value, f" ({decision.reason})" if decision.reason else ""
    )
    return decision


def _path_of(spec: ExceptionSpec) -> str:
    return spec if isinstance(spec, str) else f"{spec.__module__}.{spec.__qualname__}"


def _imported(path: str) -> type[BaseException] | None:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception:  # whatever a module does when it is imported
        _log.warning("a rule of the retry policy never matches: %s cannot be imported", path)
        return None
    return found if isinstance(found, type) and issubclass(found, BaseException) else None
