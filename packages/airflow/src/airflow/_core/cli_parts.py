"""`airflow.utils.cli`: decorators that commands of providers wear."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def action_cli(func: Any = None, check_db: bool = True, **_: Any) -> Any:  # noqa: ARG001
    """The function as it is."""
    return (lambda one: one) if func is None or not callable(func) else func


action_logging = action_cli


@contextmanager
def suppress_logs_and_warning() -> Any:
    """Nothing."""
    yield


def should_use_colors(args: Any) -> bool:  # noqa: ARG001
    """Whether the terminal shows colours."""
    from airflow._core.net import is_tty

    return is_tty()


def process_subdir(subdir: str | None) -> str | None:
    """The folder with `DAGS_FOLDER` in its place."""
    from airflow._core.configuration import conf

    return subdir.replace("DAGS_FOLDER", str(conf.get("core", "dags_folder", fallback=""))) if subdir else subdir


def get_dag(*_: Any, **__: Any) -> Any:
    """Raises NotImplementedError."""
    raise NotImplementedError("use DagBag, or `tradewind dags show`")


get_dags = get_dag_by_file_location = get_bagged_dag = get_db_dag = setup_locations = setup_logging = get_dag
sigint_handler = sigquit_handler = validate_dag_bundle_arg = get_dag
