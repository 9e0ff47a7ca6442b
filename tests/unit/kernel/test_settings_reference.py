from __future__ import annotations

from pathlib import Path

import pytest

from tradewind.kernel.settings import OPTIONS
from tradewind.kernel.settings_reference import PAGE, main, render

REPOSITORY = Path(__file__).parents[3]


def test_the_page_in_the_repository_is_current() -> None:
    assert (REPOSITORY / PAGE).read_text(encoding="utf-8") == render(), (
        "write it with: python -m tradewind.kernel.settings_reference"
    )


def test_every_setting_is_on_the_page_and_no_machines_path() -> None:
    page = render()
    for name, option in OPTIONS.items():
        assert f"| `{name}` |" in page
        assert option.description in page
    assert str(Path.home()) not in page


def test_write_then_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "configuration.md"
    assert main(["--check", str(page)]) == 1
    assert "is missing; write it with" in capsys.readouterr().err
    assert main([str(page)]) == 0
    assert main(["--check", str(page)]) == 0
    page.write_text(page.read_text() + "more\n")
    assert main(["--check", str(page)]) == 1
    assert "differs" in capsys.readouterr().err
    assert page.read_text().endswith("more\n")


def test_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chekc"]) == 2
    assert "usage:" in capsys.readouterr().err
    assert main([str(tmp_path / "missing" / "page.md")]) == 1
    assert "is not a folder" in capsys.readouterr().err
