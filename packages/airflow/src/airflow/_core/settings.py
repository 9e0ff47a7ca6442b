"""`airflow.settings`: what modules take from there."""

from __future__ import annotations

import json
from typing import Any

from airflow._core.configuration import conf, get_airflow_home
from airflow._core.session import NoSession, _refusal

KILOBYTE = 1024
MEGABYTE = KILOBYTE * KILOBYTE
WEB_COLORS = {"LIGHTBLUE": "#4d9de0", "LIGHTORANGE": "#FF9933"}
CAN_FORK = True
EXECUTE_TASKS_NEW_PYTHON_INTERPRETER = False
IS_K8S_OR_K8SCELERY_EXECUTOR = False
IS_EXECUTOR_CONTAINER = False
IS_K8S_EXECUTOR_POD = False
ALLOW_FUTURE_EXEC_DATES = False
LAZY_LOAD_PLUGINS = True
LAZY_LOAD_PROVIDERS = True
HIDE_SENSITIVE_VAR_CONN_FIELDS = True
MASK_SECRETS_IN_LOGS = True
DAEMON_UMASK = "0o077"
GUNICORN_WORKER_READY_PREFIX = "[ready] "
STATE_COLORS: dict[str, str] = {}
DASHBOARD_UIALERTS: list[Any] = []
DEFAULT_LOGGING_CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {},
    "loggers": {},
}
REMOTE_TASK_LOG: Any = None
_ENABLE_AIP_52 = True
NO_DATABASE = True


def Session(*_: Any, **__: Any) -> Any:  # a class elsewhere
    """A session whose uses say what to do instead."""
    return NoSession()


NonScopedSession = Session
AsyncSession = Session


def initialize() -> None:
    """Nothing: there is nothing to begin."""


def configure_vars() -> None:
    """Nothing."""


def configure_orm(*_: Any, **__: Any) -> None:
    """Nothing."""


def dispose_orm(*_: Any, **__: Any) -> None:
    """Nothing."""


def get_session(*_: Any, **__: Any) -> Any:
    """A session whose uses say what to do instead."""
    return NoSession()


def __getattr__(name: str) -> Any:
    if name == "TIMEZONE":
        from airflow._core.timezone import get_timezone

        return get_timezone()
    if name == "AIRFLOW_HOME":
        return get_airflow_home()
    if name in ("DAGS_FOLDER", "PLUGINS_FOLDER"):
        return conf.get("core", name.lower(), fallback=f"{get_airflow_home()}/{name.split('_')[0].lower()}")
    if name in ("SQL_ALCHEMY_CONN", "engine", "async_engine"):
        raise _refusal(f"settings.{name}")
    if name in ("LOGGING_LEVEL",):
        return 20
    if name in ("LOG_FORMAT", "SIMPLE_LOG_FORMAT"):
        return conf.get("logging", name.lower())
    if name in ("task_policy", "dag_policy", "pod_mutation_hook", "task_instance_mutation_hook"):
        from airflow._core import policies

        return getattr(policies, name)
    raise AttributeError(f"module 'airflow.settings' has no attribute {name!r}")


__all__ = ["Session", "conf", "initialize", "json"]
