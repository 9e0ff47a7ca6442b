"""SQL through a connection: SQLite files and PostgreSQL databases."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, ClassVar

from tradewind.sdk.connections import Connection
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.hooks import BaseHook

ROWS_PER_COMMIT = 1000
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|(?P<end>;)|.", re.DOTALL
)
_ONLY_COMMENTS = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*\Z", re.DOTALL)

Handler = Callable[[Any], Any]


def fetch_all_handler(cursor: Any) -> list[Any] | None:
    """All rows; None for a statement that gives none."""
    return cursor.fetchall() if cursor.description is not None else None


def fetch_one_handler(cursor: Any) -> Any:
    """The first row; None for a statement that gives none."""
    return cursor.fetchone() if cursor.description is not None else None


def split_sql(sql: str) -> list[str]:
    """The statements of a text, without those that are empty; semicolons in quotes, comments and dollar quotes do not
    end one."""
    statements, start = [], 0
    for token in _TOKEN.finditer(sql):
        if token["end"]:
            statements.append(sql[start : token.start()])
            start = token.end()
    statements.append(sql[start:])
    return [each.strip() for each in statements if not _ONLY_COMMENTS.match(each)]


class SqlHook(BaseHook):
    """Runs SQL.

    Parameters:
        conn_id: connection of type `sqlite` (host: the file) or `postgres` (schema: the database; extra: options of
        the driver). database: instead of the connection's.
    """

    conn_name_attr = "conn_id"
    default_conn_name: ClassVar[str] = "sql_default"
    hook_name = "SQL"

    def __init__(self, conn_id: str = default_conn_name, *, database: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.database = database
        self._open: Any = None
        self.last_description: Any = None
        """Columns of the last statement, as the driver describes them; None when it gave no rows."""

    # --- connecting --------------------------------------------------------------------------------------------------

    def get_conn(self) -> Any:
        """A new connection of the driver. Raises `AirflowException` for a type that is not SQL."""
        connection = self.get_connection(self.conn_id)
        if connection.conn_type == "sqlite":
            return sqlite3.connect(self._sqlite_file(connection))
        if connection.conn_type == "postgres":
            return self._connect_postgres(connection)
        raise AirflowException(
            f"connection {self.conn_id!r} has the type {connection.conn_type!r}; SQL needs sqlite or postgres"
        )

    def _sqlite_file(self, connection: Connection) -> str:
        if self.database:
            return self.database
        # sqlite:////tmp/x.db has no host: the file is what follows the third slash.
        parts = [part for part in (connection.host, connection.schema) if part]
        if not parts:
            raise AirflowException(f"connection {self.conn_id!r} names no file; put its path into host")
        return os.path.join(*parts)

    def _connect_postgres(self, connection: Connection) -> Any:
        import psycopg

        facts: dict[str, Any] = {
            "host": connection.host,
            "port": connection.port,
            "user": connection.login,
            "password": connection.password,
            "dbname": self.database or connection.schema,
        }
        given = {name: value for name, value in facts.items() if value is not None}
        return psycopg.connect(**given, **connection.extra_dejson)

    @contextmanager
    def _connected(self, autocommit: bool) -> Iterator[Any]:
        with closing(self.get_conn()) as connection:
            if autocommit:
                self._set_autocommit(connection)
            self._open = connection
            try:
                yield connection
            finally:
                self._open = None

    @staticmethod
    def _set_autocommit(connection: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.isolation_level = None
        else:
            connection.autocommit = True

    def cancel(self) -> None:
        """Interrupt the statement that is running; nothing happens when there is none."""
        connection = self._open
        if isinstance(connection, sqlite3.Connection):
            connection.interrupt()
        elif connection is not None:
            connection.cancel()

    # --- running -----------------------------------------------------------------------------------------------------

    def run(
        self,
        sql: str | Iterable[str],
        autocommit: bool = False,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        handler: Handler | None = None,
        split_statements: bool = False,
        return_last: bool = True,
    ) -> Any:
        """Run one or several statements in one transaction.

        Parameters:
            sql: a text, or several.
            autocommit: each statement is its own transaction.
            parameters: for every statement, in the driver's style (`?` or `:name` for SQLite, `%s` or `%(name)s` for
            PostgreSQL). handler: makes a result of the cursor after each statement. split_statements: a text may hold
            several statements. return_last: the result of the last one only; else a list.

        Raises:
            AirflowException: there is no statement.
            The driver's errors.
        """
        one_text = isinstance(sql, str)
        texts = [sql] if isinstance(sql, str) else list(sql)
        statements = [
            each for text in texts for each in (split_sql(text) if split_statements else [text]) if each.strip()
        ]
        if not statements:
            raise AirflowException("there is no SQL statement to run; check the argument sql")
        with self._connected(autocommit) as connection, closing(connection.cursor()) as cursor:
            results = [self._run_one(cursor, statement, parameters, handler) for statement in statements]
            if not autocommit:
                connection.commit()
        if handler is None:
            return None
        alone = return_last and (one_text or split_statements)
        return results[-1] if alone else results

    def _run_one(self, cursor: Any, statement: str, parameters: Any, handler: Handler | None) -> Any:
        self.log.info("Running statement: %s", statement)
        if parameters:
            cursor.execute(statement, parameters)
        else:
            cursor.execute(statement)
        self.last_description = cursor.description
        result = handler(cursor) if handler is not None else None
        if cursor.rowcount >= 0:
            self.log.info("Rows affected: %s", cursor.rowcount)
        return result

    def get_records(self, sql: str, parameters: Any = None) -> list[Any]:
        """All rows of a query."""
        return self.run(sql, parameters=parameters, handler=fetch_all_handler) or []

    def get_first(self, sql: str, parameters: Any = None) -> Any:
        """The first row of a query, None when there is none."""
        return self.run(sql, parameters=parameters, handler=fetch_one_handler)

    def insert_rows(
        self,
        table: str,
        rows: Iterable[Sequence[Any]],
        target_fields: Iterable[str] | None = None,
        commit_every: int = ROWS_PER_COMMIT,
        replace: bool = False,
        *,
        replace_index: str | Sequence[str] | None = None,
    ) -> int:
        """Insert rows; how many.

        Parameters:
            table: as it is to stand in the statement, schema included.
            rows: sequences of values.
            target_fields: columns, in the order of the values; default those of the table.
            commit_every: rows per transaction; 0: all in one.
            replace: rows whose key exists take the place of the old ones.
            replace_index: the columns of the key (PostgreSQL needs them).

        Raises:
            AirflowException: `replace` without `target_fields` or `replace_index` on PostgreSQL.
        """
        fields = list(target_fields or ())
        inserted = 0
        with self._connected(autocommit=False) as connection, closing(connection.cursor()) as cursor:
            for batch in _batches(rows, commit_every):
                statement = _insert_statement(connection, table, fields, len(batch[0]), replace, replace_index)
                cursor.executemany(statement, batch)
                connection.commit()
                inserted += len(batch)
        self.log.info("Inserted %s rows into %s", inserted, table)
        return inserted

    def test_connection(self) -> tuple[bool, str]:
        """Whether the database answers."""
        try:
            self.get_first("select 1")
        except Exception as error:
            # Drivers have trees of errors of their own; each of them means no.
            return False, f"{type(error).__name__}: {error}"
        return True, "Connection successfully tested"


def _whole(sql: str) -> list[str]:
    return [sql] if sql.strip() else []


def _batches(rows: Iterable[Sequence[Any]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(tuple(row))
        if size and len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def _insert_statement(
    connection: Any, table: str, fields: list[str], width: int, replace: bool, key: str | Sequence[str] | None
) -> str:
    is_sqlite = isinstance(connection, sqlite3.Connection)
    columns = f" ({', '.join(fields)})" if fields else ""
    values = f"{table}{columns} values ({', '.join(['?' if is_sqlite else '%s'] * width)})"
    if is_sqlite or not replace:
        return f"insert {'or replace ' if replace else ''}into {values}"
    if not fields or not key:
        raise AirflowException("insert_rows(replace=True) needs target_fields and replace_index on PostgreSQL")
    keys = [key] if isinstance(key, str) else list(key)
    changes = ", ".join(f"{name} = excluded.{name}" for name in fields if name not in keys)
    return (
        f"insert into {values} on conflict ({', '.join(keys)}) do {f'update set {changes}' if changes else 'nothing'}"
    )
