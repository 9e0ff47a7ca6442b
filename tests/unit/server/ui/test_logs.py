"""Ranges of logs."""

from __future__ import annotations

import json
from pathlib import Path

from tradewind.server.ui.logs import BLOCK_BYTES, LogReader, Places


def line(number: int, level: str = "info", **more: object) -> str:
    return json.dumps(
        {"t": "2026-11-20T10:00:00Z", "l": level, "s": "stdout", "m": f"line {number}", **more}, separators=(",", ":")
    )


def write(path: Path, count: int, *, error_at: int | None = None) -> None:
    lines = [line(n, "error", e=[{"type": "E"}]) if n == error_at else line(n) for n in range(count)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def texts(lines: list[str]) -> list[str]:
    return [json.loads(each)["m"] for each in lines]


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert LogReader().read(tmp_path / "nothing", None, 10)["there"] is False


def test_a_reader_begins_at_the_error(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, 5000, error_at=4321)
    found = LogReader().read(path, None, 100)
    assert (found["total"], found["errors"], found["open"]) == (5000, [4321], 4321)
    assert found["from"] == 4271
    assert texts(found["lines"])[50] == "line 4321"


def test_ranges_over_many_blocks(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, 60_000)
    assert path.stat().st_size > 3 * BLOCK_BYTES
    reader = LogReader()
    for start in (0, 12_345, 31_000, 59_990):
        assert texts(reader.read(path, start, 5)["lines"]) == [f"line {start + n}" for n in range(5)]
    assert texts(reader.read(path, -3, 10)["lines"]) == ["line 59997", "line 59998", "line 59999"]


def test_half_a_line_is_left_for_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, 3)
    reader = LogReader()
    with path.open("a", encoding="utf-8") as file:
        file.write(line(3)[:20])
        file.flush()
        assert reader.read(path, 0, 10)["total"] == 3
        file.write(line(3)[20:] + "\n")
    assert texts(reader.read(path, 3, 10)["lines"]) == ["line 3"]


def test_a_log_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, 100, error_at=3)
    reader = LogReader()
    assert reader.read(path, 0, 1)["total"] == 100
    write(path, 10)
    found = reader.read(path, 0, 1)
    assert (found["total"], found["errors"]) == (10, [])


def test_words_in_a_text_are_no_error(tmp_path: Path) -> None:
    path = tmp_path / "log"
    text = json.dumps(
        {"t": "2026-11-20T10:00:00Z", "l": "info", "s": "stdout", "m": 'he said "l":"error" loudly ' * 3},
        separators=(",", ":"),
    )
    path.write_text(text.replace('\\"', '"') + "\n", encoding="utf-8")
    assert LogReader().read(path, 0, 1)["errors"] == []


def test_a_line_longer_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(line(0) + "\n" + line(1, x="y" * (BLOCK_BYTES + 10)) + "\n" + line(2) + "\n", encoding="utf-8")
    found = LogReader().read(path, 2, 1)
    assert (found["total"], texts(found["lines"])) == (3, ["line 2"])


def test_search_is_without_regard_to_case(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(path, 50)
    assert LogReader().read(path, 0, 1, "LINE 4")["found"] == [4, *range(40, 50)]


def test_where_a_failure_happened_is_its_innermost_own_frame(tmp_path: Path) -> None:
    path = tmp_path / "log"
    frames = [
        {"file": "/dags/shop.py", "line": 7, "function": "run"},
        {"file": "/dags/shop.py", "line": 12, "function": "clean"},
        {"file": "/v/site-packages/pandas/core.py", "line": 900, "function": "get"},
    ]
    raised = [{"type": "KeyError", "message": "x", "frames": frames}]
    path.write_text("\n".join([line(0), line(1, "error", e=raised), line(2)]) + "\n", encoding="utf-8")
    places = Places()
    assert places.of(path) == places.of(path) == "/dags/shop.py:12 in clean"
    assert places.of(tmp_path / "nothing") is None
