"""Moving data: rows between databases, files between stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tradewind.sdk.errors import WrongArgument
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.hooks import BaseHook
from tradewind.sdk.operator import BaseOperator


class GenericTransfer(BaseOperator):
    """Copy the rows of a query from one database into a table of another.

    Parameters:
        sql: query, or several; templated.
        destination_table: the table; templated.
        source_conn_id, destination_conn_id: connections; templated.
        source_hook_params, destination_hook_params: further arguments of the hooks.
        preoperator: statements to run at the destination before; templated.
        insert_args: of `insert_rows` of the destination's hook; templated.
        rows_processor: gets (rows, context), returns the rows to insert.
    """

    template_fields: Sequence[str] = (
        "source_conn_id",
        "destination_conn_id",
        "sql",
        "destination_table",
        "preoperator",
        "insert_args",
    )
    template_ext: Sequence[str] = (".sql", ".hql")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "preoperator": "sql"}
    ui_color = "#b0f07c"

    def __init__(
        self,
        *,
        sql: str | list[str],
        destination_table: str,
        source_conn_id: str,
        destination_conn_id: str,
        source_hook_params: dict[str, Any] | None = None,
        destination_hook_params: dict[str, Any] | None = None,
        preoperator: str | list[str] | None = None,
        insert_args: dict[str, Any] | None = None,
        rows_processor: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.destination_table = destination_table
        self.source_conn_id = source_conn_id
        self.destination_conn_id = destination_conn_id
        self.source_hook_params = source_hook_params
        self.destination_hook_params = destination_hook_params
        self.preoperator = preoperator
        self.insert_args = insert_args or {}
        self.rows_processor = rows_processor

    def execute(self, context: Any) -> int:
        """Copy; how many rows. Raises `AirflowException` when a connection cannot do its side."""
        source = self._hook(self.source_conn_id, self.source_hook_params, "get_records")
        destination = self._hook(self.destination_conn_id, self.destination_hook_params, "insert_rows")
        rows = [
            row for sql in ([self.sql] if isinstance(self.sql, str) else self.sql) for row in source.get_records(sql)
        ]
        self.log.info("Read %s rows", len(rows))
        if self.rows_processor is not None:
            rows = list(self.rows_processor(rows, context))
        if self.preoperator:
            destination.run(self.preoperator)
        if rows:
            destination.insert_rows(self.destination_table, rows, **self.insert_args)
        return len(rows)

    def _hook(self, conn_id: str, params: dict[str, Any] | None, method: str) -> Any:
        hook = BaseHook.get_connection(conn_id).get_hook(hook_params=params or {})
        if not hasattr(hook, method):
            raise AirflowException(
                f"connection {conn_id!r} of task {self.task_id!r} leads to {type(hook).__name__}, which has no {method}"
            )
        return hook


class FileTransferOperator(BaseOperator):
    """Copy a file or folder between any two places that fsspec knows: `s3://…`, `file:///…`, …

    Parameters:
        src, dst: paths, or `ObjectStoragePath`; templated.
        source_conn_id, dest_conn_id: connections for paths given as text.
        overwrite: over what is at the destination; default fail.
    """

    template_fields: Sequence[str] = ("src", "dst")

    def __init__(
        self,
        *,
        src: Any,
        dst: Any,
        source_conn_id: str | None = None,
        dest_conn_id: str | None = None,
        overwrite: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.src = src
        self.dst = dst
        self.source_conn_id = source_conn_id
        self.dst_conn_id = dest_conn_id
        self.overwrite = overwrite

    def execute(self, context: Any) -> None:  # noqa: ARG002 - the signature of all operators
        """Copy. Raises `AirflowException` when there is nothing to copy, or something at the destination."""
        source, target = self._path(self.src, self.source_conn_id), self._path(self.dst, self.dst_conn_id)
        if not source.exists():
            raise AirflowException(f"there is nothing at {source} to copy")
        if not self.overwrite and target.exists() and target.is_file():
            raise AirflowException(f"{target} exists; say overwrite=True to replace it")
        self.log.info("Copying %s to %s", source, target)
        source.copy(target)

    def _path(self, path: Any, conn_id: str | None) -> Any:
        from tradewind.sdk.object_path import ObjectStoragePath

        if isinstance(path, ObjectStoragePath):
            return path
        if not isinstance(path, str):
            raise WrongArgument(f"src and dst of task {self.task_id!r} are paths, not {path!r}")
        return ObjectStoragePath(path, conn_id=conn_id)
