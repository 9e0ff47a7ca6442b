"""`airflow.executors`: names that providers import. Tasks are run by Tradewind's executors."""

from __future__ import annotations

from typing import Any

LOCAL_EXECUTOR = "LocalExecutor"
SEQUENTIAL_EXECUTOR = "SequentialExecutor"
CELERY_EXECUTOR = "CeleryExecutor"
KUBERNETES_EXECUTOR = "KubernetesExecutor"
MOCK_EXECUTOR = "MockExecutor"
CORE_EXECUTOR_NAMES = {LOCAL_EXECUTOR, SEQUENTIAL_EXECUTOR, CELERY_EXECUTOR, KUBERNETES_EXECUTOR}
PARALLELISM = 32
CommandType = list[str]
EventBufferValueType = tuple[Any, Any]
TaskInstanceUuid = str
WorkloadType = Any
TaskTuple = Any
QueuedTaskInstanceType = Any
All = Any


class BaseExecutor:
    """Base of Airflow's executors; none of them is started here."""

    supports_ad_hoc_ti_run = False
    is_local = False
    is_single_threaded = False
    is_production = False
    serve_logs = False

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(
            f"{type(self).__name__}: tasks are run by Tradewind's executors (local, celery, kubernetes), which a DAG "
            "or task names with executor="
        )


class LocalExecutor(BaseExecutor):
    """Tasks on this machine: Tradewind's executor `local`."""


class _Workload:
    """What an executor is handed."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class ExecuteTask(_Workload):
    """A task to run."""


class ExecuteCallback(_Workload):
    """A callback to run."""


class ExecutorConf:
    """Options of an executor."""

    def __init__(self, team_name: str | None = None) -> None:
        self.team_name = team_name

    def __getattr__(self, name: str) -> Any:
        from airflow._core.configuration import conf

        return getattr(conf, name)


class ExecutorName:
    """Names an executor."""

    def __init__(self, module_path: str = "", alias: str | None = None, team_name: str | None = None) -> None:
        self.module_path = module_path
        self.alias = alias
        self.team_name = team_name


class ExecutorLoader:
    """Finds executors."""

    @classmethod
    def get_default_executor(cls) -> Any:
        """Raises NotImplementedError."""
        raise NotImplementedError("executors are a matter of the installation: setting core.executor")

    @classmethod
    def get_default_executor_name(cls, *_: Any) -> ExecutorName:
        """The local one."""
        return ExecutorName("airflow.executors.local_executor.LocalExecutor", "LocalExecutor")


_made: dict[str, type] = {}


def __getattr__(name: str) -> Any:
    if name.startswith("_") or not name[:1].isupper():
        raise AttributeError(name)
    return _made.setdefault(name, type(name, (_Workload,), {"__doc__": "Part of what an executor is handed."}))
