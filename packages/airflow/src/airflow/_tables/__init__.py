"""The tables of paths, by era. They are read when a module is asked for that is no file."""

from __future__ import annotations

from collections.abc import Iterator


def all_rows() -> Iterator[tuple[str, str, bool]]:
    """(module below `airflow`, what it offers, whether it is an older path); see `_redirect.Row`."""
    from airflow._tables import core, one_ten, providers, sdk, standard, two

    for table, older in (
        (sdk.ROWS, False),
        (core.ROWS, False),
        (standard.ROWS, False),
        (two.ROWS, True),
        (providers.ROWS, True),
    ):
        for name, text in table.items():
            yield name, text, older
    for name, text in one_ten.rows().items():
        yield name, text, True
