"""What services measure: counters, gauges, histograms, and events. A port; exporters are adapters.

A service is given a `Telemetry`, declares its instruments once, and uses them from any thread:

    self._queued = telemetry.counter("task_instances_queued", "Task instances handed to an executor.", ("executor",))
    self._queued.add(3, executor="local")
    telemetry.emit(TaskInstanceQueued(...))

The events are listed in wire/telemetry. `NoTelemetry` forgets everything; `InProcessTelemetry` keeps what an exporter
or a test reads.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from tradewind.kernel.log import get_logger

if TYPE_CHECKING:  # msgspec is heavy, and whoever emits has it already
    from tradewind.wire.telemetry import TelemetryEvent

DEFAULT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds in seconds, from what a hop between tasks may take to a slow parse."""
SERIES_MAX = 1000
OVERFLOW = "(other)"
"""Label value under which series above the bound are counted together."""

Kind = Literal["counter", "gauge", "histogram"]
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Counter(Protocol):
    def add(self, amount: float = 1.0, /, **labels: str) -> None:
        """Count `amount`, zero or more."""
        ...


class Gauge(Protocol):
    def set(self, value: float, /, **labels: str) -> None:
        """The present value."""
        ...


class Histogram(Protocol):
    def observe(self, value: float, /, **labels: str) -> None:
        """One more observation; durations in seconds."""
        ...


class Telemetry(Protocol):
    """Makes instruments and takes events. Asking again for a name gives the same instrument. Safe between threads.

    The makers raise ValueError for a name that is not snake_case or is taken by another kind or with other labels.
    """

    def counter(self, name: str, description: str, labels: Sequence[str] = ()) -> Counter: ...

    def gauge(self, name: str, description: str, labels: Sequence[str] = ()) -> Gauge: ...

    def histogram(
        self, name: str, description: str, labels: Sequence[str] = (), buckets: Sequence[float] = DEFAULT_BUCKETS
    ) -> Histogram: ...

    def emit(self, event: TelemetryEvent) -> None:
        """Hand one event (a class of wire/telemetry) to whoever subscribed. Never raises because of a subscriber."""
        ...


class _Nothing:
    def add(self, amount: float = 1.0, /, **labels: str) -> None: ...

    def set(self, value: float, /, **labels: str) -> None: ...

    def observe(self, value: float, /, **labels: str) -> None: ...


_nothing = _Nothing()


class NoTelemetry:
    """Measures nothing."""

    def counter(self, name: str, description: str, labels: Sequence[str] = ()) -> Counter:  # noqa: ARG002
        return _nothing

    def gauge(self, name: str, description: str, labels: Sequence[str] = ()) -> Gauge:  # noqa: ARG002
        return _nothing

    def histogram(
        self,
        name: str,  # noqa: ARG002
        description: str,  # noqa: ARG002
        labels: Sequence[str] = (),  # noqa: ARG002
        buckets: Sequence[float] = DEFAULT_BUCKETS,  # noqa: ARG002
    ) -> Histogram:
        return _nothing

    def emit(self, event: TelemetryEvent) -> None: ...


class HistogramValue(NamedTuple):
    """A histogram at one moment. `counts[i]` observations were at most `buckets[i]` and above the bucket before; the
    last count is what exceeded them all."""

    buckets: tuple[float, ...]
    counts: tuple[int, ...]
    total: int
    sum: float


class Sample(NamedTuple):
    """One series at one moment."""

    name: str
    kind: Kind
    description: str
    labels: dict[str, str]
    value: float | HistogramValue


