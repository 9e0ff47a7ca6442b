"""What an installation needs before anything runs: folders, keys, the schema, an administrator, examples.

Every step may be taken again: what is there stays as it is.
"""

from __future__ import annotations

import os
import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tradewind.kernel.clock import SystemClock
from tradewind.kernel.log import get_logger
from tradewind.kernel.settings import Settings
from tradewind.ports.store import Store
from tradewind.wire.errors import InvalidSetting
from tradewind.wire.execution import ConnectionFacts

if TYPE_CHECKING:
    from tradewind.commands.users import FirstAdmin

EXAMPLE_CONNECTION = "example_warehouse"
_EXAMPLES_DONE = ".examples-copied"
_log = get_logger("first-start")


class Prepared(msgspec.Struct, frozen=True):
    """What was made for the first time."""

    admin_username: str | None = None
    """The administrator just made; None: there was one."""
    admin_password: str | None = None
    """The password generated for him, to be shown once; None: it was given in auth.admin_password."""
    examples: bool = False
    """The examples were copied."""


def prepare(settings: Settings) -> Prepared:
    """Everything there is to make.

    Raises:
        InvalidSetting: a folder or key file cannot be made.
        Conflict, Unavailable: the database does not fit or cannot be reached.
    """
    from tradewind.app.plugs import execution_key, open_database

    make_folders(settings)
    execution_key(settings)
    store = open_database(settings)
    try:
        admin = first_admin(store, settings)
        examples = first_examples(store, settings)
    finally:
        store.close()
    if admin is None:
        return Prepared(examples=examples)
    return Prepared(admin.username, admin.generated_password, examples)


def make_folders(settings: Settings) -> None:
    """The home, closed to others because keys and logs lie in it, and the folders that must be there before others
    look at them. Raises `InvalidSetting`."""
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (settings.home / "run", settings.logs.folder, settings.bundles.root, settings.agent.spool_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSetting(
            f"the folder {error.filename} cannot be made: {error.strerror}; make its parent writable for this user, "
            "or name another folder (TRADEWIND_HOME, or the setting of this folder)"
        ) from error


def first_admin(store: Store, settings: Settings) -> FirstAdmin | None:
    """The first administrator, made when there is no user yet; None otherwise. See `commands.users.ensure_admin`."""
    from tradewind.adapters.passwords import Argon2Passwords
    from tradewind.commands.users import ensure_admin

    auth = settings.auth
    return ensure_admin(store, Argon2Passwords(), SystemClock().now(), auth.admin_username, auth.admin_password)


def first_examples(store: Store, settings: Settings) -> bool:
    """Copy the example DAGs into a new DAGs folder, once per home, and make the connection they load through.

    Whether they were copied. A folder that somebody has filled already is left alone.

    Raises:
        InvalidSetting: the folder cannot be made.
    """
    folder, done = settings.core.dags_folder, settings.home / _EXAMPLES_DONE
    try:
        is_new = not folder.is_dir() or not any(folder.iterdir())
        folder.mkdir(parents=True, exist_ok=True)
        wanted = settings.core.load_examples and is_new and not done.exists()
        if wanted:
            _example_connection(store, settings)
            _copy_examples(folder)
        if settings.core.load_examples:
            done.touch()
    except OSError as error:
        raise InvalidSetting(
            f"core.dags_folder {folder} cannot be used: {error.strerror} ({error.filename}); make it writable for this "
            "user, or set another folder"
        ) from error
    if wanted:
        _log.info("examples_copied", folder=str(folder))
    return wanted


def _copy_examples(folder: Path) -> None:
    """Data first: a DAG file must not be seen before what it reads."""
    with as_file(files("tradewind") / "examples") as source:
        entries = [entry for entry in source.iterdir() if entry.name != "__pycache__"]
        for entry in sorted(entries, key=lambda each: (each.suffix == ".py", each.name)):
            target = folder / entry.name
            if entry.is_dir():
                shutil.copytree(entry, target, dirs_exist_ok=True)
            else:
                draft = folder / f".{entry.name}.copying"
                shutil.copyfile(entry, draft)
                os.replace(draft, target)


def _example_connection(store: Store, settings: Settings) -> None:
    from tradewind.app.plugs import open_vault
    from tradewind.commands.secrets import set_connection

    facts = ConnectionFacts(
        conn_id=EXAMPLE_CONNECTION,
        conn_type="sqlite",
        description="Where the example co2_pipeline loads to",
        host=str(settings.home / "example_warehouse.db"),
    )
    vault = open_vault(settings)
    with store.begin() as tx:
        if tx.connection_get(EXAMPLE_CONNECTION) is None:
            set_connection(tx, vault, facts)
