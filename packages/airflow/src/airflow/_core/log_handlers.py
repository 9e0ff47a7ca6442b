"""`airflow.utils.log.file_task_handler`: names that log handlers of providers derive from. Logs of attempts are written
by Tradewind's agent; handlers of providers can be imported and are not asked."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Any

from airflow._core.logs import (
    LogMessages,
    LogResponse,
    LogSourceInfo,
    RawLogStream,
    StreamingLogResponse,
    StructuredLogMessage,
)


class LogType(StrEnum):
    """Of what a log is."""

    TRIGGER = "trigger"
    WORKER = "worker"


class FileTaskHandler(logging.FileHandler):
    """Writes the log of an attempt to a file below `base_log_folder`."""

    trigger_should_wrap = True
    inherits_from_empty_operator_log_message = "Operator inherits from empty operator and thus does not have logs"

    def __init__(self, base_log_folder: str, *_: Any, **__: Any) -> None:
        logging.Handler.__init__(self)
        self.local_base = base_log_folder

    def set_context(self, ti: Any, *_: Any, **__: Any) -> None:
        """Write for this task instance from now on."""

    def emit(self, record: logging.LogRecord) -> None:
        """Nothing: the agent writes."""

    def close(self) -> None:
        logging.Handler.close(self)


class NonCachingFileHandler(logging.FileHandler):
    """A file handler."""


class NonCachingRotatingFileHandler(NonCachingFileHandler):
    """A file handler."""


class TaskLogReader:
    """Raises when it is used: logs are read through the REST API."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError("logs are read through the REST API or `tradewind tasks logs`")


__all__ = [
    "FileTaskHandler",
    "LogMessages",
    "LogResponse",
    "LogSourceInfo",
    "LogType",
    "NonCachingFileHandler",
    "RawLogStream",
    "StreamingLogResponse",
    "StructuredLogMessage",
    "TaskLogReader",
]
