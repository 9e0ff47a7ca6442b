"""Reads a metadata database of Airflow 2 or 3, of any backend that SQLAlchemy has a driver for. Nothing is written.

Tables are reflected: versions differ in their columns, and what a version does not have is left out.
"""

from __future__ import annotations

import io
import json
import pickle
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, MetaData, Table, create_engine, inspect, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.types import LargeBinary, NullType

from tradewind.ports.airflow_facts import (
    AirflowFacts,
    AirflowPool,
    AirflowRun,
    AirflowTask,
    AirflowUser,
    AirflowVariable,
)
from tradewind.wire.errors import BadInput, Unavailable
from tradewind.wire.execution import ConnectionFacts

Row = Mapping[Any, Any]
Unseal = Callable[[str], str | None]
_ENDED = ("success", "failed")
_PSYCOPG = "postgresql+psycopg"
_DRIVERS = {"postgres": _PSYCOPG, "postgresql": _PSYCOPG, "postgresql+psycopg2": _PSYCOPG}
"""Scheme that Airflow takes → the driver that is here."""


def read_airflow(url: str, *, unseal: Unseal, runs_max: int) -> AirflowFacts:
    """Everything that may move.

    Parameters:
        url: of the metadata database, as in `sql_alchemy_conn`.
        unseal: opens a text that Airflow encrypted; None: it cannot.
        runs_max: newest ended runs to bring per DAG.

    Raises:
        BadInput: the url cannot be read, or its database is none of Airflow.
        Unavailable: the database does not answer.
    """
    scheme, mark, rest = url.partition("://")
    try:
        engine = create_engine(f"{_DRIVERS.get(scheme, scheme)}{mark}{rest}")
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise BadInput(f"the url of Airflow's database cannot be used: {type(error).__name__}: {error}") from None
    try:
        with engine.connect() as connection:
            return _Reader(connection, unseal).read(runs_max)
    except SQLAlchemyError as error:
        raise Unavailable(f"Airflow's database cannot be read: {type(error).__name__}: {error}") from None
    finally:
        engine.dispose()


