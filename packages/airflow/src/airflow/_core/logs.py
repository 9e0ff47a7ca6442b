"""`airflow.utils.log.logging_mixin`: loggers for classes that are no operators."""

from __future__ import annotations

import abc
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import TextIOBase
from typing import Any

ANSI_ESCAPE = re.compile(r"\x1B[@-_][0-?]*[ -/]*[@-~]")


def remove_escape_codes(text: str) -> str:
    """The text without colours."""
    return ANSI_ESCAPE.sub("", text)


def _get_logger(cls: type) -> logging.Logger:
    return logging.getLogger(f"tradewind.task.{cls.__module__}.{cls.__name__}")


class LoggingMixin:
    """Gives a class `self.log`."""

    _log: logging.Logger | None = None
    _log_config_logger_name: str | None = None
    _logger_name: str | None = None

    def __init__(self, context: Any = None) -> None:
        self._set_context(context)

    @classmethod
    def logger(cls) -> logging.Logger:
        """The logger of the class."""
        return _get_logger(cls)

    @property
    def log(self) -> logging.Logger:
        """The logger of this object."""
        if self.__dict__.get("_log") is None:
            name = self._logger_name
            logger = logging.getLogger(f"tradewind.task.{name}") if name else _get_logger(type(self))
            try:
                self._log = logger
            except AttributeError:  # a frozen object
                return logger
        return self.__dict__.get("_log") or _get_logger(type(self))

    def _set_context(self, context: Any) -> None:
        if context is not None:
            set_context(self.log, context)


class ExternalLoggingMixin(metaclass=abc.ABCMeta):
    """For log handlers whose logs are seen elsewhere."""

    @property
    @abc.abstractmethod
    def log_name(self) -> str:
        """Name of the place."""

    @abc.abstractmethod
    def get_external_log_url(self, task_instance: Any, try_number: int) -> str:
        """Address of the log of an attempt."""

    @property
    @abc.abstractmethod
    def supports_external_link(self) -> bool:
        """Whether there are such addresses."""


class StreamLogWriter(TextIOBase):
    """A text stream whose lines become log lines."""

    encoding: None = None  # type: ignore[assignment]

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self.logger = logger
        self.level = level
        self._buffer = ""

    def write(self, message: str) -> int:
        """Take a piece of text; whole lines are logged."""
        self._buffer += message
        *lines, self._buffer = self._buffer.split("\n")
        for line in lines:
            self.logger.log(self.level, remove_escape_codes(line.rstrip()))
        return len(message)

    def flush(self) -> None:
        """Log what is there of a line."""
        if self._buffer:
            self.logger.log(self.level, remove_escape_codes(self._buffer))
            self._buffer = ""

    def isatty(self) -> bool:
        return False


class RedirectStdHandler(logging.StreamHandler[Any]):
    """Writes to what is stdout or stderr at the time."""

    def __init__(self, stream: str) -> None:
        logging.Handler.__init__(self)
        self._use_stderr = "stdout" not in stream

    @property
    def stream(self) -> Any:
        return sys.stderr if self._use_stderr else sys.stdout

    @stream.setter
    def stream(self, value: Any) -> None:
        pass


class TimezoneAware(logging.Formatter):
    """Formats times with their zone."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        moment = datetime.fromtimestamp(record.created).astimezone()
        return moment.strftime(datefmt) if datefmt else moment.isoformat(timespec="milliseconds")


def set_context(logger: logging.Logger, value: Any) -> None:
    """Tell the handlers of a logger, and of those above it, which task instance they write for."""
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            setter = getattr(handler, "set_context", None)
            if setter is not None:
                setter(value)
        current = current.parent if current.propagate else None


def configure_logging(*_: Any, **__: Any) -> None:
    """Nothing: the process that runs this has its logging."""


def relative_path_from_logger(*_: Any) -> Any:
    """The path of the file an attempt logs to, below the folder of logs; None: it logs to no file."""
    return None


@contextmanager
def mask_logs(*_: Any) -> Iterator[None]:
    """Nothing: what the worker sends is masked."""
    yield


class RemoteLogIO:
    """A place that logs are copied to."""


class RemoteLogStreamIO(RemoteLogIO):
    """A place that logs are copied to and read from as a stream."""


class StructuredLogMessage(dict[str, Any]):
    """One line of a log."""


class JSONFormatter(logging.Formatter):
    """Formats records as JSON.

    Parameters:
        json_fields: which attributes of the record; extras: what is added to each.
    """

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Any = "%",
        json_fields: Any = None,
        extras: Any = None,
    ) -> None:
        super().__init__(fmt, datefmt, style)
        self.json_fields = json_fields or []
        self.extras = extras or {}

    def usesTime(self) -> bool:
        return "asctime" in self.json_fields

    def format(self, record: logging.LogRecord) -> str:
        super().format(record)
        fields = {name: getattr(record, name, None) for name in self.json_fields}
        return json.dumps({**fields, **self.extras}, default=str)


def get_remote_task_log() -> Any:
    """None: the agent keeps logs."""


class _ActiveLoggingConfig:
    remote_task_log: Any = None
    default_remote_conn_id: str | None = None


LogMetadata = dict[str, Any]
LogMessages = list[str]
LogSourceInfo = list[str]
RawLogStream = Any
LogResponse = tuple[Any, Any]
StreamingLogResponse = tuple[Any, Any]
REMOTE_TASK_LOG: Any = None
