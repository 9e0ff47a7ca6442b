"""Ignore files: globs as in .gitignore, regular expressions as Airflow reads them."""

from __future__ import annotations

import pytest

from tradewind.processor.ignore import IgnoreRules


@pytest.mark.parametrize(
    ("texts", "path", "ignored"),
    [
        ({}, "a.py", False),
        ({".airflowignore": "a.py"}, "a.py", True),
        ({".airflowignore": "a.py"}, "deep/down/a.py", True),
        ({".airflowignore": "/a.py"}, "deep/a.py", False),
        ({".tradewindignore": "*.bak.py"}, "deep/x.bak.py", True),
        ({".airflowignore": "tests/"}, "tests/a.py", True),
        ({".airflowignore": "tests/"}, "tests.py", False),
        ({".airflowignore": "**/old/*"}, "x/old/a.py", True),
        ({".airflowignore": "# a.py"}, "a.py", False),
        ({".airflowignore": "*.py\n!keep.py"}, "keep.py", False),
        ({".airflowignore": "dir/\n!dir/keep.py"}, "dir/keep.py", True),
        ({"team/.airflowignore": "a.py"}, "team/x/a.py", True),
        ({"team/.airflowignore": "a.py"}, "other/a.py", False),
        ({".airflowignore": "a.py", "team/.airflowignore": "!a.py"}, "team/a.py", False),
        ({".airflowignore": "!a.py", ".tradewindignore": "a.py"}, "a.py", True),
        ({".airflowignore": "packed.zip/inner.py"}, "packed.zip/inner.py", True),
    ],
)
def test_globs(texts: dict[str, str], path: str, ignored: bool) -> None:
    assert IgnoreRules(texts, "glob").ignores(path) is ignored


@pytest.mark.parametrize(
    ("texts", "path", "ignored"),
    [
        ({".airflowignore": "project_a"}, "some_project_a_file.py", True),
        ({".airflowignore": "tenant_[\\d]"}, "tenant_1/a.py", True),
        ({".airflowignore": "^a"}, "b/a.py", False),
        ({"b/.airflowignore": "^a"}, "b/a.py", True),
        ({".airflowignore": "a.*b  # a comment"}, "axxb.py", True),
        ({".airflowignore": "# only a comment\n\n"}, "only.py", False),
        ({".airflowignore": "folder$"}, "my_folder/a.py", True),
    ],
)
def test_regular_expressions(texts: dict[str, str], path: str, ignored: bool) -> None:
    assert IgnoreRules(texts, "regexp").ignores(path) is ignored


def test_a_wrong_line_is_told_and_the_others_hold() -> None:
    rules = IgnoreRules({".airflowignore": "(\ngood"}, "regexp")
    assert rules.ignores("good.py")
    (note,) = rules.notes
    assert ".airflowignore" in note
    assert "'('" in note
