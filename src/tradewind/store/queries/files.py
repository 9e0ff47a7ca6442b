# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""DAG files and their import errors."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tradewind.ports.rows import FileRow, ImportErrorRow
from tradewind.store.codec import FILE, IMPORT_ERROR
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement, upsert_tail

_FILE_TAIL = upsert_tail(FILE, ("bundle", "path"))
_ERROR_TAIL = upsert_tail(IMPORT_ERROR, ("bundle", "path"))
_PATHS = (("path", Kind.TEXT),)


@statement
def file_list_of_bundle(_: Dialect) -> str:
    return f"SELECT {FILE.select('f')} FROM dag_file f WHERE f.bundle = :bundle ORDER BY f.path"


@statement
def file_delete(_: Dialect) -> str:
    return "DELETE FROM dag_file WHERE bundle = :bundle AND path = :path"


@statement
def import_error_delete(_: Dialect) -> str:
    return "DELETE FROM import_error WHERE bundle = :bundle AND path = :path"


@statement
def file_lease(d: Dialect) -> str:
    # A lease of `seconds` from now is one that runs out `-seconds` before now.
    return f"""
        INSERT INTO dag_file (bundle, path, digest, bundle_version, dag_count, processor, leased_until)
        SELECT :bundle, v.path, '', '', 0, :processor, {d.seconds_before(d.judge, ":lease")}
        FROM {d.relation("v", _PATHS)} WHERE true
        ON CONFLICT (bundle, path) DO UPDATE SET processor = excluded.processor, leased_until = excluded.leased_until
        WHERE dag_file.processor IS NULL OR dag_file.processor = excluded.processor OR dag_file.leased_until < {d.judge}
        RETURNING path"""


class FileQueries(Work):
    """See `ports.store.DagTx`."""

    def file_list(self, bundle: str) -> list[FileRow]:
        return self._read_all(FILE, file_list_of_bundle(self._dialect), bundle=bundle)

    def file_put(self, row: FileRow) -> None:
        self._insert(FILE, [msgspec.structs.replace(row, processor=None, leased_until=None)], _FILE_TAIL)

    def file_delete(self, bundle: str, path: str) -> None:
        self._write(file_delete(self._dialect), bundle=bundle, path=path)
        self.import_error_clear(bundle, path)

    def file_lease(self, bundle: str, paths: Sequence[str], processor: str, seconds: float) -> list[str]:
        unique = sorted(set(paths))
        params = self._dialect.relation_params("v", _PATHS, [(path,) for path in unique])
        found = self._rows(
            file_lease(self._dialect),
            bundle=bundle,
            processor=processor,
            lease=-seconds,
            judged_at=self._judge(),
            **params,
        )
        leased = {path for (path,) in found}
        return [path for path in paths if path in leased]

    def import_error_put(self, row: ImportErrorRow) -> None:
        self._insert(IMPORT_ERROR, [row], _ERROR_TAIL)

    def import_error_clear(self, bundle: str, path: str) -> None:
        self._write(import_error_delete(self._dialect), bundle=bundle, path=path)
