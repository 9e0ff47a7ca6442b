"""What people and exporters hear of the processor's work: log lines and events."""

from __future__ import annotations

from tradewind.commands.publication import Published
from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.kernel.telemetry import Telemetry
from tradewind.runtime.parse_words import ParseAnswer
from tradewind.wire.telemetry import DagParsed

log = get_logger("processor")

_OUTPUT_SHOWN_MAX = 1000


class Teller:
    """Tells what became of the files of one bundle."""

    def __init__(self, bundle: str, clock: Clock, telemetry: Telemetry) -> None:
        self._bundle = bundle
        self._clock = clock
        self._telemetry = telemetry
        self._notes: tuple[str, ...] = ()

    def notes(self, notes: tuple[str, ...]) -> None:
        """What was left out of a snapshot; each is told when it appears."""
        for note in notes:
            if note not in self._notes:
                log.warning("bundle_note", bundle=self._bundle, note=note)
        self._notes = notes

    def gone(self, path: str) -> None:
        log.info("dag_file_gone", bundle=self._bundle, file=path)

    def published(self, path: str, answer: ParseAnswer, outcome: Published) -> None:
        """A file was loaded, and what it gave is committed."""
        facts: dict[str, object] = {"file": path, "dags": outcome.dags, "seconds": round(answer.seconds, 3)}
        if outcome.error is not None:
            log.warning("dag_file_broken", reason=outcome.error, **facts)
        elif outcome.new_versions or outcome.freed:
            log.info("dag_file_published", new_versions=len(outcome.new_versions), gone=len(outcome.freed), **facts)
        else:
            log.debug("dag_file_unchanged", **facts)
        for text in answer.warnings:
            log.info("dag_file_warning", file=path, warning=text)
        if answer.output_bytes:
            log.info("dag_file_output", file=path, bytes=answer.output_bytes, text=answer.output[:_OUTPUT_SHOWN_MAX])
        self._telemetry.emit(
            DagParsed(
                at=self._clock.now(),
                bundle=self._bundle,
                file=path,
                dags=outcome.dags,
                versions=len(outcome.new_versions),
                duration_seconds=answer.seconds,
                error=outcome.error,
            )
        )
