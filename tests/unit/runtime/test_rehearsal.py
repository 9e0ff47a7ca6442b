"""Attempts played in the zygote leave nothing behind."""

from __future__ import annotations

import logging
import os
import signal
import sys

from tradewind.runtime.rehearsal import rehearse_attempts


def test_played_attempts_end_with_a_verdict_and_leave_nothing_behind() -> None:
    root = logging.getLogger()

    def look() -> tuple[object, ...]:
        streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
        return streams, root.handlers[:], root.level, signal.getsignal(signal.SIGTERM), dict(os.environ)

    before = look()
    assert rehearse_attempts(3) == 3
    assert look() == before
