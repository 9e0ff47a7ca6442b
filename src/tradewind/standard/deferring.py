"""What all operators and sensors share that can wait in the triggerer."""

from __future__ import annotations

from tradewind.sdk.configuration import conf


def default_deferrable() -> bool:
    """Whether they do so unless told otherwise (`operators.default_deferrable`)."""
    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
