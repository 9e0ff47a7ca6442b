"""Liveness."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.checks.attempts import IN_HAND
from tests.simulation.checks.checker import Checker
from tests.simulation.checks.facts import why_open
from tests.simulation.checks.rules import ended_by_itself
from tests.simulation.engine_books import named

from tradewind.wire.states import LIVE_RUN_STATES, TERMINAL_STATES


class EveryRunEnds(Checker):
    """When faults and people have stopped, every run ends, or something that only a person can change holds it: a
    pool that is gone or too small, a paused DAG, a past that failed, a run slot that such a run has. A run that ended
    has nothing in hand.
    """

    def ended(self) -> Iterator[str]:
        for run in self.books.runs():
            rows = self.books.tasks(run.run_key)
            if run.state in LIVE_RUN_STATES:
                if why_open(self.world, run) is None:
                    states = {
                        f"{r.task_id}[{r.map_path}]": (r.state, r.reason)
                        for r in rows
                        if r.state not in TERMINAL_STATES
                    }
                    yield f"run {run.run_id} of {run.dag_id} never ended ({run.state}, owner {run.owner}): {states}"
                continue
            for row in rows:
                if row.state not in TERMINAL_STATES and ended_by_itself(run):
                    yield f"{named(row)}, which is {run.state}, is {row.state}"
                if row.holds_slot or row.state in IN_HAND:
                    yield f"{named(row)}, which is {run.state}, is {row.state} and holds a slot: {row.holds_slot}"