class _Reader:
    def __init__(self, connection: Connection, unseal: Unseal) -> None:
        self._connection = connection
        self._unseal = unseal
        self._tables = set(inspect(connection).get_table_names())
        self._left: list[str] = []

    def read(self, runs_max: int) -> AirflowFacts:
        missing = {"connection", "variable", "dag", "dag_run", "task_instance"} - self._tables
        if missing:
            raise BadInput(f"this is no metadata database of Airflow: it has no table {', '.join(sorted(missing))}")
        return AirflowFacts(
            level=next((str(row["version_num"]) for row in self._rows("alembic_version")), "unknown"),
            connections=list(self._connections()),
            variables=list(self._variables()),
            pools=[
                AirflowPool(row["pool"], row["slots"], row.get("description") or "", bool(row.get("include_deferred")))
                for row in self._rows("slot_pool")
            ],
            paused={row["dag_id"]: bool(row["is_paused"]) for row in self._rows("dag")},
            users=list(self._users()),
            runs=list(self._runs(runs_max)),
            left=self._left,
        )

    def _table(self, name: str) -> Table:
        table = Table(name, MetaData(), autoload_with=self._connection)
        for column in table.columns:
            if isinstance(column.type, NullType):  # a type of a backend that is not known here
                column.type = LargeBinary()
        return table

    def _rows(self, name: str, *where: Any) -> Iterator[Row]:
        if name not in self._tables:
            return
        table = self._table(name)
        conditions = [condition(table) for condition in where]
        found: list[Row] = list(self._connection.execute(select(table).where(*conditions)).mappings())
        yield from found

    def _connections(self) -> Iterator[ConnectionFacts]:
        for row in self._rows("connection"):
            password, extra = row.get("password"), row.get("extra")
            if row.get("is_encrypted") and password:
                password = self._opened(password, f"password of connection {row['conn_id']!r}")
            if row.get("is_extra_encrypted") and extra:
                extra = self._opened(extra, f"extra of connection {row['conn_id']!r}")
            if not row.get("conn_type"):
                self._left.append(f"connection {row['conn_id']!r} has no type")
                continue
            yield ConnectionFacts(
                conn_id=row["conn_id"],
                conn_type=row["conn_type"],
                description=row.get("description"),
                host=row.get("host"),
                schema=row.get("schema"),
                login=row.get("login"),
                password=password or None,
                port=row.get("port"),
                extra=extra or None,
            )

    def _variables(self) -> Iterator[AirflowVariable]:
        for row in self._rows("variable"):
            value = row.get("val")
            if row.get("is_encrypted") and value:
                value = self._opened(value, f"variable {row['key']!r}")
                if value is None:
                    continue
            yield AirflowVariable(row["key"], value or "", row.get("description"))

    def _opened(self, sealed: str, what: str) -> str | None:
        opened = self._unseal(sealed)
        if opened is None:
            self._left.append(f"{what} is encrypted, and no fernet key given opens it")
        return opened

    def _users(self) -> Iterator[AirflowUser]:
        names = {row["id"]: row["name"] for row in self._rows("ab_role")}
        roles: dict[int, list[str]] = defaultdict(list)
        for row in self._rows("ab_user_role"):
            roles[row["user_id"]].append(names.get(row["role_id"], ""))
        for row in self._rows("ab_user"):
            yield AirflowUser(
                username=row["username"],
                email=row.get("email"),
                first_name=row.get("first_name"),
                last_name=row.get("last_name"),
                active=bool(row.get("active", True)),
                roles=tuple(sorted(filter(None, roles[row["id"]]))),
            )

    def _runs(self, runs_max: int) -> Iterator[AirflowRun]:
        if runs_max < 1:
            return
        table = self._table("dag_run")
        order = next(table.c[name] for name in ("run_after", "logical_date", "execution_date") if name in table.c)
        for dag_id in self._connection.execute(select(table.c.dag_id).distinct().order_by(table.c.dag_id)).scalars():
            chosen = select(table).where(table.c.dag_id == dag_id, table.c.state.in_(_ENDED))
            rows = self._connection.execute(chosen.order_by(order.desc()).limit(runs_max)).mappings().all()
            tasks = self._tasks(dag_id, [row["run_id"] for row in rows])
            for row in rows:
                yield self._run(dict(row), tasks.get(row["run_id"], ()))

    def _run(self, row: Row, tasks: Sequence[AirflowTask]) -> AirflowRun:
        date = _instant(row.get("logical_date", row.get("execution_date")))
        end = _instant(row.get("data_interval_end"))
        started = _instant(row.get("start_date"))
        return AirflowRun(
            dag_id=row["dag_id"],
            run_id=row["run_id"],
            run_type=row.get("run_type") or "manual",
            state=row["state"],
            logical_date=date,
            data_interval_start=_instant(row.get("data_interval_start")),
            data_interval_end=end,
            run_after=_instant(row.get("run_after")) or end or date or started or datetime.fromtimestamp(0, UTC),
            queued_at=_instant(row.get("queued_at")),
            started_at=started,
            ended_at=_instant(row.get("end_date")),
            conf=_conf(row.get("conf")),
            tasks=tuple(tasks),
        )

    def _tasks(self, dag_id: str, run_ids: Sequence[str]) -> dict[str, list[AirflowTask]]:
        table = self._table("task_instance")
        found: dict[str, list[AirflowTask]] = defaultdict(list)
        for start in range(0, len(run_ids), 200):
            part = run_ids[start : start + 200]
            wanted = [column for column in table.columns if column.name not in ("executor_config", "next_kwargs")]
            chosen = select(*wanted).where(table.c.dag_id == dag_id, table.c.run_id.in_(part))
            for row in self._connection.execute(chosen).mappings():
                found[row["run_id"]].append(_task(dict(row)))
        return found


def _task(row: Row) -> AirflowTask:
    return AirflowTask(
        task_id=row["task_id"],
        map_index=row.get("map_index", -1),
        state=row.get("state"),
        try_number=row.get("try_number") or 0,
        max_tries=row.get("max_tries") or 0,
        operator=row.get("custom_operator_name") or row.get("operator") or "",
        pool=row.get("pool") or "default_pool",
        queue=row.get("queue") or "default",
        priority_weight=row.get("priority_weight") or 1,
        queued_at=_instant(row.get("queued_dttm")),
        started_at=_instant(row.get("start_date")),
        ended_at=_instant(row.get("end_date")),
        duration_seconds=row.get("duration"),
        hostname=row.get("hostname") or None,
    )


def _instant(value: Any) -> datetime | None:
    """As an aware UTC instant; SQLite keeps texts and instants without a zone, which are UTC."""
    if value is None:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    instant: datetime = value
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


class _PlainUnpickler(pickle.Unpickler):
    """Airflow 2 pickles `conf`. Only numbers, texts and containers come out: no class is ever looked up."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} is no plain value")


def _conf(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    try:
        if isinstance(value, bytes | memoryview):
            raw = bytes(value)
            value = _PlainUnpickler(io.BytesIO(raw)).load() if raw[:1] == b"\x80" else json.loads(raw)
        elif isinstance(value, str):
            value = json.loads(value)
        return json.loads(json.dumps(value)) if isinstance(value, dict) else {}
    except (ValueError, TypeError, EOFError, pickle.UnpicklingError, AttributeError, IndexError):
        return {}
