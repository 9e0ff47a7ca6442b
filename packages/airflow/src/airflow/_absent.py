"""Refusals: what cannot be had here, said with the way out."""

from __future__ import annotations

import sys
from pathlib import Path

_GENUINE = ("apache-airflow-core", "apache-airflow", "apache-airflow-task-sdk")


class TwoAirflows(ImportError):
    """apache-airflow and tradewind-airflow are installed in one environment; both are the import name `airflow`."""


def refuse_genuine_airflow(paths: list[str]) -> None:
    """Raise `TwoAirflows` when apache-airflow is installed beside this package.

    Parameters:
        paths: where `airflow` is looked for. Nothing is read of a distribution while none of them holds a file that
            only apache-airflow has.
    """
    here = Path(__file__).parent
    if not any((Path(path) / "models" / "dag.py").is_file() or _is_foreign(Path(path), here) for path in paths):
        return
    from importlib import metadata  # slow, and this is the way of the few

    for name in _GENUINE:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        raise TwoAirflows(
            f"{name} {version} is installed in {sys.prefix} together with tradewind-airflow: both provide the import "
            "name 'airflow'. Use an environment without it: pip uninstall apache-airflow apache-airflow-core "
            "apache-airflow-task-sdk, then pip install --force-reinstall tradewind-airflow"
        )


def _is_foreign(path: Path, here: Path) -> bool:
    return path != here and (path / "__init__.py").is_file()
