"""Questions to people and their answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class HitlRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one try of a task asked a person, and the answer; kept as history with the run."""

    token: str
    """Of the attempt that asked."""
    ti_id: str
    run_key: str
    dag_id: str
    run_id: str
    task_id: str
    map_path: str = ""
    try_number: int = 1
    subject: str
    options: tuple[str, ...] = ()
    body: str | None = None
    has_defaults: bool = False
    defaults: tuple[str, ...] = ()
    multiple: bool = False
    params: dict[str, Any] = {}
    assigned_users: dict[str, Any] = {}
    """id → name of those who may answer; empty: everybody who may."""
    created_at: datetime
    due_at: datetime | None = None
    responded_at: datetime | None = None
    responded_by: str | None = None
    """Id of who answered; None with an answer: nobody did in time, the defaults were taken."""
    responded_by_name: str | None = None
    chosen_options: tuple[str, ...] = ()
    params_input: dict[str, Any] = {}
