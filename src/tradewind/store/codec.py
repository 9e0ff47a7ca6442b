"""Rows of `ports.rows` to and from columns. One codec per table; the order of columns is the order of the fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from tradewind.ports import (
    asset_rows,
    backfill_rows,
    deadline_rows,
    hitl_rows,
    outbox_rows,
    people_rows,
    retention,
    state_store_rows,
    trigger_rows,
)
from tradewind.ports import rows as r
from tradewind.ports.run_retries import RunRetryRow

from .dialects.base import Dialect
from .kinds import Kind, kind_of

Row = TypeVar("Row", bound=msgspec.Struct)
_EMPTY: dict[Kind, Callable[[], Any]] = {Kind.NAMES: tuple, Kind.JSON: dict}


class Codec(Generic[Row]):
    """A table and the frozen value that one of its rows becomes.

    Parameters:
        table: its name.
        row_type: a struct whose fields are columns of the table.
    """

    def __init__(self, table: str, row_type: type[Row]) -> None:
        self.table = table
        self.row_type = row_type
        self.kinds: dict[str, Kind] = {}
        self._enums: dict[str, dict[str, Any]] = {}
        self._absent: dict[str, Any] = {}
        for field in msgspec.structs.fields(row_type):
            kind, enum = kind_of(field.name, field.type)
            self.kinds[field.name] = kind
            if enum is not None:
                self._enums[field.name] = {str(member): member for member in enum}
            # A column is NULL where the field says "empty" with a value of its own.
            if field.default is not None and field.default is not msgspec.NODEFAULT and kind is Kind.ID:
                self._absent[field.name] = field.default
            elif kind in _EMPTY:
                self._absent[field.name] = _EMPTY[kind]()
        self.columns: tuple[str, ...] = tuple(self.kinds)
        self._decoders: dict[type[Dialect], Callable[[Sequence[Any]], Row]] = {}

    def select(self, alias: str) -> str:
        """The columns as a select list, each behind `alias`."""
        return ", ".join(f"{alias}.{column}" for column in self.columns)

    def plain(self) -> str:
        """The columns as a list of names."""
        return ", ".join(self.columns)

    def encode(self, dialect: Dialect, row: Row) -> list[Any]:
        """The values of `row` in the order of the columns, as the dialect's driver takes them."""
        encoders = dialect.encoders
        return [encode_value(encoders, kind, getattr(row, column)) for column, kind in self.kinds.items()]

    def params(self, dialect: Dialect, row: Row) -> dict[str, Any]:
        """The values of `row` by column name."""
        return dict(zip(self.columns, self.encode(dialect, row), strict=True))

    def decode_all(self, dialect: Dialect, found: Sequence[Sequence[Any]]) -> list[Row]:
        return list(map(self.decoder(dialect), found))

    def decode_one(self, dialect: Dialect, found: Sequence[Sequence[Any]]) -> Row | None:
        return self.decoder(dialect)(found[0]) if found else None

    def decoder(self, dialect: Dialect) -> Callable[[Sequence[Any]], Row]:
        """Makes a row of the values of `select`."""
        try:
            return self._decoders[type(dialect)]
        except KeyError:
            return self._decoders.setdefault(type(dialect), self._make_decoder(dialect))

    def _make_decoder(self, dialect: Dialect) -> Callable[[Sequence[Any]], Row]:
        columns, row_type = self.columns, self.row_type
        steps: list[tuple[int, Callable[[Any], Any]]] = []
        absent = [(columns.index(column), value) for column, value in self._absent.items()]
        for position, (column, kind) in enumerate(self.kinds.items()):
            step = self._enums[column].__getitem__ if column in self._enums else dialect.decoders.get(kind)
            if step is not None:
                steps.append((position, step))

        def decode(found: Sequence[Any]) -> Row:
            values = list(found)
            for position, step in steps:
                if values[position] is not None:
                    values[position] = step(values[position])
            for position, value in absent:
                if values[position] is None:
                    values[position] = value
            return row_type(**dict(zip(columns, values, strict=True)))

        return decode


def encode_value(encoders: Mapping[Kind, Callable[[Any], Any]], kind: Kind, value: Any) -> Any:
    """`value` as the driver takes it; None stays None."""
    if value is None:
        return None
    encoder = encoders.get(kind)
    return encoder(value) if encoder is not None else value


FILE = Codec("dag_file", r.FileRow)
IMPORT_ERROR = Codec("import_error", r.ImportErrorRow)
DAG = Codec("dag", r.DagRow)
VERSION = Codec("dag_version", r.VersionRow)
RUN = Codec("dag_run", r.RunRow)
TASK = Codec("task_instance", r.TaskRow)
ATTEMPT = Codec("task_attempt", r.AttemptRow)
XCOM = Codec("xcom", r.XComRow)
POOL = Codec("pool", r.PoolRow)
COMPONENT = Codec("component", r.ComponentRow)
CONNECTION = Codec("connection", r.ConnectionRow)
VARIABLE = Codec("variable", r.VariableRow)
USER = Codec("user_account", r.UserRow)
OUTBOX = Codec("outbox", outbox_rows.OutboxRow)
RUN_RETRY = Codec("run_retry", RunRetryRow)
TRIGGER = Codec("trigger_row", trigger_rows.TriggerRow)
HITL = Codec("hitl_detail", hitl_rows.HitlRow)
STATE = Codec("state_store", state_store_rows.StateRow)
ROLE = Codec("role", people_rows.RoleRow)
API_TOKEN = Codec("api_token", people_rows.ApiTokenRow)
SESSION = Codec("web_session", people_rows.SessionRow)
AUDIT = Codec("audit_log", people_rows.AuditRow)
DEADLINE = Codec("deadline", deadline_rows.DeadlineRow)
ARCHIVE = Codec("archive", retention.ArchivedRow)
BACKFILL = Codec("backfill", backfill_rows.BackfillRow)
BACKFILL_RUN = Codec("backfill_run", backfill_rows.BackfillRunRow)
ASSET = Codec("asset", asset_rows.AssetRow)
ASSET_ALIAS = Codec("asset_alias", asset_rows.AliasRow)
ASSET_USE = Codec("asset_use", asset_rows.AssetUseRow)
ASSET_EVENT = Codec("asset_event", asset_rows.AssetEventRow)
ASSET_CURSOR = Codec("asset_cursor", asset_rows.AssetCursorRow)
PARTITION_SHARE = Codec("partition_share", asset_rows.PartitionShareRow)
TIMETABLE_QUESTION = Codec("timetable_question", asset_rows.TimetableQuestionRow)
CODECS: tuple[Codec[Any], ...] = (
    FILE, IMPORT_ERROR, DAG, VERSION, RUN, TASK, ATTEMPT, XCOM, POOL, COMPONENT, CONNECTION, VARIABLE, USER,
    OUTBOX, TRIGGER, HITL, RUN_RETRY, STATE,
    ROLE, API_TOKEN, SESSION, AUDIT,
    BACKFILL, BACKFILL_RUN, DEADLINE, ARCHIVE,
    ASSET, ASSET_ALIAS, ASSET_USE, ASSET_EVENT, ASSET_CURSOR, PARTITION_SHARE, TIMETABLE_QUESTION,
)  # fmt: skip
