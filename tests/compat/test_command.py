"""The command `airflow`: every command of the incumbent is mapped or refused with the way out."""

import importlib

import pytest

from airflow import _command
from airflow._cfg import fates
from tradewind.cli.main import ALIASES, NOUNS


@pytest.mark.parametrize("name", sorted(_command.COMMANDS))
def test_each_command_leads_to_one_that_exists(name, capsys):
    ours = _command.COMMANDS[name]
    if ours.startswith("!"):
        assert len(ours) > 10
        return
    words = tuple((name if ours == _command.SAME else ours).split())
    if words == ("help",):
        return
    words = ALIASES.get(words, words)
    noun = importlib.import_module(f"tradewind.cli.{NOUNS[words[0]][0]}").NOUNS[words[0]]
    assert noun.single is not None if len(words) == 1 else words[1] in noun.verbs, words


def test_options_go_by_our_names():
    assert _command.translated(["dags", "trigger", "x", "-e", "2024-01-01", "-v"]) == [
        "dags", "trigger", "x", "--logical-date", "2024-01-01",
    ]  # fmt: skip
    assert _command.translated(["dags", "list-runs", "-d", "x"]) == ["runs", "list", "x"]
    assert _command.translated(["webserver", "-p", "8081"]) == ["api-server", "--port", "8081"]


def test_what_has_no_counterpart_says_what_to_do(capsys):
    assert _command.main(["db", "downgrade"]) == 2
    assert "bring back a copy" in capsys.readouterr().err


def test_options_of_a_configuration_file_are_told_one_by_one(tmp_path):
    path = tmp_path / "airflow.cfg"
    path.write_text("[core]\nparallelism = 8\n[webserver]\nrbac = True\n[aws]\nsession_factory = a.b\n")
    found = {(one.section, one.option): one.outcome for one in fates(path)}
    assert found == {
        ("core", "parallelism"): "translated",
        ("webserver", "rbac"): "none",
        ("aws", "session_factory"): "taken",
    }
