from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tradewind.kernel.log import configure_logging, get_logger


@pytest.fixture(autouse=True)
def logging_put_back() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("tradewind")
    before = (root.level, ours.level, list(root.handlers))
    yield
    logging.captureWarnings(False)
    root.setLevel(before[0])
    ours.setLevel(before[1])
    root.handlers[:] = before[2]


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def stream() -> io.StringIO:
    found = io.StringIO()
    configure_logging(level="info", line_format="json", process="scheduler", stream=found)
    return found


@pytest.fixture
def console() -> io.StringIO:
    found = io.StringIO()
    configure_logging(level="info", line_format="console", process="scheduler", stream=found)
    return found


def test_an_event_with_fields(stream: io.StringIO) -> None:
    get_logger("loop", scheduler="s1").bind(run="r1").info("run_taken_over", epoch=4)
    (line,) = lines(stream)
    assert datetime.fromisoformat(str(line.pop("time"))).tzinfo is not None
    assert isinstance(line.pop("pid"), int)
    assert line == {
        "level": "info",
        "logger": "loop",
        "event": "run_taken_over",
        "process": "scheduler",
        "scheduler": "s1",
        "run": "r1",
        "epoch": 4,
    }


def test_binding_leaves_the_first_logger_alone(stream: io.StringIO) -> None:
    log = get_logger("loop")
    log.bind(run="r1")
    log.info("turn")
    assert "run" not in lines(stream)[0]


def test_levels(stream: io.StringIO) -> None:
    log = get_logger("loop")
    log.debug("unseen")
    log.warning("seen")
    logging.getLogger("library").info("unseen")
    logging.getLogger("library").warning("library line %d", 7)
    assert [(line["logger"], line["event"]) for line in lines(stream)] == [
        ("loop", "seen"),
        ("library", "library line 7"),
    ]


def test_an_error_has_its_traceback(stream: io.StringIO) -> None:
    try:
        raise OSError("disk full")
    except OSError as error:
        get_logger("loop").error("turn_failed", error=error, run="r1")
    (line,) = lines(stream)
    assert str(line["exception"]).startswith("Traceback")
    assert "OSError: disk full" in str(line["exception"])
    assert line["run"] == "r1"


def test_values_that_json_does_not_know(stream: io.StringIO) -> None:
    get_logger("loop").info(
        "odd", at=datetime(2026, 1, 1, tzinfo=UTC), topics=frozenset({"b", "a"}), thing=ValueError("x")
    )
    (line,) = lines(stream)
    assert (line["at"], line["topics"], line["thing"]) == ("2026-01-01T00:00:00+00:00", "a, b", "x")


def test_fields_do_not_replace_what_every_line_has(stream: io.StringIO) -> None:
    get_logger("loop").info("turn", level="x", time="y", pid=0)
    (line,) = lines(stream)
    assert (line["level"], line["level_"], line["time_"], line["pid_"]) == ("info", "x", "y", 0)


def test_fields_that_sound_secret_are_masked(stream: io.StringIO) -> None:
    get_logger("loop").info(
        "attempt", attempt_token="abc", Password="abc", client_secret="abc", token_seconds=60, token=""
    )
    (line,) = lines(stream)
    assert "abc" not in stream.getvalue()
    assert (line["attempt_token"], line["token_seconds"], line["token"]) == ("***", 60, "")


def test_a_line_stays_one_line(stream: io.StringIO) -> None:
    get_logger("loop").info("turn", text="two\nlines")
    assert lines(stream)[0]["text"] == "two\nlines"


def test_for_a_persons_eyes(console: io.StringIO) -> None:
    get_logger("loop").info("run_taken_over", run="r 1", owner="s1", note="two\nlines", empty="")
    line = console.getvalue()
    assert line.endswith('info    loop       run_taken_over  run="r 1" owner=s1 note="two\\nlines" empty=""\n')
    assert "\x1b" not in line


def test_library_lines_cannot_forge_lines(console: io.StringIO) -> None:
    logging.getLogger("library").warning("GET /\n12:00:00 error forged")
    assert len(console.getvalue().splitlines()) == 1


def test_a_terminal_gets_colours() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure_logging(level="info", line_format="console", process="x", stream=stream)
    get_logger("loop").error("bad")
    assert "\x1b[31merror" in stream.getvalue()


def test_the_last_configuration_holds(stream: io.StringIO) -> None:
    second = io.StringIO()
    configure_logging(level="debug", line_format="json", process="agent", stream=second)
    get_logger("loop").debug("turn")
    assert stream.getvalue() == ""
    assert [line["process"] for line in lines(second)] == ["agent"]


def test_warnings_become_lines(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(True)
        warnings.warn("old name", DeprecationWarning, stacklevel=1)
    assert "old name" in stream.getvalue()


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="'loud'; use one of debug, info"):
        configure_logging(level="loud", line_format="json", process="x")
    with pytest.raises(ValueError, match="'xml'; use console or json"):
        configure_logging(level="info", line_format="xml", process="x")
