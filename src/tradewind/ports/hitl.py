"""The part of a transaction about questions to people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from .hitl_rows import HitlRow


class HitlTx(Protocol):
    """Questions and answers; that the task waits stands in its row and in its wait (`TriggerTx`)."""

    def hitl_put(self, rows: Sequence[HitlRow]) -> None: ...
    def hitl_get(self, ti_id: str, try_number: int | None = None) -> HitlRow | None:
        """What this instance asked last, or in that try."""

    def hitl_list(self, ti_ids: Iterable[str]) -> list[HitlRow]:
        """All that these instances ever asked, oldest first."""

    def hitl_list_open(self, limit: int) -> list[HitlRow]:
        """Questions without an answer, of instances that wait for it, oldest first."""

    def hitl_answer(
        self,
        token: str,
        at: datetime,
        chosen_options: Sequence[str],
        params_input: dict[str, Any],
        *,
        by: str | None = None,
        by_name: str | None = None,
    ) -> bool:
        """Write the answer; False: there is one already."""
