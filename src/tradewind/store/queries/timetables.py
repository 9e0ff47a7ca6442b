# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Timetables of authors' own: who is to be asked, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tradewind.ports.asset_rows import TimetableQuestionRow
from tradewind.store.codec import TIMETABLE_QUESTION
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

_ASK = (("dag_id", Kind.TEXT), ("asked_at", Kind.INSTANT))


@statement
def timetable_claim(d: Dialect) -> str:
    return f"""UPDATE timetable_question SET leased_by = :owner, leased_until = :until WHERE dag_id IN (
                   SELECT q.dag_id FROM timetable_question q WHERE q.asked_at IS NOT NULL
                   AND (q.leased_until IS NULL OR q.leased_until < :now)
                   ORDER BY q.asked_at LIMIT :limit {d.lock("q", skip=True)}
               ) RETURNING dag_id"""


@statement
def timetable_answer(_: Dialect) -> str:
    return """UPDATE timetable_question SET asked_at = NULL, leased_by = NULL, leased_until = NULL,
                  forecast = :forecast, answered_at = :now
              WHERE dag_id = :dag_id AND leased_by = :owner RETURNING dag_id"""


@statement
def timetable_get(_: Dialect) -> str:
    return f"SELECT {TIMETABLE_QUESTION.select('q')} FROM timetable_question q WHERE q.dag_id = :dag_id"


@statement
def timetable_forget(_: Dialect) -> str:
    return "DELETE FROM timetable_question WHERE dag_id = :dag_id"


class TimetableQueries(Work):
    """See `ports.assets.TimetableTx`."""

    def timetable_ask(self, dag_id: str, now: datetime) -> None:
        tail = """ON CONFLICT (dag_id) DO UPDATE SET asked_at = excluded.asked_at, leased_by = NULL,
                  leased_until = NULL"""
        self._session.insert("timetable_question", _ASK, [(dag_id, self._instant(now))], tail)
        self.ring("timetables")

    def timetable_claim(self, owner: str, seconds: float, limit: int) -> list[str]:
        now = self.now()
        found = self._rows(
            timetable_claim(self._dialect),
            owner=owner,
            now=self._instant(now),
            until=self._instant(now + timedelta(seconds=seconds)),
            limit=limit,
        )
        return sorted(dag_id for (dag_id,) in found)

    def timetable_answer(self, dag_id: str, owner: str, forecast: Sequence[str], now: datetime) -> bool:
        told = self._value(Kind.NAMES, tuple(forecast))
        params = {"dag_id": dag_id, "owner": owner, "forecast": told, "now": self._instant(now)}
        return bool(self._rows(timetable_answer(self._dialect), **params))

    def timetable_get(self, dag_id: str) -> TimetableQuestionRow | None:
        return self._read_one(TIMETABLE_QUESTION, timetable_get(self._dialect), dag_id=dag_id)

    def timetable_forget(self, dag_id: str) -> None:
        self._write(timetable_forget(self._dialect), dag_id=dag_id)
