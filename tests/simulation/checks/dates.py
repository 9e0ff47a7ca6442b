"""Scheduled dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.simulation.checks.checker import Checker
from tests.simulation.dags import START

from tradewind.ports.rows import RunRow

OVERDUE = timedelta(seconds=150)
"""Longer than all schedulers can be away one after the other."""


class DatesComplete(Checker):
    """With catch-up every date of the schedule from the first to the newest run has a run; no date ever has two; no
    scheduled run stands beside the schedule; and what was due long ago, with nothing in its way, is there.
    """

    def ended(self) -> Iterator[str]:
        for dag in self.world.dags:
            step = dag.every
            if step is None:
                continue
            runs = [run for run in self.books.runs() if run.dag_id == dag.document.dag_id]
            yield from self._one_run_each(runs)
            dates = sorted(r.logical_date for r in runs if r.run_type == "scheduled" and r.logical_date is not None)
            for date in dates:
                if (date - START) % step:
                    yield f"{dag.document.dag_id} has a scheduled run at {date}, which is not a date of its schedule"
            if dag.document.catchup:
                yield from self._no_gap(dag.document.dag_id, dates, runs, step)

    def calmed(self) -> Iterator[str]:
        now = self.world.clock.now()
        for dag in self.world.dags:
            row = self.books.data.dags.rows[dag.document.dag_id]
            live = self.books.data.runs.indexes["live_scheduled"].count(row.dag_id)
            if dag.every is None or row.is_paused or live >= row.max_active_runs:
                continue
            runs = [run for run in self.books.runs() if run.dag_id == row.dag_id]
            taken = {run.logical_date for run in runs}
            date = max((r.logical_date for r in runs if r.logical_date and r.run_type == "scheduled"), default=START)
            while date in taken:
                date += dag.every
            waits = now - max(date, self.world.people.free_since.get(row.dag_id, START))
            if waits > OVERDUE:
                yield f"{row.dag_id} has no run for {date}, and nothing was in its way for {waits}"

    def _one_run_each(self, runs: list[RunRow]) -> Iterator[str]:
        for date, count in Counter(run.logical_date for run in runs if run.logical_date is not None).items():
            if count > 1:
                yield f"{runs[0].dag_id} has {count} runs for {date}"

    def _no_gap(self, dag_id: str, dates: list[datetime], runs: list[RunRow], step: timedelta) -> Iterator[str]:
        taken = {run.logical_date for run in runs}  # a person may have taken a date before its time
        date = START
        while dates and date < dates[-1]:
            if date not in taken:
                yield f"{dag_id} left out {date}"
            date += step
