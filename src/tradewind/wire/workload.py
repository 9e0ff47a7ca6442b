"""What an agent is asked to do: a small signed message per attempt.

The scheduler makes it in the moment of queueing from what it holds in memory; any carrier (Unix socket, broker, pod)
takes it unchanged. It grants nothing by itself: the attempt begins only when the execution face answers the agent's
claim with `Go`.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any

import msgspec

from .deferral import Resume
from .errors import Forbidden
from .execution import XComValue
from .states import DagRunType, Isolation


class RunFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a task may know about its run without asking."""

    run_key: str
    dag_id: str
    run_id: str
    run_type: DagRunType
    run_after: datetime
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    start_date: datetime | None = None
    conf: dict[str, Any] = {}
    clear_number: int = 0
    triggering_user_name: str | None = None
    partition_key: str | None = None
    partition_date: datetime | None = None


class Workload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt of one task instance."""

    token: str
    ti_id: str
    task_id: str
    map_path: str = ""
    """Text form of the map index path (`wire.ids.path_text`)."""
    try_number: int = 1
    max_tries: int = 0
    version_id: str
    bundle: str
    bundle_version: str
    file: str
    """Path of the DAG file inside the bundle."""
    run: RunFacts
    isolation: Isolation = Isolation.FORK
    queue: str = "default"
    execution_timeout_seconds: float | None = None
    inputs: tuple[str, ...] = ()
    """Tasks whose return values come with the claim's answer."""
    owner: str = "airflow"
    grantee: str = ""
    """Incarnation of the agent to which the attempt was granted in the transaction that queued it: that agent begins at
    once and claims beside. Others, and all when it is empty, begin only when their claim is answered."""
    given: dict[str, XComValue] = {}
    """With a grant: the return values of `inputs`."""
    first_start: datetime | None = None
    """Start of the first stretch of this try (rescheduled sensor, deferred task), None before it."""
    resume: Resume | None = None
    """The task goes on after a wait; None: it begins."""


class SignedWorkload(msgspec.Struct, frozen=True):
    """A workload with the seal of the control plane (HMAC-SHA256 over the payload with the execution key)."""

    payload: bytes
    seal: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Workload)


def sign_workload(workload: Workload, key: bytes) -> SignedWorkload:
    """Encode and seal."""
    payload = _encoder.encode(workload)
    return SignedWorkload(payload, hmac.digest(key, payload, hashlib.sha256))


def open_workload(signed: SignedWorkload, key: bytes) -> Workload:
    """The workload, if the seal is ours. Raises `Forbidden` otherwise."""
    if not hmac.compare_digest(signed.seal, hmac.digest(key, signed.payload, hashlib.sha256)):
        raise Forbidden(
            "workload refused: its seal does not fit the execution key of this agent; "
            "check execution.key_file on both sides"
        )
    return _decoder.decode(signed.payload)


def agent_credential(key: bytes) -> str:
    """What an agent shows to the execution face (`Authorization: Bearer`): made from the execution key, which itself
    never travels.
    """
    return hmac.digest(key, b"tradewind agent", hashlib.sha256).hex()
