"""`conf`: the configuration as task code reads it: `conf.get("core", "dags_folder")`, `conf.getint(...)`.

Sections and keys of Airflow are understood where Tradewind has the like. Looked up in this order: environment variables
`AIRFLOW__SECTION__KEY`, then the settings of this installation, then the fallback. Secrets are not given to tasks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, TypeVar

from .errors import WrongValue
from .exceptions import AirflowConfigException
from .notset import NOTSET

T = TypeVar("T")

_OURS = {
    ("core", "dags_folder"): "core.dags_folder",
    ("core", "default_timezone"): "core.default_timezone",
    ("core", "parallelism"): "core.parallelism",
    ("core", "max_active_tasks_per_dag"): "core.max_active_tasks_per_dag",
    ("core", "max_active_runs_per_dag"): "core.max_active_runs_per_dag",
    ("core", "default_task_retries"): "core.default_task_retries",
    ("core", "default_task_retry_delay"): "core.default_task_retry_delay_seconds",
    ("core", "max_task_retry_delay"): "core.max_task_retry_delay_seconds",
    ("core", "killed_task_cleanup_time"): "core.killed_task_cleanup_seconds",
    ("core", "load_examples"): "core.load_examples",
    ("core", "dags_are_paused_at_creation"): "core.dags_are_paused_at_creation",
    ("core", "max_map_length"): "core.max_map_length",
    ("core", "plugins_folder"): "core.plugins_folder",
    ("core", "xcom_backend"): "core.xcom_backend",
    ("core", "fernet_key"): "secrets.key_file",
    ("scheduler", "catchup_by_default"): "core.catchup_by_default",
    ("logging", "base_log_folder"): "logs.folder",
    ("logging", "logging_level"): "logs.level",
    ("api", "base_url"): "api.base_url",
    ("api", "host"): "api.host",
    ("api", "port"): "api.port",
    ("webserver", "base_url"): "api.base_url",
}
"""(section, key) of Airflow → our setting."""

_FIXED = {
    ("core", "executor"): "LocalExecutor",
    ("core", "simple_auth_manager_all_admins"): "False",
    ("core", "unit_test_mode"): "False",
    ("operators", "default_owner"): "airflow",
    ("operators", "default_deferrable"): "False",
    ("operators", "default_queue"): "default",
    ("email", "subject_template"): "",
    ("email", "html_content_template"): "",
    ("smtp", "smtp_mail_from"): "airflow@localhost",
    ("sensors", "default_timeout"): "604800",
    ("common.io", "xcom_objectstorage_threshold"): "-1",
    ("common.io", "xcom_objectstorage_path"): "",
    ("common.io", "xcom_objectstorage_compression"): "",
    ("standard", "venv_install_method"): "auto",
}
"""Defaults of Airflow for what Tradewind has no setting of its own."""

_TRUE, _FALSE = ("t", "true", "1", "yes", "on"), ("f", "false", "0", "no", "off")


class Configuration:
    """Reads values by section and key; each method takes `fallback=`.

    Raises:
        AirflowConfigException: there is no such value and no fallback.
        WrongValue: the value is not of the type that was asked for.
    """

    def get(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> Any:
        """The value as text."""
        found = self._find(section.lower(), key.lower())
        if found is not None:
            return found
        if fallback is NOTSET:
            raise AirflowConfigException(
                f"section/key [{section}/{key}] is not in the configuration; give a fallback, or set the environment "
                f"variable AIRFLOW__{section.upper().replace('.', '_')}__{key.upper()}"
            )
        return fallback

    def get_mandatory_value(self, section: str, key: str, **more: Any) -> str:
        """The value, which must be there."""
        return str(self.get(section, key, **more))

    def getint(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> Any:
        return self._as(section, key, fallback, int, "a whole number")

    def getfloat(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> Any:
        return self._as(section, key, fallback, float, "a number")

    def getboolean(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> Any:
        return self._as(section, key, fallback, _boolean, "true or false")

    def getjson(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> Any:
        return self._as(section, key, fallback, json.loads, "JSON")

    def getlist(self, section: str, key: str, fallback: Any = NOTSET, delimiter: str = ",", **_: Any) -> Any:
        return self._as(
            section, key, fallback, lambda text: [p.strip() for p in text.split(delimiter) if p.strip()], ""
        )

    def getimport(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> Any:
        """The object that the value names; None for an empty one."""
        path = self.get(section, key, fallback)
        if not path or not isinstance(path, str):
            return path or None
        from .callback_run import find

        return find(path)

    def has_option(self, section: str, key: str, **_: Any) -> bool:
        return self._find(section.lower(), key.lower()) is not None

    def getsection(self, section: str) -> dict[str, Any] | None:
        """All known values of a section; None when there is none."""
        known = {key for of, key in (*_OURS, *_FIXED) if of == section.lower()}
        prefix = f"AIRFLOW__{section.upper().replace('.', '_')}__"
        known |= {name.removeprefix(prefix).lower() for name in os.environ if name.startswith(prefix)}
        return {key: self.get(section, key) for key in sorted(known) if self.has_option(section, key)} or None

    def _as(self, section: str, key: str, fallback: Any, read: Callable[[str], T], words: str) -> T | Any:
        value = self.get(section, key, fallback)
        if not isinstance(value, str):
            return value
        try:
            return read(value)
        except ValueError:
            raise WrongValue(f"[{section}/{key}] must be {words}, not {value!r}") from None

    def _find(self, section: str, key: str) -> str | None:
        given = os.environ.get(f"AIRFLOW__{section.upper().replace('.', '_')}__{key.upper()}")
        if given is not None:
            return given
        ours = _OURS.get((section, key))
        ours = ours or (f"{section}.{key}" if section != "core" or key else None)
        value = _setting(ours)
        return value if value is not None else _FIXED.get((section, key))


def _setting(name: str | None) -> str | None:
    """The setting as text; None when there is none, or when it is secret."""
    from tradewind.kernel.settings.model import OPTIONS

    option = OPTIONS.get(name or "")
    if option is None or option.secret or option.name == "database.url":
        return None
    from tradewind.kernel.settings import load_settings

    return str(load_settings().get(option.name))


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(text)


conf = Configuration()
