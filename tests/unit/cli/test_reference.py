"""The page of the command line shows every command, and says when it is out of date."""

from __future__ import annotations

from pathlib import Path

from tradewind.cli import reference
from tradewind.cli.main import NOUNS


def test_every_noun_and_verb_has_its_heading_and_a_sentence():
    page = reference.page()
    for name in NOUNS:
        noun = reference._load(name)
        assert f"\n## {name}\n" in page
        for verb in noun.verbs.values():
            assert f"\n### {name} {verb.name}\n\n{verb.help.splitlines()[0]}" in page


def test_a_value_with_choices_does_not_break_the_table():
    page = reference.page()
    rows = [line for line in page.splitlines() if line.startswith("| `-o`")]
    assert rows
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)


def test_check_says_whether_the_page_is_current(tmp_path: Path, capsys):
    page = tmp_path / "cli.md"
    assert reference.main(["--check", "--page", str(page)]) == 1
    assert reference.COMMAND in capsys.readouterr().err
    assert reference.main(["--page", str(page)]) == 0
    assert reference.main(["--check", "--page", str(page)]) == 0
    page.write_text("old")
    assert reference.main(["--check", "--page", str(page)]) == 1
