from __future__ import annotations

from pathlib import Path

import pytest

from tradewind.kernel.settings import (
    OPTIONS,
    SECTIONS,
    Settings,
    SettingsError,
    UnknownSettingError,
    load_settings,
    mask_url,
)
from tradewind.wire.errors import InvalidSetting, NotFound


def with_file(home: Path, content: str, env: dict[str, str] | None = None) -> Settings:
    home.mkdir(parents=True, exist_ok=True)
    (home / "tradewind.toml").write_text(content)
    return load_settings(env or {}, home)


def problems_of(home: Path, content: str = "", env: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        with_file(home, content, env)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


# --- sources and their order


def test_defaults(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    assert settings.home == tmp_path
    assert settings.core.dags_folder == tmp_path / "dags"
    assert settings.core.parallelism == 32
    assert settings.core.load_examples is True
    assert settings.core.dags_are_paused_at_creation is False
    assert settings.database.url == f"sqlite:///{tmp_path}/tradewind.db"
    assert settings.execution.url == "http://127.0.0.1:8080"
    assert settings.values.url == f"file://{tmp_path}/values"
    assert settings.agent.template_memory_bytes_max == 1 << 30
    assert settings.source_of("core.parallelism") == "default"


def test_the_names_scripts_rely_on_are_there() -> None:
    promised = """
        core.dags_folder core.load_examples core.parallelism database.url api.host api.port
        auth.admin_username auth.admin_password execution.url scheduler.lease_seconds agent.socket logs.level
    """
    assert set(promised.split()) <= set(OPTIONS)


def test_the_file_is_over_the_defaults_and_the_environment_over_the_file(tmp_path: Path) -> None:
    env = {"TRADEWIND__API__PORT": "9999"}
    settings = with_file(tmp_path, '[core]\nparallelism = 4\n[api]\nport = 9090\nhost = "::1"\n', env)
    assert (settings.core.parallelism, settings.api.port, settings.api.host) == (4, 9999, "::1")
    assert settings.source_of("core.parallelism") == f"file {tmp_path}/tradewind.toml"
    assert settings.source_of("api.port") == "environment variable TRADEWIND__API__PORT"
    assert settings.source_of("api.workers") == "default"


def test_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings({"TRADEWIND_HOME": str(tmp_path)}).home == tmp_path
    assert load_settings({"HOME": "/home/ada"}).home == Path("/home/ada/tradewind")
    assert load_settings({"HOME": "/home/ada", "TRADEWIND_HOME": "~/tw"}).home == Path("/home/ada/tw")
    assert load_settings({"TRADEWIND_HOME": "/a"}, tmp_path).home == tmp_path
    monkeypatch.chdir(tmp_path)
    assert load_settings({"TRADEWIND_HOME": "here"}).home == tmp_path / "here"
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path / "of-the-process"))
    assert load_settings().home == tmp_path / "of-the-process"


def test_derived_defaults_follow(tmp_path: Path) -> None:
    settings = load_settings({"TRADEWIND__API__HOST": "0.0.0.0", "TRADEWIND__API__PORT": "81"}, tmp_path)
    assert settings.execution.url == settings.api.base_url == "http://127.0.0.1:81"
    assert settings.replace(**{"api.host": "::"}).execution.url == "http://[::1]:81"


def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"TRADEWIND__LOGS__FOLDER": "in-env", "TRADEWIND__AGENT__SPOOL_DIR": "../up"}
    settings = with_file(tmp_path / "home", '[core]\ndags_folder = "in-file/../dags2"\n', env)
    assert settings.core.dags_folder == tmp_path / "home" / "dags2"
    assert settings.logs.folder == tmp_path / "in-env"
    assert settings.agent.spool_dir == tmp_path.parent / "up"


def test_other_variables_are_left_alone(tmp_path: Path) -> None:
    load_settings({"TRADEWIND_HOME": "/x", "TRADEWIND_SOMETHING": "1", "PATH": "/bin", "MY__CORE__X": "1"}, tmp_path)


# --- what is read


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("core.load_examples", "No", False),
        ("core.load_examples", "1", True),
        ("core.parallelism", " 7 ", 7),
        ("core.default_task_retry_delay_seconds", "1.5", 1.5),
        ("agent.template_memory_bytes_max", "512MiB", 512 << 20),
        ("agent.template_memory_bytes_max", "2 GB", 2_000_000_000),
        ("agent.template_memory_bytes_max", "1000", 1000),
        ("logs.level", "WARNING", "warning"),
        ("core.default_timezone", "Europe/Zurich", "Europe/Zurich"),
        ("database.url", "postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("auth.admin_password", "", ""),
    ],
)
def test_text_of_the_environment(tmp_path: Path, name: str, text: str, value: object) -> None:
    variable = OPTIONS[name].environment_name
    assert variable == "TRADEWIND__" + name.upper().replace(".", "__")
    assert load_settings({variable: text}, tmp_path).get(name) == value


