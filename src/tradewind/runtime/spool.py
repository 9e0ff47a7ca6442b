"""Reports that could not be delivered yet, kept on disk so that they survive the agent: one file per attempt."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from tradewind.kernel.log import get_logger
from tradewind.wire.execution import Report

_SUFFIX = ".report"
_log = get_logger("agent")
_decoder = msgspec.msgpack.Decoder(Report)


class ReportSpool:
    """Files of one agent.

    Parameters:
        folder: of this agent alone; made when first needed.
        bytes_max: reports beyond are not kept (agent.spool_bytes_max); they are still delivered while the agent lives.
    """

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._sizes: dict[str, int] = {}

    def load(self) -> list[Report]:
        """What an earlier agent of this name left. Files that are no reports are removed and told."""
        reports = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                raw = path.read_bytes()
                report = _decoder.decode(raw)
            except msgspec.DecodeError as error:
                _log.error("spooled_report_unreadable", path=str(path), reason=str(error))
                path.unlink(missing_ok=True)
                continue
            self._sizes[report.token] = len(raw)
            reports.append(report)
        return reports

    def keep(self, report: Report) -> None:
        """Write a report, once."""
        if report.token in self._sizes:
            return
        raw = msgspec.msgpack.encode(report)
        if sum(self._sizes.values()) + len(raw) > self._bytes_max:
            _log.error("report_not_spooled", reason="agent.spool_bytes_max is reached", bytes=len(raw))
            return
        path = self._path(report.token)
        draft = path.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(raw)
            draft.rename(path)
        except OSError as error:
            # It stays in memory and is presented again; only a crash of the agent would lose it.
            _log.error("report_not_spooled", path=str(path), reason=str(error))
            return
        self._sizes[report.token] = len(raw)

    def forget(self, token: str) -> None:
        """The report has been taken."""
        if self._sizes.pop(token, None) is not None:
            try:
                os.unlink(self._path(token))
            except OSError as error:
                _log.warning("spooled_report_not_removed", reason=str(error))

    def _path(self, token: str) -> Path:
        # A token is a credential: it does not stand in a file name.
        return self._folder / (hashlib.sha256(token.encode()).hexdigest()[:32] + _SUFFIX)
