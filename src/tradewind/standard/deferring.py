"""What all operators and sensors share that can wait in the triggerer."""

from __future__ import annotations

from tradewind.sdk.attempt import attempt_at_hand
from tradewind.sdk.configuration import conf


def default_deferrable() -> bool:
    """Whether they do so unless told otherwise (`operators.default_deferrable`)."""
    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def pause_here(seconds: float) -> None:
    """Wait inside the running attempt."""
    attempt = attempt_at_hand()
    if attempt is not None:
        attempt.pause(seconds)
