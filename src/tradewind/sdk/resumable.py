"""`ResumableJobMixin`: jobs in other systems that survive the death of the task that started them.

The id of the job is kept in the task's state store as soon as it is known. The next try asks what became of the job:
it goes on waiting for one that runs, takes the result of one that is done, and starts a new one only for one that
failed.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

_log = logging.getLogger("tradewind.task")


class ResumableJobMixin(ABC):
    """Put before `BaseOperator`, implement the six methods, and let `execute` return `self.execute_resumable(context)`.

    Parameters:
        durable: False: every try starts a job of its own.

    Between the start of a job and the moment its id is kept lies a gap that no task can close: a death in it leaves a
    job that nobody knows.
    """

    external_id_key: str = "remote_job_id"
    """Key of the job's id in the state store."""

    if TYPE_CHECKING:
        log: logging.Logger

    def __init__(self, *, durable: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.durable = durable

    @abstractmethod
    def submit_job(self, context: Any) -> Any:
        """Start a job; its id, plain JSON."""

    @abstractmethod
    def get_job_status(self, external_id: Any, context: Any) -> str:
        """What the other system says of the job."""

    @abstractmethod
    def is_job_active(self, status: str) -> bool:
        """Whether a job of this status goes on."""

    @abstractmethod
    def is_job_succeeded(self, status: str) -> bool:
        """Whether a job of this status is done and well."""

    @abstractmethod
    def poll_until_complete(self, external_id: Any, context: Any) -> Any:
        """Wait for its end. Raises when it fails."""

    @abstractmethod
    def get_job_result(self, external_id: Any, context: Any) -> Any:
        """What the task returns."""

    def execute_resumable(self, context: Any) -> Any:
        """Start the job, or go on with the one of an earlier try; its result."""
        memory = context["task_state_store"] if self.durable else None
        known = memory.get(self.external_id_key) if memory is not None else None
        if known is not None:
            status = self.get_job_status(known, context)
            if self.is_job_active(status):
                _log.info("going on with job %r of an earlier try (%s)", known, status)
                self.poll_until_complete(known, context)
                return self.get_job_result(known, context)
            if self.is_job_succeeded(status):
                _log.info("job %r of an earlier try is done (%s)", known, status)
                return self.get_job_result(known, context)
            _log.warning("job %r of an earlier try ended badly (%s): a new one is started", known, status)
        started = self.submit_job(context)
        if memory is not None and started is not None:
            memory.set(self.external_id_key, started)
        self.poll_until_complete(started, context)
        return self.get_job_result(started, context)