def test_sizes_and_numbers_of_the_file(tmp_path: Path) -> None:
    settings = with_file(tmp_path, '[agent]\nspool_bytes_max = "1MiB"\nlost_seconds = 20\n')
    assert settings.agent.spool_bytes_max == 1 << 20
    assert settings.agent.lost_seconds == 20.0


# --- what is wrong


def test_a_wrong_key_is_named_with_its_source_and_the_nearest_right_one(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "[core]\nparalelism = 3\n") == (
        f"there is no setting core.paralelism (file {tmp_path}/tradewind.toml); did you mean core.parallelism?",
    )
    assert problems_of(tmp_path, env={"TRADEWIND__CORE__PARALELISM": "3"}) == (
        "there is no setting for environment variable TRADEWIND__CORE__PARALELISM; "
        "did you mean TRADEWIND__CORE__PARALLELISM?",
    )


@pytest.mark.parametrize(
    ("content", "nearest"),
    [
        ("[cor]\nparallelism = 3", "core.parallelism"),
        ("[scheduler]\nparallelism = 3", "core.parallelism"),
        ("parallelism = 3", "core.parallelism"),
        ("[database]\nsql_url = 'x'", "database.url"),
        ("[api]\nbase-url = 'x'", "api.base_url"),
    ],
)
def test_slips_in_the_file(tmp_path: Path, content: str, nearest: str) -> None:
    assert problems_of(tmp_path, content)[0].endswith(f"did you mean {nearest}?")


def test_what_resembles_nothing_gets_no_suggestion(tmp_path: Path) -> None:
    assert "did you mean" not in problems_of(tmp_path, "[zzz]\nqqqqqq = 1\n")[0]


@pytest.mark.parametrize("variable", ["TRADEWIND_API__PORT", "tradewind__api__port", "TRADEWIND__API_PORT"])
def test_slips_in_a_variable_are_not_ignored(tmp_path: Path, variable: str) -> None:
    assert problems_of(tmp_path, env={variable: "1"}) == (
        f"there is no setting for environment variable {variable}; did you mean TRADEWIND__API__PORT?",
    )


def test_a_wrong_type_names_key_value_source_and_what_is_expected(tmp_path: Path) -> None:
    assert problems_of(tmp_path, '[core]\nparallelism = "many"\n') == (
        f"core.parallelism is 'many' of type str (file {tmp_path}/tradewind.toml); expected an integer of at least 1",
    )
    assert problems_of(tmp_path, env={"TRADEWIND__API__PORT": "70000"}) == (
        "api.port is '70000' (environment variable TRADEWIND__API__PORT); expected an integer from 1 to 65535",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("core.load_examples", "maybe"),
        ("core.parallelism", "0"),
        ("core.parallelism", "1.5"),
        ("core.parallelism", ""),
        ("scheduler.lease_seconds", "0"),
        ("scheduler.lease_seconds", "nan"),
        ("scheduler.lease_seconds", "inf"),
        ("scheduler.lease_seconds", "-3"),
        ("agent.spool_bytes_max", "1 fortnight"),
        ("agent.spool_bytes_max", "MiB"),
        ("logs.level", "loud"),
        ("logs.folder", " "),
        ("core.default_timezone", "Mars/Olympus"),
        ("core.default_timezone", "../etc/passwd"),
        ("core.default_timezone", "Europe"),
        ("database.url", "mysql://h/d"),
        ("database.url", "tradewind.db"),
        ("execution.url", "ftp://h"),
        ("values.url", "/just/a/path"),
        ("api.host", " "),
    ],
)
def test_wrong_text(tmp_path: Path, name: str, text: str) -> None:
    (problem,) = problems_of(tmp_path, env={OPTIONS[name].environment_name: text})
    assert problem.startswith(f"{name} is {text!r}")
    assert f"expected {OPTIONS[name].kind.expected}" in problem


