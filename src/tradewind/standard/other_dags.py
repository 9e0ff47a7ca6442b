"""What triggers and sensors see of other DAGs: how many of some runs or task instances are in some states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradewind.sdk.attempt import Attempt, attempt_at_hand
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.triggers import BaseTrigger, TriggerEvent
from tradewind.wire.execution import Count, CountRuns, DagFacts, GetDag, GetRunState, GetStates, States, Text


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Runs of another DAG, or some of their tasks.

    Parameters:
        dag_id: the DAG.
        dates, run_ids: which runs.
        task_ids, group_id: which tasks of them; neither: the runs themselves.
    """

    dag_id: str
    dates: tuple[datetime, ...] = ()
    run_ids: tuple[str, ...] = ()
    task_ids: tuple[str, ...] = ()
    group_id: str | None = None

    def count(self, states: Collection[str]) -> float:
        """How many of the runs (with their tasks, counted in shares) are in one of `states`."""
        if not states:
            return 0
        attempt = _attempt()
        if not self.task_ids and self.group_id is None:
            reply = attempt.client.ask(
                CountRuns(
                    token=attempt.token,
                    dag_id=self.dag_id,
                    logical_dates=self.dates or None,
                    run_ids=self.run_ids or None,
                    states=tuple(sorted(states)),
                )
            )
            assert isinstance(reply, Count)
            return reply.value
        found = [list(tasks.values()) for tasks in self._states(attempt).values() if tasks]
        if self.group_id is not None:
            # A group counts as a whole: when all its tasks are there.
            return sum(all(state in states for state in tasks) for tasks in found)
        there = sum(state in states for tasks in found for state in tasks)
        return there / max(len(self.task_ids), sum(map(len, found)) / max(len(found), 1))

    def any_in(self, states: Collection[str]) -> bool:
        """Whether anything of it is in one of `states`."""
        if self.group_id is None:
            return self.count(states) > 0
        return any(state in states for tasks in self._states(_attempt()).values() for state in tasks.values())

    def _states(self, attempt: Attempt) -> dict[str, dict[str, str | None]]:
        reply = attempt.client.ask(
            GetStates(
                token=attempt.token,
                dag_id=self.dag_id,
                logical_dates=self.dates,
                run_ids=self.run_ids,
                task_ids=self.task_ids or None,
                group_id=self.group_id,
            )
        )
        assert isinstance(reply, States)
        return reply.states


def dag_facts(dag_id: str) -> DagFacts:
    """What is known of a DAG."""
    attempt = _attempt()
    reply = attempt.client.ask(GetDag(attempt.token, dag_id))
    assert isinstance(reply, DagFacts)
    return reply


def run_state(dag_id: str, run_id: str) -> str:
    """State of a run. Raises `NotFound`."""
    attempt = _attempt()
    reply = attempt.client.ask(GetRunState(attempt.token, dag_id, run_id))
    assert isinstance(reply, Text)
    return reply.value or ""


def _attempt() -> Attempt:
    attempt = attempt_at_hand()
    if attempt is None:
        raise AirflowException("other DAGs can be asked about only by a task or trigger that runs")
    return attempt


class DagStateTrigger(BaseTrigger):
    """Wait until runs of a DAG are in one of some states; the payload says which run is in which.

    Parameters:
        dag_id: the DAG.
        states: to wait for.
        run_ids, logical_dates: which runs.
        poll_interval: seconds between two looks.
    """

    def __init__(
        self,
        dag_id: str,
        states: Sequence[str],
        logical_dates: Sequence[datetime] | None = None,
        run_ids: Sequence[str] | None = None,
        poll_interval: float = 5.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dag_id = dag_id
        self.states = [str(state) for state in states]
        self.logical_dates = list(logical_dates or ())
        self.run_ids = list(run_ids or ())
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "tradewind.standard.other_dags.DagStateTrigger",
            {
                "dag_id": self.dag_id,
                "states": self.states,
                "logical_dates": self.logical_dates,
                "run_ids": self.run_ids,
                "poll_interval": self.poll_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        runs = Elsewhere(self.dag_id, tuple(self.logical_dates), tuple(self.run_ids))
        wanted = len(self.run_ids or self.logical_dates)
        while await asyncio.to_thread(runs.count, self.states) < wanted:
            await asyncio.sleep(self.poll_interval)
        found = {run_id: await asyncio.to_thread(run_state, self.dag_id, run_id) for run_id in self.run_ids}
        yield TriggerEvent({"dag_id": self.dag_id, "run_ids": self.run_ids, "states": found})


class WorkflowTrigger(BaseTrigger):
    """Wait for a DAG, or tasks of it, at some logical dates; the payload's `status` is success, failed or skipped.

    Parameters:
        external_dag_id: the DAG.
        logical_dates, run_ids: which runs.
        external_task_ids, external_task_group_id: which of its tasks; neither: the runs.
        allowed_states, failed_states, skipped_states: what ends the wait, and how.
        poke_interval: seconds between two looks.
    """

    def __init__(
        self,
        external_dag_id: str,
        run_ids: Sequence[str] | None = None,
        logical_dates: Sequence[datetime] | None = None,
        external_task_ids: Sequence[str] | None = None,
        external_task_group_id: str | None = None,
        failed_states: Sequence[str] | None = None,
        skipped_states: Sequence[str] | None = None,
        allowed_states: Sequence[str] | None = None,
        poke_interval: float = 2.0,
        soft_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.external_dag_id = external_dag_id
        self.run_ids = list(run_ids or ())
        self.logical_dates = list(logical_dates or ())
        self.external_task_ids = list(external_task_ids or ())
        self.external_task_group_id = external_task_group_id
        self.failed_states = [str(state) for state in failed_states or ()]
        self.skipped_states = [str(state) for state in skipped_states or ()]
        self.allowed_states = [str(state) for state in allowed_states or ("success",)]
        self.poke_interval = poke_interval
        self.soft_fail = soft_fail

    def serialize(self) -> tuple[str, dict[str, Any]]:
        names = (
            "external_dag_id", "run_ids", "logical_dates", "external_task_ids", "external_task_group_id",
            "failed_states", "skipped_states", "allowed_states", "poke_interval", "soft_fail",
        )  # fmt: skip
        return "tradewind.standard.other_dags.WorkflowTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        watched = Elsewhere(
            self.external_dag_id,
            tuple(self.logical_dates),
            tuple(self.run_ids),
            tuple(self.external_task_ids),
            self.external_task_group_id,
        )
        wanted = len(self.run_ids or self.logical_dates)
        while True:
            status = await asyncio.to_thread(self._look, watched, wanted)
            if status is not None:
                yield TriggerEvent({"status": status})
                return
            await asyncio.sleep(self.poke_interval)

    def _look(self, watched: Elsewhere, wanted: int) -> str | None:
        if self.failed_states and watched.any_in(self.failed_states):
            return "failed"
        if self.skipped_states and watched.any_in(self.skipped_states):
            return "skipped"
        return "success" if watched.count(self.allowed_states) >= wanted else None