class InProcessTelemetry:
    """Keeps all measurements in memory, and calls subscribers in the thread that emits.

    Parameters:
        series_max: label combinations kept per instrument (setting telemetry.series_max); further ones are counted
            together under `OVERFLOW`, so that an id used as a label cannot eat the memory.
    """

    def __init__(self, series_max: int = SERIES_MAX) -> None:
        self._series_max = series_max
        self._lock = threading.Lock()
        self._instruments: dict[str, _Instrument] = {}
        self._subscribers: tuple[Callable[[TelemetryEvent], None], ...] = ()
        self._log = get_logger("telemetry")

    def counter(self, name: str, description: str, labels: Sequence[str] = ()) -> Counter:
        return self._instrument("counter", name, description, labels, ())

    def gauge(self, name: str, description: str, labels: Sequence[str] = ()) -> Gauge:
        return self._instrument("gauge", name, description, labels, ())

    def histogram(
        self, name: str, description: str, labels: Sequence[str] = (), buckets: Sequence[float] = DEFAULT_BUCKETS
    ) -> Histogram:
        return self._instrument("histogram", name, description, labels, tuple(sorted(buckets)))

    def emit(self, event: TelemetryEvent) -> None:
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception as error:  # who watches must not stop who works
                self._log.error("telemetry_subscriber_failed", error=error, subject=type(event).__name__)

    def subscribe(self, handler: Callable[[TelemetryEvent], None]) -> Callable[[], None]:
        """Call `handler` with every event from now on; returns what ends it."""
        with self._lock:
            self._subscribers = (*self._subscribers, handler)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(known for known in self._subscribers if known is not handler)

        return unsubscribe

    def samples(self) -> Iterator[Sample]:
        """Every series of every instrument, by name."""
        with self._lock:
            instruments = sorted(self._instruments.items())
        for _, instrument in instruments:
            yield from instrument.samples()

    def value(self, name: str, **labels: str) -> float | HistogramValue:
        """One series; 0 for a counter or gauge that has not been used.

        Raises:
            KeyError: no instrument of this name was declared.
        """
        found = [sample.value for sample in self._instruments[name].samples() if sample.labels == labels]
        return found[0] if found else 0.0

    def _instrument(
        self, kind: Kind, name: str, description: str, labels: Sequence[str], buckets: tuple[float, ...]
    ) -> _Instrument:
        if not _NAME.fullmatch(name):
            raise ValueError(f"the metric name {name!r} is not snake_case")
        with self._lock:
            known = self._instruments.get(name)
            if known is None:
                known = _Instrument(kind, name, description, tuple(labels), buckets, self._series_max)
                self._instruments[name] = known
            if (known.kind, known.labels) != (kind, tuple(labels)):
                raise ValueError(
                    f"the metric {name} is a {known.kind} with labels {known.labels}, it cannot also be a {kind} "
                    f"with labels {tuple(labels)}; choose another name"
                )
            return known


class _Instrument:
    """One metric with all its series; `kind` tells which of the three verbs is used."""

    def __init__(
        self,
        kind: Kind,
        name: str,
        description: str,
        labels: tuple[str, ...],
        buckets: tuple[float, ...],
        series_max: int,
    ) -> None:
        self.kind = kind
        self.labels = labels
        self._name = name
        self._description = description
        self._buckets = buckets
        self._series_max = series_max
        self._lock = threading.Lock()
        self._values: dict[tuple[str, ...], float] = {}
        self._counts: dict[tuple[str, ...], list[int]] = {}

    def add(self, amount: float = 1.0, /, **labels: str) -> None:
        if amount < 0:
            raise ValueError(f"the counter {self._name} cannot count {amount!r}; a value that falls is a gauge")
        with self._lock:
            key = self._key(labels)
            self._values[key] = self._values.get(key, 0.0) + amount

    def set(self, value: float, /, **labels: str) -> None:
        with self._lock:
            self._values[self._key(labels)] = value

    def observe(self, value: float, /, **labels: str) -> None:
        with self._lock:
            key = self._key(labels)
            counts = self._counts.setdefault(key, [0] * (len(self._buckets) + 1))
            counts[bisect_left(self._buckets, value)] += 1
            self._values[key] = self._values.get(key, 0.0) + value

    def samples(self) -> list[Sample]:
        with self._lock:
            return [
                Sample(
                    self._name,
                    self.kind,
                    self._description,
                    dict(zip(self.labels, key, strict=True)),
                    self._histogram(key) if self.kind == "histogram" else value,
                )
                for key, value in self._values.items()
            ]

    def _histogram(self, key: tuple[str, ...]) -> HistogramValue:
        counts = tuple(self._counts[key])
        return HistogramValue(self._buckets, counts, sum(counts), self._values[key])

    def _key(self, labels: dict[str, str]) -> tuple[str, ...]:
        if labels.keys() != set(self.labels):
            raise ValueError(f"the metric {self._name} has the labels {self.labels}, not {tuple(labels)}")
        key = tuple(labels[name] for name in self.labels)
        if key not in self._values and len(self._values) >= self._series_max:
            return (OVERFLOW,) * len(self.labels)
        return key
