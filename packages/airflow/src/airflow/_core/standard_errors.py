"""`airflow.providers.standard.exceptions`, while the package is not installed."""

from __future__ import annotations

from tradewind.sdk.exceptions import AirflowException


class AirflowExternalTaskSensorException(AirflowException):
    """A sensor of other DAGs cannot go on."""


class ExternalDagNotFoundError(AirflowExternalTaskSensorException):
    """There is no such DAG."""


class ExternalDagDeletedError(AirflowExternalTaskSensorException):
    """The DAG was deleted."""


class ExternalTaskNotFoundError(AirflowExternalTaskSensorException):
    """There is no such task."""


class ExternalTaskGroupNotFoundError(AirflowExternalTaskSensorException):
    """There is no such group."""


class ExternalTaskFailedError(AirflowExternalTaskSensorException):
    """The task failed."""


class ExternalTaskGroupFailedError(AirflowExternalTaskSensorException):
    """A task of the group failed."""


class ExternalDagFailedError(AirflowExternalTaskSensorException):
    """The DAG failed."""


class DuplicateStateError(AirflowExternalTaskSensorException):
    """A state is in two lists."""


class HITLTriggerEventError(AirflowException):
    """The question to a person failed."""


class HITLTimeoutError(HITLTriggerEventError):
    """Nobody answered in time."""


class HITLRejectException(AirflowException):
    """A person refused."""


class DagIsPaused(AirflowException):
    """The DAG is paused."""
