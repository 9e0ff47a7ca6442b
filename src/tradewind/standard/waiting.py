"""Waiting for a moment. In reschedule mode the next poke is due at the moment itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from tradewind.sdk.attempt import attempt_at_hand
from tradewind.sdk.errors import WrongArgument
from tradewind.sdk.exceptions import AirflowException, AirflowRescheduleException
from tradewind.sdk.sensor import BaseSensorOperator
from tradewind.sdk.triggers import StartTriggerArgs

from .deferring import default_deferrable
from .triggers import DateTimeTrigger


class _MomentSensor(BaseSensorOperator):
    """Waits until `moment(context)`.

    Parameters:
        deferrable: in the triggerer; default the setting `operators.default_deferrable`.
        end_from_trigger: with `deferrable`: succeed there, without a process.
    """

    def __init__(self, *, deferrable: bool | None = None, end_from_trigger: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.end_from_trigger = end_from_trigger

    def moment(self, context: Any) -> datetime:
        """When the wait is over."""
        raise NotImplementedError(f"{type(self).__name__} does not say when its wait is over; implement moment")

    def execute(self, context: Any) -> Any:
        if not self.deferrable:
            return super().execute(context)
        moment = self.moment(context)
        if _now() >= moment:
            return None
        return self.defer(
            trigger=DateTimeTrigger(moment, end_from_trigger=self.end_from_trigger),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """The moment has come."""

    def poke(self, context: Any) -> bool:
        moment = self.moment(context)
        now = _now()
        self.log.info("Checking if the time (%s) has come", moment.isoformat())
        if now >= moment:
            return True
        # The moment is known: poking before it would be useless.
        if self.reschedule:
            raise AirflowRescheduleException(moment)
        return False


class DateTimeSensor(_MomentSensor):
    """Wait until an instant.

    Parameters:
        target_time: aware datetime, or text in ISO form; templated.
    """

    template_fields: Sequence[str] = ("target_time",)

    def __init__(self, *, target_time: str | datetime, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(target_time, datetime):
            target_time = target_time.isoformat()
        if not isinstance(target_time, str):
            raise WrongArgument(f"target_time of task {self.task_id!r} must be a datetime or text, not {target_time!r}")
        self.target_time = target_time

    def moment(self, context: Any) -> datetime:  # noqa: ARG002 - one signature for all
        try:
            moment = datetime.fromisoformat(self.target_time)
        except ValueError as error:
            raise AirflowException(f"target_time of task {self.task_id!r}: {error}; write it in ISO form") from error
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self.dag.timezone)


class TimeSensor(_MomentSensor):
    """Wait until a time of the day, in the DAG's time zone.

    Parameters:
        target_time: the time.
    """

    def __init__(self, *, target_time: time, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_time = target_time

    def moment(self, context: Any) -> datetime:
        zone = self.target_time.tzinfo or self.dag.timezone
        # The day on which the wait began: after midnight the target is still that of the day before.
        begun = context["ti"].get_first_reschedule_date() or context["ti"].start_date
        return datetime.combine(begun.astimezone(zone).date(), self.target_time.replace(tzinfo=None), zone)


class TimeDeltaSensor(_MomentSensor):
    """Wait for a time after the end of the data interval; without one, after `run_after`.

    Parameters:
        delta: how long.
    """

    def __init__(self, *, delta: timedelta, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.delta = delta

    def moment(self, context: Any) -> datetime:
        run = context["dag_run"]
        moment: datetime = (run.data_interval_end or run.run_after) + self.delta
        return moment


class DateTimeSensorAsync(DateTimeSensor):
    """`DateTimeSensor` in the triggerer.

    Parameters:
        start_from_trigger: from the beginning, without a process; `target_time` must then be an instant.
    """

    def __init__(self, *, start_from_trigger: bool = False, **kwargs: Any) -> None:
        super().__init__(deferrable=True, **kwargs)
        self.start_from_trigger = start_from_trigger
        if start_from_trigger:
            arguments = {"moment": self.moment(None), "end_from_trigger": self.end_from_trigger}
            self.start_trigger_args = StartTriggerArgs(
                trigger_cls="tradewind.standard.triggers.DateTimeTrigger",
                trigger_kwargs=arguments,
                next_method="execute_complete",
            )


class TimeSensorAsync(TimeSensor):
    """`TimeSensor` in the triggerer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"deferrable": True, **kwargs})


class TimeDeltaSensorAsync(TimeDeltaSensor):
    """`TimeDeltaSensor` in the triggerer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"deferrable": True, **kwargs})


class WaitSensor(_MomentSensor):
    """Wait for a time from the first poke.

    Parameters:
        time_to_wait: timedelta, or minutes.
    """

    def __init__(self, *, time_to_wait: timedelta | int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.time_to_wait = time_to_wait if isinstance(time_to_wait, timedelta) else timedelta(minutes=time_to_wait)

    def moment(self, context: Any) -> datetime:
        begun: datetime = context["ti"].get_first_reschedule_date() or context["ti"].start_date
        return begun + self.time_to_wait


def _now() -> datetime:
    attempt = attempt_at_hand()
    assert attempt is not None, "a sensor pokes only while its task runs"
    return attempt.clock.now()
