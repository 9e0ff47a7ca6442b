"""The tree of errors. The docstring of a class is the message kind a person reads; `str(error)` names thing, value and
remedy.

TradewindError
├── BadInput            400, exit 2 — what was given cannot be taken
│   ├── InvalidDag          a DAG cannot be built (cycle, duplicate id, unknown upstream, wrong argument)
│   │   └── DagCycle
│   ├── InvalidSchedule     cron text, preset, time zone
│   ├── InvalidSetting      settings file or environment
│   ├── InvalidConf         conf or params of a run
│   └── InvalidValue        a value that cannot be stored (XCom, variable, connection)
├── NotFound            404, exit 4
├── Conflict            409, exit 5 — the thing exists already or is in another state
│   └── StaleAttempt        a report with a token that is no longer the current one
├── Forbidden           403
├── Unauthenticated     401
├── LimitExceeded       413/429 — too big, too many
├── Unavailable         503, exit 6 — database, server or agent cannot be reached just now
│   └── LeaseLost           another scheduler owns the run now
└── AlreadyRunning      exit 7 — a second start on the same home
"""

from __future__ import annotations

from typing import ClassVar


class TradewindError(Exception):
    """Something Tradewind can explain."""

    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1


class BadInput(TradewindError):
    """What was given cannot be taken."""

    http_status = 400
    exit_code = 2


class InvalidDag(BadInput):
    """A DAG cannot be built from its file."""


class DagCycle(InvalidDag):
    """Tasks depend on themselves; the path is named."""


class InvalidSchedule(BadInput):
    """A cron text, preset, delta or time zone is not valid."""


class InvalidSetting(BadInput):
    """A setting is unknown or has a value that cannot be taken."""


class InvalidConf(BadInput):
    """The conf or params of a run do not fit."""


class InvalidValue(BadInput):
    """A value cannot be stored: its type or size is named with the path inside the value."""


class NotFound(TradewindError):
    """The thing named does not exist."""

    http_status = 404
    exit_code = 4


class Conflict(TradewindError):
    """The thing exists already, or its state does not allow this."""

    http_status = 409
    exit_code = 5


class StaleAttempt(Conflict):
    """The attempt is no longer the current one."""


class Unauthenticated(TradewindError):
    """Who is asking is not known."""

    http_status = 401
    exit_code = 3


class Forbidden(TradewindError):
    """Who is asking may not do this."""

    http_status = 403
    exit_code = 3


class LimitExceeded(TradewindError):
    """Too big or too many; the limit and its setting are named."""

    http_status = 413
    exit_code = 2


class Unavailable(TradewindError):
    """A part that is needed cannot be reached just now; trying again is right."""

    http_status = 503
    exit_code = 6


class LeaseLost(Unavailable):
    """Another scheduler owns the run now; what was in memory is stale."""


class AlreadyRunning(TradewindError):
    """Another instance runs on the same home."""

    exit_code = 7
