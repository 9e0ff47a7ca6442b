"""Finding nouns and verbs, errors as one line and an exit code, instant help."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Cli

from tradewind import __version__
from tradewind.cli import main as main_module
from tradewind.wire import errors

HEAVY = ("argparse", "msgspec", "sqlalchemy", "pendulum", "jinja2", "starlette", "psycopg", "tradewind.kernel.settings")


def test_the_list_of_nouns_says_what_they_say() -> None:
    for name, (module, help_text) in main_module.NOUNS.items():
        noun = importlib.import_module(f"tradewind.cli.{module}").NOUNS[name]
        assert (noun.name, noun.help) == (name, help_text)
        assert noun.single is not None or noun.verbs


def test_every_verb_explains_itself() -> None:
    for name, (module, _) in main_module.NOUNS.items():
        noun = importlib.import_module(f"tradewind.cli.{module}").NOUNS[name]
        for verb in [*noun.verbs.values(), *([noun.single] if noun.single else [])]:
            assert verb.help, f"{name} {verb.name}"


def test_aliases_lead_to_what_there_is() -> None:
    for new in main_module.ALIASES.values():
        noun = importlib.import_module(f"tradewind.cli.{main_module.NOUNS[new[0]][0]}").NOUNS[new[0]]
        assert len(new) == 1 or new[1] in noun.verbs


def test_help_loads_next_to_nothing() -> None:
    program = (
        "import sys; from tradewind.cli.main import main; code = main(['--help']); "
        f"print([name for name in {HEAVY!r} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "dags" in done.stdout


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_help(cli: Cli, words: tuple[str, ...]) -> None:
    said = cli(*words)
    assert all(f"\n  {name} " in said.out for name in main_module.NOUNS)


def test_help_of_a_noun_lists_its_verbs(cli: Cli) -> None:
    assert "next-execution" in cli("dags", "--help").out
    assert "next-execution" in cli("dags", code=2).out, "a noun alone is not enough, and says what is missing"


def test_help_of_a_verb_shows_its_options(cli: Cli) -> None:
    assert "--wait" in cli("dags", "trigger", "--help").out


@pytest.mark.parametrize("words", [("version",), ("--version",), ("-V",)])
def test_version(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli(*words).out == f"{__version__}\n"


def test_a_wrong_noun_names_the_nearest(cli: Cli) -> None:
    said = cli("dgas", "list", code=2)
    assert said.err == "error: `tradewind` has no command 'dgas'; did you mean dags?; see `tradewind --help`\n"


def test_a_wrong_verb_names_the_nearest(cli: Cli) -> None:
    assert "did you mean trigger?" in cli("dags", "triger", code=2).err


def test_a_wrong_option_is_one_line(cli: Cli) -> None:
    said = cli("pools", "set", "etl", "many", code=2)
    assert said.err == "error: argument slots: invalid int value: 'many'; see `tradewind pools set --help`\n"


def test_old_names_still_work_and_say_the_new_one(cli: Cli) -> None:
    said = cli("db", "init")
    assert said.err == "hint: `db init` is called `db migrate` here\n"
    assert "none → " in said.out
    assert "already" in cli("db", "upgrade").out


def test_a_wrong_setting_stops_everything(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND__CORE__DAGS_FODLER", "x")
    said = cli("dags", "list", code=2)
    assert "did you mean TRADEWIND__CORE__DAGS_FOLDER?" in said.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.BadInput("x"), 2),
        (errors.NotFound("x"), 4),
        (errors.Conflict("x"), 5),
        (errors.Unavailable("x"), 6),
        (errors.AlreadyRunning("x"), 7),
        (NotImplementedError("x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    def fail(_words: list[str]) -> int:
        raise error

    monkeypatch.setattr(main_module, "_dispatch", fail)
    said = cli("dags", "list", code=code)
    assert "Traceback" not in said.err
    assert said.err == ("" if code == 130 else "error: x\n")


def test_a_bug_shows_its_traceback_and_asks_for_a_report(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_words: list[str]) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(main_module, "_dispatch", fail)
    said = cli("dags", "list", code=70)
    assert "Traceback" in said.err
    assert "please report it" in said.err


def test_a_reader_that_has_seen_enough_is_no_error(database: object, home: Path) -> None:
    shell = f"{sys.executable} -m tradewind config list | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.returncode in (0, 141)
