"""The import name `airflow` on top of Tradewind.

DAG files written for Airflow 1.10, 2 and 3 and the official provider packages find here what they import: the very
objects that `from tradewind import ...` gives. Paths are rows of tables (`_tables`, `_redirect`), arguments of earlier
days are translated (`_translate`), and what Tradewind has no place for stands in `_core`.
"""

from __future__ import annotations

import sys
from pkgutil import extend_path
from typing import Any

__path__ = extend_path(__path__, __name__)

from airflow import _absent, _redirect, _translate
from airflow._version import version as __version__

_absent.refuse_genuine_airflow(list(__path__))
_redirect.install()
_translate.install()

_HERE = {
    "DAG": "~",
    "XComArg": "~",
    "Asset": "~",
    "Dataset": "~:Asset",
    "AirflowException": "._core.exceptions",
    "PY36": "",
    "PY37": "",
    "PY38": "",
    "PY39": "",
    "PY310": "",
    "PY311": "",
    "PY312": "",
}
"""Name at the top → its home; an empty home: True, a Python that old is not served any more."""
_OLDER = ("Dataset",)

__all__ = ["DAG", "Asset", "XComArg", "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HERE:
        if not _HERE[name]:
            return sys.version_info >= (3, int(name[3:]))
        from airflow._redirect import Row

        home, _, private = _HERE[name].partition(":")
        value = Row("", f"{home}: {name}={private or name}", False).find(name)
        if name in _OLDER:
            from airflow._notes import note_older_path

            note_older_path("airflow", name, home, value, sys._getframe(1))
        else:
            globals()[name] = value
        return value
    if not name.startswith("_") and _redirect.is_module(name):
        import importlib

        return importlib.import_module(f"airflow.{name}")
    raise AttributeError(f"module 'airflow' has no attribute {name!r} (this is tradewind-airflow {__version__})")
