"""What a DAG or task gets that does not say otherwise. A parsing child sets it once, from the settings, before it
loads files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tradewind.kernel.settings.sections import Core


@dataclass(frozen=True, slots=True)
class Defaults:
    """Authoring defaults; the values here are those of a fresh installation."""

    timezone: str = "UTC"
    catchup: bool = False
    data_intervals: bool = False
    """Whether a plain cron or timedelta means a run after each interval."""
    max_active_runs: int = 16
    max_active_tasks: int = 16
    owner: str = "airflow"
    retries: int = 0
    retry_delay: timedelta = timedelta(seconds=300)
    airflow2_context: bool = True
    """Whether the context has the variables of Airflow 2."""
    plugins_folder: str = ""
    """Setting core.plugins_folder; "": HOME/plugins."""
    xcom_backend: str = ""
    """Setting core.xcom_backend."""

    @classmethod
    def of(cls, core: Core) -> Defaults:
        """The defaults of an installation."""
        return cls(
            timezone=core.default_timezone,
            catchup=core.catchup_by_default,
            data_intervals=core.create_data_intervals,
            max_active_runs=core.max_active_runs_per_dag,
            max_active_tasks=core.max_active_tasks_per_dag,
            retries=core.default_task_retries,
            retry_delay=timedelta(seconds=core.default_task_retry_delay_seconds),
            airflow2_context=core.airflow2_context,
            plugins_folder=str(core.plugins_folder),
            xcom_backend=core.xcom_backend,
        )

    def as_text(self) -> str:
        """For the environment of task processes, which read no settings (`DEFAULTS_VARIABLE`)."""
        return json.dumps({**asdict(self), "retry_delay": self.retry_delay.total_seconds()})

    @classmethod
    def from_text(cls, text: str) -> Defaults:
        """What `as_text` wrote."""
        values = json.loads(text)
        return cls(**{**values, "retry_delay": timedelta(seconds=values["retry_delay"])})


DEFAULTS_VARIABLE = "TRADEWIND_AUTHORING_DEFAULTS"

_current = Defaults()


def authoring_defaults() -> Defaults:
    """The defaults in force in this process."""
    return _current


def use_defaults(defaults: Defaults) -> None:
    """Set the defaults of this process, before DAG files are loaded."""
    global _current
    _current = defaults
