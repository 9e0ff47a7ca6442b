"""Notifiers that come in the box: e-mail, Slack, any webhook, and whatever Apprise reaches. Loaded when first used.

Each is a callback: `on_failure_callback=SmtpNotifier(to="me@example.org")`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .apprise import AppriseNotifier
    from .slack import SlackWebhookNotifier
    from .smtp import SmtpNotifier
    from .webhook import WebhookNotifier

_MODULES = {
    "AppriseNotifier": "apprise",
    "SlackWebhookNotifier": "slack",
    "SmtpNotifier": "smtp",
    "WebhookNotifier": "webhook",
}

__all__ = ["AppriseNotifier", "SlackWebhookNotifier", "SmtpNotifier", "WebhookNotifier"]


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
