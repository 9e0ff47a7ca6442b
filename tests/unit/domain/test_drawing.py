"""The page of states comes from the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradewind.domain import drawing
from tradewind.domain.run_state import RUN_CHANGES
from tradewind.domain.task_state import TASK_CHANGES


def test_every_change_is_on_the_page() -> None:
    page = drawing.page()
    for name in (*TASK_CHANGES, *RUN_CHANGES):
        assert f"| {name} |" in page
    assert "no_status --> scheduled: schedule" in page


def test_check_says_whether_the_page_is_current(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "internals" / "states.md"
    assert drawing.main(["--check", "--page", str(page)]) == 1
    assert "run `python -m tradewind.domain.drawing`" in capsys.readouterr().err
    assert drawing.main(["--page", str(page)]) == 0
    assert drawing.main(["--check", "--page", str(page)]) == 0
    page.write_text("old")
    assert drawing.main(["--check", "--page", str(page)]) == 1
