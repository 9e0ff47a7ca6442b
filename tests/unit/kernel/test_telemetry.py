from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from tradewind.kernel.telemetry import OVERFLOW, HistogramValue, InProcessTelemetry, NoTelemetry, Telemetry
from tradewind.wire.telemetry import AgentLost, TelemetryEvent

LOST = AgentLost(at=datetime(2026, 1, 1, tzinfo=UTC), agent="a1", attempts=3, silent_seconds=11.0)


@pytest.fixture
def telemetry() -> InProcessTelemetry:
    return InProcessTelemetry()


def test_a_counter_counts_by_label(telemetry: InProcessTelemetry) -> None:
    queued = telemetry.counter("queued", "Queued tasks.", ("executor",))
    queued.add(executor="local")
    queued.add(3, executor="local")
    queued.add(2, executor="celery")
    assert telemetry.value("queued", executor="local") == 4
    assert telemetry.value("queued", executor="celery") == 2
    assert telemetry.value("queued", executor="other") == 0
    with pytest.raises(ValueError, match="queued cannot count -1"):
        queued.add(-1, executor="local")


def test_a_gauge_keeps_the_last_value(telemetry: InProcessTelemetry) -> None:
    runs = telemetry.gauge("runs", "Runs owned.")
    runs.set(4)
    runs.set(2)
    assert telemetry.value("runs") == 2


def test_a_histogram_sorts_into_buckets(telemetry: InProcessTelemetry) -> None:
    hop = telemetry.histogram("hop_seconds", "Between two tasks.", buckets=(1.0, 0.1))
    for value in (0.05, 0.1, 0.5, 1.0, 7.0):
        hop.observe(value)
    found = telemetry.value("hop_seconds")
    assert isinstance(found, HistogramValue)
    assert found[:3] == ((0.1, 1.0), (2, 2, 1), 5)
    assert found.sum == pytest.approx(8.65)


def test_the_same_name_is_the_same_instrument(telemetry: InProcessTelemetry) -> None:
    telemetry.counter("queued", "Queued.").add()
    telemetry.counter("queued", "Queued.").add()
    assert telemetry.value("queued") == 2
    with pytest.raises(ValueError, match="queued is a counter with labels"):
        telemetry.gauge("queued", "Queued.")
    with pytest.raises(ValueError, match="choose another name"):
        telemetry.counter("queued", "Queued.", ("executor",))


def test_wrong_names_and_labels(telemetry: InProcessTelemetry) -> None:
    with pytest.raises(ValueError, match="'Not-Snake' is not snake_case"):
        telemetry.counter("Not-Snake", "x")
    with pytest.raises(ValueError, match="has the labels"):
        telemetry.counter("queued", "x", ("executor",)).add(pool="p")


def test_series_are_bounded() -> None:
    telemetry = InProcessTelemetry(series_max=3)
    counter = telemetry.counter("runs", "x", ("run",))
    for number in range(10):
        counter.add(run=str(number))
    counter.add(run="0")
    assert telemetry.value("runs", run=OVERFLOW) == 7
    assert telemetry.value("runs", run="0") == 2
    assert len(list(telemetry.samples())) == 4


def test_samples_are_what_an_exporter_needs(telemetry: InProcessTelemetry) -> None:
    telemetry.gauge("b", "Second.").set(1)
    telemetry.counter("a", "First.", ("x",)).add(x="1")
    first, second = telemetry.samples()
    assert (first.name, first.kind, first.description, first.labels, first.value) == (
        "a",
        "counter",
        "First.",
        {"x": "1"},
        1,
    )
    assert second.name == "b"


def test_threads_lose_no_count(telemetry: InProcessTelemetry) -> None:
    counter = telemetry.counter("n", "x")

    def count() -> None:
        for _ in range(5_000):
            counter.add()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert telemetry.value("n") == 20_000


def test_subscribers_get_events_until_they_leave(
    telemetry: InProcessTelemetry, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: TelemetryEvent) -> None:
        raise OSError(f"cannot send {event}")

    got: list[TelemetryEvent] = []
    telemetry.subscribe(broken)
    leave = telemetry.subscribe(got.append)
    telemetry.emit(LOST)
    leave()
    telemetry.emit(LOST)
    assert got == [LOST]
    assert caplog.messages == ["telemetry_subscriber_failed"] * 2


def test_no_telemetry_takes_everything() -> None:
    telemetry: Telemetry = NoTelemetry()
    telemetry.counter("a", "x", ("b",)).add(b="c")
    telemetry.gauge("a", "x").set(1)
    telemetry.histogram("a", "x").observe(1)
    telemetry.emit(LOST)
