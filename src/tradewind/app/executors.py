"""The executors of a scheduler, as the setting core.executor names them."""

from __future__ import annotations

from collections.abc import Callable

from tradewind.app.plugs import execution_key
from tradewind.kernel.clock import Clock
from tradewind.kernel.settings import Settings
from tradewind.ports.executor import Executor
from tradewind.wire.errors import InvalidSetting

KNOWN = ("local", "celery")


def executor_names(settings: Settings) -> list[str]:
    """The first one is for tasks that name none. Raises `InvalidSetting`."""
    names = [name for part in settings.core.executor.split(",") if (name := _plain(part))]
    unknown = next((name for name in names if name not in KNOWN), None)
    if unknown is not None:
        raise InvalidSetting(f"core.executor names {unknown!r}; there are {', '.join(KNOWN)}")
    if not names or len(set(names)) < len(names):
        raise InvalidSetting(f"core.executor must name executors once each, not {settings.core.executor!r}")
    return names


def make_executors(settings: Settings, clock: Clock, place: str, wake: Callable[[], None]) -> dict[str, Executor]:
    """By name, the default one first.

    Parameters:
        place: name of the scheduler, stable over restarts.
        wake: called when an executor has something to say.

    Raises:
        InvalidSetting: see `executor_names`; or what an executor needs is not installed.
    """
    return {name: _make(name, settings, clock, place, wake) for name in executor_names(settings)}


def _make(name: str, settings: Settings, clock: Clock, place: str, wake: Callable[[], None]) -> Executor:
    key, parallelism = execution_key(settings), settings.core.parallelism
    if name == "local":
        from tradewind.executors.local import LocalExecutor

        return LocalExecutor(name, settings.agent.socket, key, parallelism, wake)
    try:
        from tradewind.executors.celery.executor import CeleryExecutor
    except ImportError as error:
        raise InvalidSetting(
            f"core.executor names celery, which is not installed ({error}): install tradewind[celery]"
        ) from error
    return CeleryExecutor(
        name,
        settings.celery.broker_url,
        key,
        parallelism,
        wake,
        clock,
        place=place,
        resend_seconds=settings.celery.resend_seconds,
    )


def _plain(name: str) -> str:
    """Airflow's names for the same."""
    plain = name.strip()
    return {"LocalExecutor": "local", "CeleryExecutor": "celery", "SequentialExecutor": "local"}.get(plain, plain)
