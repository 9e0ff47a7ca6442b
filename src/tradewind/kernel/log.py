"""Logs of the server processes: events with fields, as JSON lines or for a person's eyes.

    log = get_logger("scheduler")
    log.info("run_taken_over", run=run_id, owner=name, epoch=4)

An event is a fixed name in snake_case; what varies is in fields. Built on the standard library's logging, so that the
lines of libraries come out alike. (structlog was measured: importing it alone takes more than 100 ms, this 15 ms.)

Fields whose names sound secret are masked. Task logs are another matter: they are written by the agent.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

_ROOT = "tradewind"
_FIELDS = "tradewind_fields"
_MASK = "***"
_SECRET_WORDS = ("password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "authorization", "cookie")
_RESERVED = frozenset({"time", "level", "logger", "event", "process", "pid", "exception"})
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_COLOURS = {logging.DEBUG: "2", logging.INFO: "32", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "31"}


class EventLogger:
    """Logs events of one part of the system. Cheap to make; safe between threads. Made by `get_logger`."""

    __slots__ = ("_fields", "_logger")

    def __init__(self, logger: logging.Logger, fields: Mapping[str, object]) -> None:
        self._logger = logger
        self._fields = dict(fields)

    def bind(self, **fields: object) -> EventLogger:
        """A logger that adds these fields to every event."""
        return EventLogger(self._logger, {**self._fields, **fields})

    def debug(self, event: str, /, **fields: object) -> None:
        self._emit(logging.DEBUG, event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        self._emit(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        self._emit(logging.WARNING, event, fields)

    def error(self, event: str, /, error: BaseException | None = None, **fields: object) -> None:
        """Something failed. `error` adds its traceback."""
        self._emit(logging.ERROR, event, fields, error)

    def _emit(self, level: int, event: str, fields: dict[str, object], error: BaseException | None = None) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", event, extra={_FIELDS: {**self._fields, **fields}}, exc_info=error)


def get_logger(name: str, **fields: object) -> EventLogger:
    """The logger of one part of the system (`scheduler`, `agent`); `fields` go with all its events."""
    return EventLogger(logging.getLogger(f"{_ROOT}.{name}"), fields)


def configure_logging(*, level: str, line_format: str, process: str, stream: TextIO | None = None) -> None:
    """Set up the logs of this process; the last call holds.

    Parameters:
        level: `debug`, `info`, `warning` or `error` (setting logs.level). Libraries: from `warning`, unless `debug`.
        line_format: `console` or `json` (setting logs.format).
        process: what this process is (`scheduler`), part of every JSON line.
        stream: where lines go; default standard error.

    Raises:
        ValueError: level or format is none of these.
    """
    if level not in _LEVELS:
        raise ValueError(f"the log level is {level!r}; use one of {', '.join(_LEVELS)}")
    if line_format not in ("console", "json"):
        raise ValueError(f"the log format is {line_format!r}; use console or json")
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    handler.setFormatter(_JsonFormatter(process) if line_format == "json" else _ConsoleFormatter(target.isatty()))
    root = logging.getLogger()
    for old in [known for known in root.handlers if getattr(known, "is_tradewinds", False)]:
        root.removeHandler(old)
    handler.is_tradewinds = True  # type: ignore[attr-defined] # marks ours among handlers of libraries and tests
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if level == "debug" else max(logging.WARNING, _LEVELS[level]))
    logging.getLogger(_ROOT).setLevel(_LEVELS[level])
    logging.captureWarnings(True)


class _JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, process, pid, then the fields."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _instant(record).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": _name(record),
            "event": record.getMessage(),
            "process": self._process,
            "pid": record.process,
        }
        for key, value in _fields(record).items():
            # A field must not pass itself off as one of ours.
            line[f"{key}_" if key in _RESERVED else key] = value
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=_plain)


class _ConsoleFormatter(logging.Formatter):
    """`12:34:56.789 info    scheduler  run_taken_over  run=… owner=…`, local time, in colours on a terminal."""

    def __init__(self, coloured: bool) -> None:
        super().__init__()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname.lower():7}"
        if self._coloured:
            level = f"\x1b[{_COLOURS.get(record.levelno, '0')}m{level}\x1b[0m"
        when = _instant(record).astimezone().strftime("%H:%M:%S.%f")[:-3]
        fields = "".join(f" {key}={_word(value)}" for key, value in _fields(record).items())
        line = f"{when} {level} {_name(record):10} {_word(record.getMessage(), spaces=True)} {fields}".rstrip()
        if record.exc_info and record.exc_info[0]:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _instant(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _name(record: logging.LogRecord) -> str:
    return record.name.removeprefix(f"{_ROOT}.")


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = getattr(record, _FIELDS, {})
    return {key: _MASK if _sounds_secret(key) and value else value for key, value in fields.items()}


def _sounds_secret(key: str) -> bool:
    lowered = key.lower()
    # Counts and times of secrets are no secrets: token_seconds.
    return any(word in lowered for word in _SECRET_WORDS) and not lowered.endswith(("_seconds", "_count", "_max"))


def _word(value: object, *, spaces: bool = False) -> str:
    """The value on one line: quoted when it has characters that would break the line or the list of fields."""
    text = value if isinstance(value, str) else _plain(value)
    simple = text.isprintable() and text and not set(text) & ({'"'} if spaces else {" ", '"', "="})
    return text if simple else json.dumps(text, ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(map(str, value)))
    return str(value)
