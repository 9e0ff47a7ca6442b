"""Crons in words."""

from __future__ import annotations

import pytest

from tradewind.domain.timetables.cron_text import parse_cron
from tradewind.domain.timetables.describe import describe_cron


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@daily", "At 00:00"),
        ("@hourly", "Every hour"),
        ("@weekly", "At 00:00, on Sunday"),
        ("@quarterly", "At 00:00, on day 1 of the month, in January, April, July and October"),
        ("* * * * *", "Every minute"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("5/10 * * * *", "Every 10 minutes from minute 5"),
        ("0 */2 * * *", "Every 2 hours"),
        ("1-5 * * * *", "At minute 1 to 5"),
        ("0 9-17 * * mon-fri", "At hour 9 to 17, on Monday to Friday"),
        ("*/5 9-17 * * *", "Every 5 minutes, between 09:00 and 17:59"),
        ("*/5 3,9 * * *", "Every 5 minutes, in hour 3 and 9"),
        ("30 21 * * 5", "At 21:30, on Friday"),
        ("0 0 1,15 * 1", "At 00:00, on day 1 and 15 of the month or on Monday"),
        ("0 0 1 * */1", "At 00:00, on day 1 of the month or on any weekday"),
        ("0 0 L * *", "At 00:00, on the last day of the month"),
        ("0 0 * * 5#3", "At 00:00, on the third Friday of the month"),
        ("0 12 15W * *", "At 12:00, on the weekday nearest day 15 of the month"),
        ("* * * * * */10", "Every 10 seconds"),
        ("* * * * * *", "Every second"),
        ("30 4 * * * 15", "At 04:30:15"),
        ("5 * * * * */30", "Every 30 seconds, at minute 5"),
    ],
)
def test_sentences(text: str, words: str) -> None:
    assert describe_cron(parse_cron(text)) == words
