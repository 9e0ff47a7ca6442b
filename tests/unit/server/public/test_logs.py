from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path

import pytest
from tests.unit.server.public.world import World, task

from tradewind.adapters.logs import BLOCK_BYTES, read_lines, tail_start, whole_lines_end
from tradewind.ports.logs import attempt_log
from tradewind.ports.rows import RunRow

LOGS = "/dags/sales/dagRuns/r01/taskInstances/extract/logs"


@pytest.fixture
def run(world: World) -> RunRow:
    world.publish("sales", task("extract"))
    return world.start(world.put_run(run_id="r01"))


def write(world: World, content: bytes, number: int = 1) -> Path:
    path = attempt_log(world.settings.logs.folder, "sales", "r01", "extract", "", number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def lines(count: int) -> bytes:
    return b"".join(b'{"t":"2026-03-01T12:00:00Z","l":"info","s":"stdout","m":"line %d"}\n' % n for n in range(count))


def test_a_log_is_given_as_json_and_as_lines(world: World, run: RunRow) -> None:
    frame = {"file": "dag.py", "line": 3, "function": "f", "text": "1 / 0"}
    trace = json.dumps(
        {
            "t": "2026-03-01T12:00:00Z",
            "l": "error",
            "s": "log",
            "n": "task",
            "m": "failed",
            "e": [{"type": "ZeroDivisionError", "message": "division by zero", "frames": [frame]}],
        }
    )
    write(world, lines(2) + trace.encode() + b"\n" + b"no json\n")
    world.finish(run)
    said = world.get(f"{LOGS}/1")
    assert said["continuation_token"] is None
    assert [each["event"] for each in said["content"]] == ["line 0", "line 1", "failed", "no json"]
    first, error = said["content"][0], said["content"][2]
    assert (first["timestamp"], first["level"], first["logger"]) == ("2026-03-01T12:00:00Z", "info", "stdout")
    assert error["error_detail"][0]["exc_type"] == "ZeroDivisionError"
    assert error["error_detail"][0]["frames"] == [{"filename": "dag.py", "lineno": 3, "name": "f", "line": "1 / 0"}]
    answer = world.ask("GET", f"{LOGS}/1", headers={"Accept": "application/x-ndjson"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.text.splitlines()] == said["content"]
    assert world.ask("GET", f"{LOGS}/1", headers={"Accept": "text/html"}).status_code == 406


def test_a_growing_log_is_followed_by_its_token(world: World, run: RunRow) -> None:
    path = write(world, lines(2) + b'{"t":"2026-')
    said = world.get(f"{LOGS}/1")
    assert len(said["content"]) == 2
    assert said["continuation_token"]
    with path.open("ab") as file:
        file.write(b'03-01T12:00:00Z","l":"info","s":"log","m":"more"}\n')
    said = world.get(f"{LOGS}/1", token=said["continuation_token"])
    assert [each["event"] for each in said["content"]] == ["more"]
    world.finish(run)
    said = world.get(f"{LOGS}/1", token=said["continuation_token"])
    assert said == {"content": [], "continuation_token": None}
    for bad in ("nonsense", "e30", "W10"):
        world.get(f"{LOGS}/1", 400, token=bad)


def test_pages_and_the_tail(world: World, run: RunRow) -> None:
    write(world, lines(1000))
    world.finish(run)
    said = world.get(f"{LOGS}/1", tail=3)
    assert [each["event"] for each in said["content"]] == ["line 997", "line 998", "line 999"]
    found: list[str] = []
    token = None
    for _ in range(1000):
        said = world.get(f"{LOGS}/1", page_bytes=10_000, **({"token": token} if token else {}))
        found += [each["event"] for each in said["content"]]
        token = said["continuation_token"]
        if token is None:
            break
    assert found == [f"line {n}" for n in range(1000)]


def test_what_is_not_there(world: World, run: RunRow) -> None:
    (line,) = world.get(f"{LOGS}/1")["content"]
    assert line["event"] == "there is no log of this try yet"
    world.get(f"{LOGS}/7", 404)
    world.get(f"{LOGS}/-1", 422)
    world.get(f"{LOGS}/1", 404, map_index=3)
    world.get("/dags/sales/dagRuns/r01/taskInstances/none/logs/1", 404)
    world.get("/dags/sales/dagRuns/..%2F..%2Fetc/taskInstances/extract/logs/1", 404)
    world.get("/dags/sales/dagRuns/r01/taskInstances/extract/externalLogUrl/1", 400)


def test_ranges_begin_and_end_with_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    content = lines(20_000)
    assert len(content) > 3 * BLOCK_BYTES
    path.write_bytes(content + b"half")
    end = whole_lines_end(path, path.stat().st_size)
    assert end == len(content)
    for count in (0, 1, 7, 4000, 20_000, 30_000):
        start = tail_start(path, end, count)
        assert content[start:] == b"".join(content.splitlines(keepends=True)[max(0, 20_000 - count) :])
    found = list(read_lines(path, 0, end))
    assert [line for line, _ in found] == content.splitlines()
    assert found[-1][1] == end


def test_the_end_of_a_long_log_is_near_and_needs_no_memory(world: World, run: RunRow) -> None:
    path = write(world, b"")
    with path.open("wb") as file:  # a sparse gigabyte before the lines: what is not read costs nothing
        file.seek(1 << 30)
        file.write(b"\n" + lines(1000))
    world.finish(run)
    world.get(f"{LOGS}/1", tail=10)
    tracemalloc.start()
    began = time.perf_counter()
    said = world.get(f"{LOGS}/1", tail=500)
    seconds = time.perf_counter() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(said["content"]) == 500
    assert seconds < 1.0
    assert peak < 16 << 20
