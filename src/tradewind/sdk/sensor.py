"""Sensors: tasks that wait until a condition is true.

`mode="poke"` keeps the process and waits inside; `mode="reschedule"` ends after each poke and asks to be called
again, so that waiting costs nothing. The time-out counts from the first poke over all of them.
"""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from tradewind.sdk.attempt import Attempt, attempt_at_hand
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralError,
    TaskDeferralTimeout,
)
from tradewind.sdk.operator import BaseOperator

TIMEOUT_SECONDS = 7 * 24 * 3600.0
MODES = ("poke", "reschedule")


class PokeReturnValue:
    """What `poke` may return instead of a bool: whether the wait is over, and a value to hand on.

    Parameters:
        is_done: the condition is true.
        xcom_value: returned by the sensor when it is.
    """

    __slots__ = ("is_done", "xcom_value")

    def __init__(self, is_done: bool, xcom_value: Any = None) -> None:
        self.is_done = is_done
        self.xcom_value = xcom_value

    def __bool__(self) -> bool:
        return self.is_done


class BaseSensorOperator(BaseOperator):
    """Base of all sensors: implement `poke(context)`.

    Parameters:
        poke_interval: seconds or timedelta between two pokes.
        timeout: seconds or timedelta after which the sensor fails, without retry.
        soft_fail: skip instead of fail.
        mode: "poke" or "reschedule".
        exponential_backoff: double the interval after each poke, with some jitter.
        max_wait: seconds or timedelta; cap of the interval with backoff.
        silent_fail: log exceptions of `poke` and go on waiting.
        never_fail: skip on any exception.

    Raises:
        WrongArgument, WrongValue: naming the task and the argument.
    """

    ui_color = "#e6f1f2"
    is_sensor: ClassVar[bool] = True

    def __init__(
        self,
        *,
        poke_interval: timedelta | float = 60,
        timeout: timedelta | float = TIMEOUT_SECONDS,
        soft_fail: bool = False,
        mode: str = "poke",
        exponential_backoff: bool = False,
        max_wait: timedelta | float | None = None,
        silent_fail: bool = False,
        never_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.poke_interval = self._seconds("poke_interval", poke_interval)
        self.timeout = self._seconds("timeout", timeout)
        self.soft_fail = soft_fail
        self.mode = mode
        self.exponential_backoff = exponential_backoff
        self.max_wait = None if max_wait is None else self._seconds("max_wait", max_wait)
        self.silent_fail = silent_fail
        self.never_fail = never_fail
        if mode not in MODES:
            raise WrongValue(f"mode of task {self.task_id!r} must be 'poke' or 'reschedule', not {mode!r}")
        if soft_fail and never_fail:
            raise WrongValue(f"task {self.task_id!r} has soft_fail and never_fail: never_fail includes it; keep one")

    def _seconds(self, name: str, value: timedelta | float) -> float:
        if isinstance(value, timedelta):
            value = value.total_seconds()
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongArgument(
                f"{name} of task {self.task_id!r} must be seconds or a timedelta, "
                f"not {value!r} of type {type(value).__name__}"
            )
        if value < 0:
            raise WrongValue(f"{name} of task {self.task_id!r} must not be negative: {value!r}")
        return float(value)

    @property
    def reschedule(self) -> bool:
        """Whether the process is given back between pokes."""
        return self.mode == "reschedule"

    def poke(self, context: Any) -> bool | PokeReturnValue:
        """Whether the wait is over."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it waits for; implement poke(context)")

    def execute(self, context: Any) -> Any:
        """Poke until it is true.

        Raises:
            AirflowSensorTimeout: `timeout` passed; AirflowSkipException instead with `soft_fail` or `never_fail`.
            AirflowRescheduleException: not yet, in reschedule mode.
        """
        attempt = attempt_at_hand()
        if attempt is None:
            raise AirflowException(f"sensor {self.task_id!r} waits only while a task runs; in tests use dag.test()")
        wait = _Wait(self, attempt, context)
        while True:
            done = self._poke_once(context)
            if done:
                self.log.info("Success criteria met. Exiting.")
                return done.xcom_value if isinstance(done, PokeReturnValue) else None
            self._check_time(wait.elapsed())
            seconds = wait.next_interval()
            if self.reschedule:
                raise AirflowRescheduleException(attempt.clock.now() + timedelta(seconds=seconds))
            attempt.pause(seconds)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Go on after a trigger; a wait that was too long is the sensor's time-out.

        Raises:
            AirflowSensorTimeout: it waited too long; AirflowSkipException instead with `soft_fail` or `never_fail`.
            AirflowSkipException: it failed, with `soft_fail` or `never_fail`.
        """
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout as error:
            self._spare(error)
            raise AirflowSensorTimeout(f"sensor {self.task_id!r} waited too long for its trigger") from error
        except AirflowSkipException:
            raise
        except (AirflowException, TaskDeferralError) as error:
            self._spare(error)
            raise

    def _spare(self, error: Exception) -> None:
        for name in ("soft_fail", "never_fail"):
            if getattr(self, name):
                raise AirflowSkipException(f"skipped because of {name}: {error}") from error

    def _poke_once(self, context: Any) -> bool | PokeReturnValue:
        try:
            return self.poke(context)
        except (AirflowSkipException, AirflowRescheduleException):
            raise
        except (AirflowSensorTimeout, AirflowTaskTimeout, AirflowFailException) as error:
            if self.soft_fail:
                raise AirflowSkipException(f"skipped because of soft_fail: {error}") from error
            if self.never_fail:
                raise AirflowSkipException(f"skipped because of never_fail: {error}") from error
            raise
        except Exception as error:
            if self.silent_fail:
                self.log.error("poke failed; silent_fail: going on", exc_info=error)
                return False
            if self.never_fail:
                raise AirflowSkipException(f"skipped because of never_fail: {type(error).__name__}: {error}") from error
            raise

    def _check_time(self, elapsed: float) -> None:
        if elapsed <= self.timeout:
            return
        message = f"sensor {self.task_id!r} has waited {elapsed:.0f} s, its timeout is {self.timeout:g} s"
        if self.soft_fail or self.never_fail:
            raise AirflowSkipException(
                f"{message}; skipped because of {'soft_fail' if self.soft_fail else 'never_fail'}"
            )
        raise AirflowSensorTimeout(message)


class _Wait:
    """Time of one wait: how long it has taken over all pokes, and how long until the next.

    Within a process time is measured on the monotonic clock; over reschedules only instants remain.
    """

    def __init__(self, sensor: BaseSensorOperator, attempt: Attempt, context: Any) -> None:
        self._sensor = sensor
        self._clock = attempt.clock
        self._key = "#".join(map(str, (context["ti"].dag_id, context["ti"].run_id, sensor.task_id)))
        first = context["ti"].get_first_reschedule_date()
        now = self._clock.now()
        self._before = 0.0 if first is None else max(0.0, (now - first).total_seconds())
        self._begun = self._clock.monotonic()
        self._pokes = self._pokes_until(self._before)

    def elapsed(self) -> float:
        """Seconds since the first poke."""
        return self._before + self._clock.monotonic() - self._begun

    def next_interval(self) -> float:
        """Seconds until the next poke."""
        interval = self._sensor.poke_interval
        self._pokes += 1
        if self._sensor.exponential_backoff:
            base = max(interval, 1.0) * 2.0 ** min(self._pokes - 1, 40)
            interval = base + base * self._jitter()
        limit = self._sensor.max_wait
        return interval if limit is None else min(interval, limit)

    def _pokes_until(self, seconds: float) -> int:
        """How many pokes a wait of this length has had: intervals that double add up to a power of two."""
        interval = max(self._sensor.poke_interval, 1.0)
        return int(math.log2(seconds / interval + 1)) if self._sensor.exponential_backoff else 0

    def _jitter(self) -> float:
        """Between 0 and 1, the same for the same poke."""
        digest = hashlib.sha256(f"{self._key}#{self._pokes}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32


S = TypeVar("S", bound=type[BaseSensorOperator])


def poke_mode_only(cls: S) -> S:
    """Class decorator for sensors that cannot be rescheduled, because they keep something in memory between pokes."""
    if not issubclass(cls, BaseSensorOperator):
        raise WrongArgument(f"poke_mode_only is for sensors, {cls.__name__} is none")

    def get_mode(_self: Any) -> str:
        return "poke"

    def set_mode(self: Any, value: str) -> None:
        if value != "poke":
            raise WrongValue(f"mode of task {self.task_id!r} must be 'poke': {cls.__name__} cannot be rescheduled")

    setattr(cls, "mode", property(get_mode, set_mode))  # noqa: B010 - mypy knows `mode` as an attribute
    return cls
