"""`airflow.exceptions` and `airflow.sdk.exceptions`: the SDK's exceptions, and those that only code around tasks
knows."""

from __future__ import annotations

from typing import Any

from airflow._notes import OlderForm
from tradewind.sdk import exceptions as _sdk
from tradewind.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(_sdk, name)


class AirflowRuntimeError(AirflowException):
    """The server refused what the task asked for."""

    def __init__(self, error: Any = None) -> None:
        self.error = error
        super().__init__(str(error))


class AirflowBadRequest(AirflowException):
    """A request cannot be served as it is."""

    status_code = 400


class AirflowSecretsBackendAccessDenied(AirflowException):
    """A secrets backend refused to tell a secret."""


class AirflowInactiveAssetInInletOrOutletException(AirflowException):
    """A task names an asset that is not active."""


class AirflowInternalRuntimeError(BaseException):
    """Something inside is wrong that no task can mend."""


class AirflowWebServerTimeout(AirflowException):
    """The server did not answer in time."""


class AirflowDagDuplicatedIdException(AirflowException):
    """Two DAGs have one id."""

    def __init__(self, dag_id: str = "", incoming: str = "", existing: str = "") -> None:
        super().__init__(dag_id, incoming, existing)
        self.dag_id = dag_id
        self.incoming = incoming
        self.existing = existing

    def __str__(self) -> str:
        return f"DAG {self.dag_id!r} of {self.incoming} is in {self.existing} already"


class AirflowDagInconsistent(AirflowException):
    """A DAG has attributes that contradict each other."""


class AirflowFileParseException(AirflowException):
    """A file cannot be read."""

    def __init__(self, msg: str, file_path: str, parse_errors: list[Any] | None = None) -> None:
        super().__init__(msg)
        self.msg = msg
        self.file_path = file_path
        self.parse_errors = parse_errors or []


class AirflowUnsupportedFileTypeException(AirflowException):
    """A file of this kind cannot be read."""


class FileSyntaxError(AirflowException):
    """A line of a file cannot be read."""


class ConnectionNotUnique(AirflowException):
    """Several connections go by one id."""


class DagNotFound(AirflowNotFoundException):
    """There is no such DAG."""


class DagCodeNotFound(AirflowNotFoundException):
    """There is no code of such a DAG."""


class DagRunNotFound(AirflowNotFoundException):
    """There is no such run."""


class DagRunAlreadyExists(AirflowBadRequest):
    """There is such a run already."""

    def __init__(self, dag_run: Any = None, *_: Any, **__: Any) -> None:
        super().__init__(f"a run of this id or logical date exists already: {dag_run}")
        self.dag_run = dag_run


class DagFileExists(AirflowBadRequest):
    """A file of this name exists already."""


class DagInvalidTriggerRule(AirflowException):
    """A trigger rule does not fit its DAG."""


class SerializationError(AirflowException):
    """A DAG or value cannot be written as data."""


class DeserializationError(AirflowException):
    """Data is not a DAG."""


class DeserializingResultError(ValueError):
    """What a task returned from another interpreter cannot be read."""


class TaskInstanceNotFound(AirflowNotFoundException):
    """There is no such task instance."""


class PoolNotFound(AirflowNotFoundException):
    """There is no such pool."""


class NoAvailablePoolSlot(AirflowException):
    """A pool is full."""


class DagConcurrencyLimitReached(AirflowException):
    """A DAG runs as many tasks as it may."""


class TaskConcurrencyLimitReached(AirflowException):
    """A task runs as often as it may."""


class BackfillUnfinished(AirflowException):
    """Runs of a backfill failed."""


class InvalidStatsNameException(AirflowException):
    """A metric has a name that cannot be taken."""


class UnmappableOperator(AirflowException):
    """An operator cannot be mapped."""


class UnmappableXComLengthPushed(AirflowException):
    """A task is to be mapped over more items than allowed."""


class UnknownExecutorException(ValueError):
    """No executor goes by this name."""


class TaskAwaitingInput(BaseException):
    """The task waits for a person."""


class ServerResponseError(AirflowException):
    """The server refused a request."""


class PodMutationHookException(AirflowException):
    """The cluster policy for pods failed."""


class PodReconciliationError(AirflowException):
    """Two descriptions of a pod contradict each other."""


class RemovedInAirflow3Warning(OlderForm):
    """Something that Airflow 3 does not have was used."""

    deprecated_since: str | None = None


class RemovedInAirflow4Warning(OlderForm):
    """Something that Airflow 4 will not have was used."""

    deprecated_since: str | None = None


class AirflowProviderDeprecationWarning(DeprecationWarning):
    """A provider will drop something."""

    deprecated_provider_since: str | None = None


class AirflowContextDeprecationWarning(OlderForm):
    """A variable of the context by its older name."""


class ErrorType:
    """Kinds of refusals that a running task is told."""

    CONNECTION_NOT_FOUND = "CONNECTION_NOT_FOUND"
    VARIABLE_NOT_FOUND = "VARIABLE_NOT_FOUND"
    XCOM_NOT_FOUND = "XCOM_NOT_FOUND"
    ASSET_NOT_FOUND = "ASSET_NOT_FOUND"
    DAGRUN_ALREADY_EXISTS = "DAGRUN_ALREADY_EXISTS"
    GENERIC_ERROR = "GENERIC_ERROR"
    API_SERVER_ERROR = "API_SERVER_ERROR"


FailStopDagInvalidTriggerRule = _sdk.FailFastDagInvalidTriggerRule
AirflowTaskFailed = AirflowFailException
"""Names of other versions."""