@pytest.mark.parametrize(
    "content",
    [
        "[core]\nparallelism = true",
        "[core]\nparallelism = 1.0",
        "[core]\nload_examples = 1",
        "[core]\ndags_folder = 7",
        "[core]\ndefault_task_retry_delay_seconds = true",
        "[core]\nparallelism = [1]",
        "[core.parallelism]\nx = 1",
        "[logs]\nlevel = 3",
    ],
)
def test_wrong_types_in_the_file(tmp_path: Path, content: str) -> None:
    assert "of type" in problems_of(tmp_path, content)[0]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "[core]\nx = 1\nparallelism = 'a'\n", {"TRADEWIND__API__PORT": "b"})
    assert len(problems) == 3


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "tradewind.toml is not valid TOML: " in problems_of(tmp_path, "[core\n")[0]
    assert "line 1" in problems_of(tmp_path, "[core\n")[0]
    (tmp_path / "tradewind.toml").write_bytes(b"[core]\n# \xff\n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings({}, tmp_path)
    (tmp_path / "tradewind.toml").unlink()
    (tmp_path / "tradewind.toml").mkdir()
    with pytest.raises(SettingsError, match=r"tradewind.toml cannot be read: Is a directory"):
        load_settings({}, tmp_path)


def test_values_that_do_not_fit_together(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "[agent]\nheartbeat_seconds = 10\n")
    assert problem == (
        f"agent.heartbeat_seconds is 10 (file {tmp_path}/tradewind.toml) and agent.lost_seconds is 10 (default): "
        "it would count as lost between heartbeats; make agent.heartbeat_seconds smaller or agent.lost_seconds larger"
    )
    same = {"standalone.restart_seconds_min": 1, "standalone.restart_seconds_max": 1}
    assert load_settings({}, tmp_path / "other").replace(**same).standalone.restart_seconds_min == 1


def test_errors_are_of_the_tree() -> None:
    assert issubclass(SettingsError, InvalidSetting)
    assert issubclass(UnknownSettingError, NotFound)


# --- reading, changing, showing


def test_get_and_its_error(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    assert settings.get("api.port") == 8080
    for ask in (settings.get, settings.source_of):
        with pytest.raises(UnknownSettingError, match=r"no setting api.prt; did you mean api.port\?"):
            ask("api.prt")


def test_replace_makes_a_copy(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    changed = settings.replace(**{"core.parallelism": 4, "core.dags_folder": tmp_path / "d"})
    assert (settings.core.parallelism, changed.core.parallelism) == (32, 4)
    assert changed.core.dags_folder == tmp_path / "d"
    assert changed.source_of("core.parallelism") == "replaced in code"
    with pytest.raises(SettingsError, match=r"core.parallelism is 'x' of type str \(replaced in code\)"):
        settings.replace(**{"core.parallelism": "x"})
    with pytest.raises(SettingsError, match=r"no setting core\.paralelism"):
        settings.replace(**{"core.paralelism": 3})


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    with pytest.raises(AttributeError, match=r"core.parallelism; make a changed copy with Settings.replace\(\)"):
        settings.core.parallelism = 3
    with pytest.raises(AttributeError, match="frozen"):
        settings.core = settings.core


def test_secrets_are_masked_wherever_settings_are_shown(tmp_path: Path) -> None:
    url = "postgresql://tw:hunter/2@db@host:5432/tw?sslmode=require&sslpassword=hunter3"
    settings = load_settings({}, tmp_path).replace(**{"auth.admin_password": "hunter1", "database.url": url})
    shown = {entry.name: entry.shown for entry in settings.entries()}
    assert shown["auth.admin_password"] == "***"
    assert shown["database.url"] == "postgresql://tw:***@host:5432/tw?sslmode=require&sslpassword=***"
    for text in (repr(settings), repr(settings.auth), repr(settings.database), str(shown)):
        assert "hunter" not in text
    assert settings.auth.admin_password == "hunter1"
    assert settings.database.url == url


def test_secrets_are_masked_in_errors(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "[auth]\nadmin_password = 12345\n")
    assert "12345" not in problem
    (problem,) = problems_of(tmp_path, env={"TRADEWIND__DATABASE__URL": "mysql://u:hunter@h/d"})
    assert "hunter" not in problem


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("sqlite:////home/a@b/x.db", "sqlite:////home/a@b/x.db"),
        ("postgresql://host/db", "postgresql://host/db"),
        ("postgresql://user@host/db", "postgresql://user@host/db"),
        ("s3://bucket/key?secret_key=abc&region=eu", "s3://bucket/key?secret_key=***&region=eu"),
        ("no url", "no url"),
    ],
)
def test_masking_urls(url: str, masked: str) -> None:
    assert mask_url(url) == masked


def test_entries_are_complete(tmp_path: Path) -> None:
    entries = list(load_settings({}, tmp_path).entries())
    assert [entry.name for entry in entries] == list(OPTIONS)
    for entry in entries:
        assert entry.description.endswith(".")
        assert "\n" not in entry.description
        assert entry.expected
        assert str(tmp_path) not in entry.default


def test_every_default_is_right(tmp_path: Path) -> None:
    """A default passes its own kind, as text and as it is."""
    settings = load_settings({}, tmp_path)
    for name, option in OPTIONS.items():
        value = settings.get(name)
        assert option.kind.native(value, tmp_path) == value
        assert settings.replace(**{name: value}).get(name) == value


def test_every_section_is_an_attribute(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    for section in SECTIONS:
        assert isinstance(getattr(settings, section.name), section)
        assert section.description
