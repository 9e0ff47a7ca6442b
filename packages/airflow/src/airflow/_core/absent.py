"""Names that cannot be offered: asking for one is an ImportError that says what takes its place."""

from __future__ import annotations

from typing import Any, NoReturn

_SERVER = "the web server is Tradewind's; plugins with views and authentication of Airflow's server do not run in it"
_ENGINE = "tasks are run by Tradewind's executors (local, celery: setting core.executor)"
_DATABASE = "this was a query of the metadata database: use the REST API or the commands of `tradewind`"
_WHY = {
    **dict.fromkeys(
        (
            "cached_app", "create_app", "csrf", "has_access", "UIAlert", "CustomSQLAInterface", "AirflowBaseView",
            "AirflowModelView", "get_auth_manager", "AUTH_MANAGER_FASTAPI_APP_PREFIX",
        ),
        _SERVER,
    ),
    **dict.fromkeys(
        (
            "KubernetesExecutor", "CeleryExecutor", "DaskExecutor", "DebugExecutor", "app", "SchedulerJobRunner",
            "TriggererJobRunner", "TriggerRunner", "supervise", "get_coordinator_manager", "BaseCoordinator", "Client",
        ),
        _ENGINE,
    ),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _refuse(name)


def _refuse(name: str) -> NoReturn:
    raise ImportError(f"{name} is not offered by tradewind-airflow: {_WHY.get(name, _DATABASE)}", name=name)
