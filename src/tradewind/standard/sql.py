"""SQL statements as tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.hooks import BaseHook
from tradewind.sdk.operator import BaseOperator
from tradewind.standard.sql_hook import (
    ROWS_PER_COMMIT,
    Handler,
    SqlHook,
    fetch_all_handler,
    fetch_one_handler,
    split_sql,
)

__all__ = [
    "SQLExecuteQueryOperator",
    "SQLInsertRowsOperator",
    "SqlHook",
    "fetch_all_handler",
    "fetch_one_handler",
    "split_sql",
]


class _SqlOperator(BaseOperator):
    """What operators on a database share.

    Parameters:
        conn_id: the connection; its type names the hook.
        database: instead of the connection's.
        hook_params: further arguments of the hook.
    """

    def __init__(
        self,
        *,
        conn_id: str | None = None,
        database: str | None = None,
        hook_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id or SqlHook.default_conn_name
        self.database = database
        self.hook_params = hook_params or {}
        self._hook: Any = None

    def get_db_hook(self) -> Any:
        """The hook of the connection. Raises `AirflowException` when it cannot run SQL."""
        if self._hook is None:
            params = dict(self.hook_params)
            if self.database:
                params["database"] = self.database
            self._hook = BaseHook.get_connection(self.conn_id).get_hook(hook_params=params)
            if not hasattr(self._hook, "get_records"):
                raise AirflowException(
                    f"connection {self.conn_id!r} of task {self.task_id!r} leads to {type(self._hook).__name__}, "
                    "which cannot run SQL; use a connection of type sqlite or postgres"
                )
        return self._hook

    def on_kill(self) -> None:
        """Interrupt the statement."""
        if hasattr(self._hook, "cancel"):
            self._hook.cancel()


class SQLExecuteQueryOperator(_SqlOperator):
    """Run SQL; the rows are the task's output.

    Parameters:
        sql: a statement, several, or the name of a `.sql` file; templated.
        autocommit: each statement is its own transaction.
        parameters: for the statements, in the style of the driver; templated.
        handler: makes the result of the cursor; default all rows. None: no output.
        output_processor: gets (results, descriptions), both as lists with one entry per statement, and makes the
        output. split_statements: a text may hold several statements. return_last: the result of the last statement
        only. show_return_value_in_logs: write the output to the log. requires_result_fetch: call the handler also
        when nothing is pushed.
    """

    template_fields: Sequence[str] = ("sql", "parameters", "conn_id", "database", "hook_params")
    template_ext: Sequence[str] = (".sql", ".json")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "parameters": "json"}
    ui_color = "#cdaaed"

    def __init__(
        self,
        *,
        sql: str | list[str],
        autocommit: bool = False,
        parameters: Mapping[str, Any] | Iterable[Any] | None = None,
        handler: Handler | None = fetch_all_handler,
        output_processor: Callable[[list[Any], list[Any]], list[Any] | tuple[list[Any], list[Any]]] | None = None,
        split_statements: bool | None = None,
        return_last: bool = True,
        show_return_value_in_logs: bool = False,
        requires_result_fetch: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.autocommit = autocommit
        self.parameters = parameters
        self.handler = handler
        self.output_processor = output_processor
        self.split_statements = split_statements
        self.return_last = return_last
        self.show_return_value_in_logs = show_return_value_in_logs
        self.requires_result_fetch = requires_result_fetch

    def execute(self, context: Any) -> Any:  # noqa: ARG002 - the signature of all operators
        hook = self.get_db_hook()
        arguments: dict[str, Any] = {
            "sql": self.sql,
            "autocommit": self.autocommit,
            "parameters": self.parameters,
            "handler": self.handler if self.do_xcom_push or self.requires_result_fetch else None,
            "return_last": self.return_last,
        }
        # Hooks of other databases have a default of their own.
        if self.split_statements is not None:
            arguments["split_statements"] = self.split_statements
        output = hook.run(**arguments)
        if self.show_return_value_in_logs:
            self.log.info("Output: %s", output)
        if not self.do_xcom_push or self.output_processor is None:
            return output
        single = self.return_last and (isinstance(self.sql, str) or bool(self.split_statements))
        processed = self.output_processor([output] if single else output, [hook.last_description])
        return processed[-1] if single else processed


class SQLInsertRowsOperator(_SqlOperator):
    """Insert rows into a table; the number of rows is the task's output.

    Parameters:
        table_name: the table; templated.
        rows: sequences of values, or dicts (then `columns` may be left out); an output of a task, usually; templated.
        schema: of the table.
        columns: in the order of the values.
        ignored_columns: left out of the dicts.
        rows_processor: gets (rows, context), returns the rows to insert.
        preoperator, postoperator: statements before and after; templated.
        insert_args: `commit_every`, `replace`, `replace_index` of `SqlHook.insert_rows`.
    """

    template_fields: Sequence[str] = (
        "table_name",
        "schema",
        "conn_id",
        "database",
        "columns",
        "ignored_columns",
        "rows",
        "preoperator",
        "postoperator",
        "insert_args",
        "hook_params",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"preoperator": "sql", "postoperator": "sql"}

    def __init__(
        self,
        *,
        table_name: str,
        rows: Any = None,
        schema: str | None = None,
        columns: Iterable[str] | None = None,
        ignored_columns: Iterable[str] | None = None,
        rows_processor: Callable[..., Any] | None = None,
        preoperator: str | list[str] | None = None,
        postoperator: str | list[str] | None = None,
        insert_args: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table_name = table_name
        self.rows = rows
        self.schema = schema
        self.columns = None if columns is None else list(columns)
        self.ignored_columns = sorted(ignored_columns or ())
        self.rows_processor = rows_processor
        self.preoperator = preoperator
        self.postoperator = postoperator
        self.insert_args = {"commit_every": ROWS_PER_COMMIT, **(insert_args or {})}

    def execute(self, context: Any) -> int:
        hook = self.get_db_hook()
        if self.preoperator:
            hook.run(self.preoperator)
        rows = list(self.rows_processor(self.rows, context) if self.rows_processor else self.rows or ())
        columns, values = self._shaped(rows)
        table = f"{self.schema}.{self.table_name}" if self.schema else self.table_name
        if values:
            hook.insert_rows(table, values, columns, **self.insert_args)
        if self.postoperator:
            hook.run(self.postoperator)
        return len(values)

    def _shaped(self, rows: list[Any]) -> tuple[list[str] | None, list[Any]]:
        """Columns, and the values in their order. Raises `AirflowException` for rows of different kinds."""
        if not rows or not isinstance(rows[0], Mapping):
            return self.columns, rows
        columns = [name for name in self.columns or list(rows[0]) if name not in self.ignored_columns]
        try:
            return columns, [[row[name] for name in columns] for row in rows]
        except (KeyError, TypeError) as error:
            raise AirflowException(
                f"rows of task {self.task_id!r} do not all have the columns {', '.join(columns)}: {error}"
            ) from error
