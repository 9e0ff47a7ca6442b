"""What commands get at: settings, the database, the time, instants and JSON given by people."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradewind.cli.commandline import GIVEN, RUNNING
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.settings import Settings, load_settings
from tradewind.wire.errors import BadInput

if TYPE_CHECKING:
    from tradewind.commands.audit import Deed
    from tradewind.ports.store import Store

CLOCK = SystemClock()


def settings() -> Settings:
    """The settings of this process. Raises `SettingsError`, naming every wrong key and the nearest right one."""
    return load_settings()


@contextmanager
def database() -> Iterator[Store]:
    """The metadata database, as it is; what is written is in the audit log, in the name of the system's user.

    Raises `NotFound` when there is none yet, `Unavailable` when it is away.
    """
    from tradewind.app.plugs import existing_database
    from tradewind.commands.audit import Actor, AuditedStore

    with existing_database(settings()) as store:
        yield AuditedStore(store, Actor(_system_user(), "cli"), _deed(store))


def _deed(store: Store) -> Deed:
    """What is logged when no command says more: the name of the command, and what its arguments name."""
    from tradewind.commands.audit import Deed

    noun, _, verb = RUNNING.get().removeprefix("tradewind ").partition(" ")
    given = vars(GIVEN.get() or Namespace())
    index = given.get("map_index")
    name = next((given[field] for field in ("name", "backfill_id") if given.get(field) is not None), None)
    return Deed(
        event=f"cli_{noun}_{verb}".rstrip("_").replace(" ", "_").replace("-", "_"),
        dag_id=given.get("dag_id") or given.get("of_dag"),
        run_id=_meant_run(store, given.get("dag_id"), given.get("run_id")),
        task_id=given.get("task_id") or ", ".join(given.get("task_ids") or ()) or None,
        map_path=None if index is None else str(index),
        thing=None if name is None else f"{noun.removesuffix('s')} {name}",
    )


def _meant_run(store: Store, dag_id: str | None, run_id: str | None) -> str | None:
    """The id of the run, also where `latest` was said; None: no run."""
    if run_id != "latest":
        return run_id
    with store.read() as tx:
        newest = tx.list_runs(dag_id=dag_id, limit=1)
    return newest[0].run_id if newest else None


def _system_user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in containers
        import os

        return str(os.getuid())


def instant(text: str) -> datetime:
    """An ISO instant given by a person, in UTC; without a time zone it is meant in core.default_timezone.

    Raises:
        BadInput: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text!r} is no ISO instant; write for example 2026-01-31T08:00:00+00:00") from None
    if found.tzinfo is None:
        from zoneinfo import ZoneInfo

        found = found.replace(tzinfo=ZoneInfo(settings().core.default_timezone))
    return found.astimezone(UTC)


def json_value(text: str, what: str) -> Any:
    """The value of a JSON text given by a person. Raises `BadInput` naming what it was for."""
    try:
        return json.loads(text)
    except ValueError as error:
        hint = "; put it in single quotes for the shell" if what.startswith("--") else ""
        raise BadInput(f"{what} is not JSON: {error}{hint}") from None


def confirm(question: str, assumed: bool) -> None:
    """Ask before what cannot be undone. Raises `BadInput` when the answer is not yes, or nobody can be asked."""
    if assumed:
        return
    if not sys.stdin.isatty():
        raise BadInput(f"{question} Say --yes to do it without asking.")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise BadInput("nothing was done")


def secret(text: str) -> str:
    """A secret given on the command line; `-` reads it from standard input, where other users cannot see it."""
    return sys.stdin.readline().rstrip("\n") if text == "-" else text


def write_file(target: str, content: str, *, private: bool = False) -> None:
    """Write to a file, or to standard output for `-`. Raises `BadInput` when it cannot be written."""
    if target == "-":
        print(content)
        return
    try:
        path = Path(target)
        if private:
            path.touch(mode=0o600)
        path.write_text(content + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {error.strerror}") from error


def read_json_file(path: str) -> Any:
    """The value of a JSON file; `-` is standard input. Raises `BadInput` naming the file."""
    if path == "-":
        return json_value(sys.stdin.read(), "standard input")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    return json_value(text, path)
