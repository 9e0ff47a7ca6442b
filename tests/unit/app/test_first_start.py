"""What the first start makes, and what later ones leave alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.app.first_start import EXAMPLE_CONNECTION, prepare
from tradewind.app.plugs import existing_database, open_vault
from tradewind.commands.secrets import connection_facts, set_connection
from tradewind.kernel.settings import Settings, load_settings
from tradewind.wire.errors import InvalidSetting
from tradewind.wire.execution import ConnectionFacts


def settings_of(home: Path, **values: str) -> Settings:
    return load_settings({f"TRADEWIND__{name}": value for name, value in values.items()}, home)


def test_everything_is_made_once(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home")

    first, second = prepare(settings), prepare(settings)

    assert (first.admin_username, first.examples) == ("admin", True)
    assert first.admin_password
    assert (second.admin_username, second.admin_password, second.examples) == (None, None, False)
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    assert stat.S_IMODE(settings.execution.key_file.stat().st_mode) == 0o600
    names = {path.relative_to(settings.core.dags_folder).as_posix() for path in settings.core.dags_folder.rglob("*.*")}
    assert names == {"hello_world.py", "co2_pipeline.py", "data/co2_mauna_loa.csv"}
    with existing_database(settings) as store, store.read() as tx:
        user = tx.user_get("admin")
        facts = connection_facts(tx, open_vault(settings), EXAMPLE_CONNECTION)
    assert user is not None
    assert Argon2Passwords().fits(user.password_hash, first.admin_password)
    assert (facts.conn_type, facts.host) == ("sqlite", str(settings.home / "example_warehouse.db"))


def test_a_given_password_is_not_shown(tmp_path: Path) -> None:
    made = prepare(settings_of(tmp_path / "home", AUTH__ADMIN_PASSWORD="given by me", AUTH__ADMIN_USERNAME="ann"))

    assert (made.admin_username, made.admin_password) == ("ann", None)


def test_examples_can_be_declined_and_do_not_come_later(tmp_path: Path) -> None:
    declined = settings_of(tmp_path / "home", CORE__LOAD_EXAMPLES="false")

    assert not prepare(declined).examples
    assert list(declined.core.dags_folder.iterdir()) == []
    assert prepare(settings_of(tmp_path / "home")).examples, "nothing was copied yet and the folder is new"
    for path in declined.core.dags_folder.glob("*.py"):
        path.unlink()
    (declined.core.dags_folder / "data" / "co2_mauna_loa.csv").unlink()
    (declined.core.dags_folder / "data").rmdir()
    assert not prepare(settings_of(tmp_path / "home")).examples, "whoever removed them does not want them"


def test_a_folder_that_somebody_filled_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "mine.py").write_text("# mine")

    made = prepare(settings_of(tmp_path / "home", CORE__DAGS_FOLDER=str(tmp_path / "dags")))

    assert not made.examples
    assert [path.name for path in (tmp_path / "dags").iterdir()] == ["mine.py"]


def test_a_connection_of_that_name_stays(tmp_path: Path) -> None:
    declined, wanted = settings_of(tmp_path / "home", CORE__LOAD_EXAMPLES="false"), settings_of(tmp_path / "home")
    prepare(declined)
    with existing_database(declined) as store, store.begin() as tx:
        mine = ConnectionFacts(conn_id=EXAMPLE_CONNECTION, conn_type="postgres", host="mine")
        set_connection(tx, open_vault(declined), mine)

    assert prepare(wanted).examples
    with existing_database(wanted) as store, store.read() as tx:
        assert connection_facts(tx, open_vault(wanted), EXAMPLE_CONNECTION).host == "mine"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InvalidSetting, match="/file/logs cannot be made"):
        prepare(settings_of(tmp_path / "home", LOGS__FOLDER=str(tmp_path / "file" / "logs")))
