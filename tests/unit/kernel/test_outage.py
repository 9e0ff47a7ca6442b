"""A lasting trouble is told at its beginning and its end."""

from __future__ import annotations

import logging

import pytest

from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage


def test_it_is_told_once_each_time_it_begins_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="tradewind")
    outage = Outage(get_logger("test"), "away", "back")

    outage.over()
    for number in range(3):
        outage.met(error=f"e{number}")
        assert outage.lasts
    outage.over()
    outage.over()
    outage.met(error="again")

    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [("WARNING", "away"), ("DEBUG", "away"), ("DEBUG", "away"), ("INFO", "back"), ("WARNING", "away")]
    assert caplog.records[3].__dict__["tradewind_fields"] == {"times_met": 3}
