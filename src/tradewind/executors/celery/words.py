"""The words between executor and worker: names, messages, and the Celery application both make."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from celery import Celery

from tradewind.wire.errors import Forbidden
from tradewind.wire.workload import SignedWorkload

ATTEMPT_TASK = "tradewind.attempt"
"""Celery task that runs one attempt. Arguments: payload, seal, where to tell that it was not begun, and why it must not
begin (or None)."""
CANCEL_COMMAND = "tradewind_cancel"
KNOWN_COMMAND = "tradewind_known"
_REDIS_OPTIONS = {"socket_timeout": 3.0, "socket_connect_timeout": 5.0, "socket_keepalive": True}
RETURNS_PREFIX = "tradewind.returned."


def make_app(broker_url: str, **settings: Any) -> Celery:
    """The Celery application. No results are kept: outcomes go to the API server.

    Parameters:
        broker_url: `redis://…` or `amqp://…`.
        settings: further configuration of Celery.
    """
    app = Celery("tradewind", broker=broker_url, set_as_current=False, loader="app")
    app.conf.update(
        {
            "accept_content": ["json"],
            "task_serializer": "json",
            "task_ignore_result": True,
            "task_default_queue": "default",
            "task_create_missing_queues": True,
            "task_acks_late": False,
            "worker_prefetch_multiplier": 1,
            "worker_hijack_root_logger": False,
            "worker_enable_remote_control": True,
            "worker_send_task_events": False,
            "broker_connection_retry_on_startup": True,
            "broker_connection_max_retries": None,
            "enable_utc": True,
            # A read that hears nothing for so long begins anew: else a worker may wait for ever when it is to leave.
            "broker_transport_options": _REDIS_OPTIONS if broker_url.startswith("redis") else {},
            **settings,
        }
    )
    return app


def pack(signed: SignedWorkload) -> tuple[str, str]:
    """A sealed workload as two texts."""
    return base64.b64encode(signed.payload).decode(), base64.b64encode(signed.seal).decode()


def unpack(payload: str, seal: str) -> SignedWorkload:
    """The sealed workload. Raises `ValueError`."""
    return SignedWorkload(base64.b64decode(payload, validate=True), base64.b64decode(seal, validate=True))


def sealed_cancel(tokens: Sequence[str], reason: str, key: bytes) -> dict[str, str]:
    """Arguments of `CANCEL_COMMAND`: whoever can write to the broker cannot end attempts by that alone."""
    said = json.dumps({"tokens": list(tokens), "reason": reason})
    return {"said": said, "seal": _seal(said, key)}


def open_cancel(said: str, seal: str, key: bytes) -> tuple[list[str], str]:
    """Tokens and reason. Raises `Forbidden` for a seal that is not ours."""
    if not hmac.compare_digest(seal, _seal(said, key)):
        raise Forbidden("a cancellation came with a seal that does not fit the execution key; see execution.key_file")
    order = json.loads(said)
    return list(order["tokens"]), str(order["reason"])


def _seal(said: str, key: bytes) -> str:
    return hmac.digest(key, b"cancel:" + said.encode(), hashlib.sha256).hex()
