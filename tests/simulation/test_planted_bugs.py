"""Every invariant can go red: one line of the engine is spoiled, and its checker must speak within a bounded number
of seeds.

Some of the bugs below were real once, found by these seeds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from tests.simulation.checks import (
    ALL,
    Checker,
    CountersTrue,
    DatesComplete,
    EveryRunEnds,
    LimitsKept,
    MemoryIsRows,
    NothingDoubled,
    NothingLost,
    OneOwner,
    ReasonsTrue,
    RulesObeyed,
    RunsRetried,
    TriesCounted,
    WaitsTrue,
)
from tests.simulation.engine import World

from tradewind.commands import attempts, execution
from tradewind.commands import waits as wait_commands
from tradewind.domain.admission import UNLIMITED, AdmissionQueue
from tradewind.domain.planner import board, why
from tradewind.domain.retry import RetryVerdict
from tradewind.domain.trigger_rules import RULES, Decision
from tradewind.scheduler import creation, gates, limits, memory, owned, run_retries, step, waits
from tradewind.scheduler.loop import Scheduler
from tradewind.store.memory import backfills as backfill_store
from tradewind.store.memory import runs as run_store
from tradewind.store.memory import tasks as task_store
from tradewind.store.memory import waits as wait_store
from tradewind.wire.states import DagRunState, TaskInstanceState, TriggerRule

S = TaskInstanceState
Plant = Callable[[pytest.MonkeyPatch], None]
SEEDS_MAX = 250
"""A planted bug must show within so many."""


def nothing(*_: object, **__: object) -> None: ...


def put(owner: object, name: str, value: object) -> Plant:
    return lambda patch: patch.setattr(owner, name, value)


def around(owner: object, name: str, spoiled: Callable[..., object]) -> Plant:
    """`spoiled(right, *arguments)` instead of the right one."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = getattr(owner, name)
        patch.setattr(owner, name, lambda *a, **k: spoiled(right, *a, **k))

    return plant


def both(*plants: Plant) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        for each in plants:
            each(patch)

    return plant


# --- the bugs


def skips_are_not_written(right: Any, self: Any, row: Any, token: str, outcome: Any) -> None:
    if outcome.state is not S.SKIPPED:
        right(self, row, token, outcome)


def no_line_for_skips(right: Any, self: Any, change: str, row: Any, *rest: Any, **more: Any) -> None:
    right(self, change, row, *rest, **more)
    if change == "skip_self":
        del self._inbox[row.ti_id]


def stale_tokens_are_taken(patch: pytest.MonkeyPatch) -> None:
    """Whoever ever had the instance may write it."""
    ever: dict[str, str] = {}
    right = task_store.TaskPart.task_by_token

    def by_token(self: Any, tokens: Sequence[str], *, lock: bool = True) -> dict[str, Any]:
        found = right(self, tokens, lock=lock)
        ever.update({token: row.ti_id for token, row in found.items()})
        for token in tokens:
            row = self._data.tasks.get(ever.get(token, ""))
            if token not in found and row is not None and row.state in (S.QUEUED, S.RUNNING):
                found[token] = row
        return found

    patch.setattr(task_store.TaskPart, "task_by_token", by_token)
    for name, rule in task_store._RULES.items():
        change = rule.change
        unfenced = type(change)(
            change.name, change.origins, change.target, change.askers, False, change.sets, change.clears, change.duty
        )
        patch.setitem(task_store._RULES, name, rule._replace(change=unfenced))


def one_run_too_many(right: Any, self: Any, owner: str, now: Any, limit: int) -> list[Any]:
    started: list[Any] = right(self, owner, now, limit)
    for row in [row for row in self._data.runs.found("queued", True) if row.run_after <= now][:1]:
        dag = self._data.dags.get(row.dag_id)
        more = replace(row, state=DagRunState.RUNNING, started_at=now, owner=owner, epoch=row.epoch + 1)
        self._data.runs.put(self._journal, row.run_key, more)
        self._data.dags.put(self._journal, dag.dag_id, replace(dag, runs_active=dag.runs_active + 1))
        started.append(more)
    return started


def unlimited(kind: str) -> Plant:
    def room(right: Any, key: str, *rest: Any) -> int:
        return UNLIMITED if key.startswith(kind) else int(right(key, *rest))

    return around(limits, "local_room", room)


def releases_are_not_counted(right: Any, self: Any, deltas: dict[str, int]) -> None:
    right(self, {key: number for key, number in deltas.items() if number > 0})


def all_are_ours(self: Any, epochs: dict[str, int]) -> None:
    self.touched |= epochs.keys() & self.memory.runs.keys()


def try_forgotten(right: Any, self: Any, row: Any) -> None:
    right(self, row)
    self.in_try = False


def tries_go_on(right: Any, step: Any, run: Any, retry: Any, row: Any) -> None:
    right(step, run, retry, row)
    for instance in run.instances.values():
        instance.in_try = instance.try_number > 0


def leaves_the_queue_only(self: Any, instance: Any) -> None:
    self.memory.queue.discard(instance.ti_id)


def forgets_nothing(right: Any, self: Any, given: Any, before: Any) -> None:
    if given is not None:
        given.writes.forgets.clear()
    right(self, given, before)


def no_timers_of_tasks(right: Any, self: Any, run: Any, ti_id: str) -> None:
    if not ti_id:
        right(self, run, ti_id)


def cancels_what_runs(right: Any, self: Any, backfill_id: int, reason: str, now: Any) -> object:
    for run in list(self._data.runs.found("backfill", backfill_id)):
        if run.state is DagRunState.RUNNING:
            ended = replace(run, state=DagRunState.FAILED, ended_at=now, reason=reason, owner=None)
            self._data.runs.put(self._journal, run.run_key, ended)
    return right(self, backfill_id, reason, now)


def every_second_date(right: Any, document: Any, last: Any, now: Any) -> object:
    info = right(document, last, now)
    return right(document, info, now) if info is not None and last is not None else info


def wrong_pool(right: Any, key: str, *rest: Any) -> str:
    return str(right(key, *rest)).replace("small", "default_pool")


def rule(name: TriggerRule, instead: Decision, of: Decision) -> Plant:
    right = RULES[name]

    def spoiled(*counts: int) -> Decision:
        decision = right(*counts)
        return instead if decision is of else decision

    return lambda patch: patch.setitem(RULES, name, spoiled)


def again_and_again(task: Any, number: int, most: int, spent: int, cause: Any, now: Any, **_: Any) -> RetryVerdict:
    return RetryVerdict(True, now, most, spent, "again")


def taken_from_the_living(right: Any, self: Any, owner: str, lease_seconds: float, limit: int) -> object:
    return right(self, owner, -60.0, limit)


def all_upstreams(on: Any, place: int) -> list[str]:
    return [on.graph.ids[upstream] for upstream in on.graph.upstreams(on.node(place))]


Bugs = dict[str, Plant]
PLANTED: dict[type[Checker], Bugs] = {
    NothingLost: {
        "a skip is acknowledged and not written": around(attempts.Settlement, "end", skips_are_not_written),
        "nobody reads the news": put(step.Step, "read_inbox", lambda *_: 0),
    },
    NothingDoubled: {
        "stale tokens are taken": stale_tokens_are_taken,
    },
    TriesCounted: {
        "a rescheduled try counts again": around(owned.Instance, "refresh", try_forgotten),
        "retries have no end": put(attempts, "decide_failure", again_and_again),
        "a run tried again goes on with tries that are over": around(run_retries, "_go_on", tries_go_on),
    },
    LimitsKept: {
        "pools are not looked at": put(limits, "pool_room", lambda _: UNLIMITED),
        "max_active_tasks is not looked at": unlimited("run:"),
        "max_active_tis_per_dagrun is not looked at": unlimited("runtask:"),
        "max_active_tis_per_dag is not looked at": put(memory.Memory, "remember_bounds", nothing),
        "max_active_runs is not looked at": around(run_store.RunPart, "run_start_queued", one_run_too_many),
    },
    CountersTrue: {
        "slots given back are not counted": around(step.Step, "_count", releases_are_not_counted),
        "slots are given back in memory only": put(task_store.TaskPart, "task_release", nothing),
    },
    OneOwner: {
        "the fence is ignored": put(step.Step, "_check_epochs", all_are_ours),
        "runs are taken from the living": around(run_store.RunPart, "run_take_over", taken_from_the_living),
    },
    MemoryIsRows: {
        "what was cleared still waits": put(step.Step, "_unwant", leaves_the_queue_only),
        "a failed step leaks slots of executors": around(Scheduler, "_forget", forgets_nothing),
    },
    RulesObeyed: {
        "failures above are forgiven": rule(TriggerRule.ALL_SUCCESS, Decision.READY, Decision.FAIL_UPSTREAM),
        "skips above fail": rule(TriggerRule.ALL_SUCCESS, Decision.FAIL_UPSTREAM, Decision.SKIP),
        "branches are not heard": put(board.Board, "remember_skips", nothing),
        "a failed past is good enough": put(gates, "_GOOD", (*S, None)),
    },
    ReasonsTrue: {
        "another pool is blamed": around(limits, "describe_limit", wrong_pool),
        "upstreams that are over are blamed": put(why, "unfinished", all_upstreams),
        "what was blocked is not looked at again": put(AdmissionQueue, "freed", nothing),
    },
    EveryRunEnds: {
        "who is woken is not heard": put(waits, "woken", nothing),
        "waits have no end": put(waits, "time_out", nothing),
        "retries of runs are never due": put(run_retries, "due", nothing),
        "retries are never due": around(step.Step, "_due", no_timers_of_tasks),
        "who cancels a backfill ends what runs": around(
            backfill_store.BackfillPart, "backfill_cancel", cancels_what_runs
        ),
        "a line is dropped": around(attempts.Settlement, "_move", no_line_for_skips),
        "lost workloads are not sent again": both(
            put(Scheduler, "_resolve_doubts", nothing), put(execution.Sitting, "_lose_forgotten", nothing)
        ),
    },
    WaitsTrue: {
        "a wait is not written": put(wait_commands.Waits, "write", nothing),
        "who is cleared still waits": put(task_store.TaskPart, "_cancel_waits", nothing),
        "ends of waits are kept for ever": put(wait_store.WaitPart, "trigger_forget", nothing),
    },
    RunsRetried: {
        "runs are not tried again": put(run_retries, "postpones_end", lambda *_: False),
        "what failed stays so": put(run_retries, "_FAILED", ()),
    },
    DatesComplete: {
        "every second date is left out": around(creation, "next_info", every_second_date),
        "schedules stop": around(creation, "next_run", nothing),
    },
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("invariant", "name"), [(invariant, name) for invariant, bugs in PLANTED.items() for name in bugs]
)
def test_planted_bug_is_found(invariant: type[Checker], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTED[invariant][name](monkeypatch)
    logging.disable(logging.CRITICAL)
    try:
        for seed in range(SEEDS_MAX):
            world = World(seed)
            try:
                world.run()
            except (AssertionError, LookupError, RuntimeError):
                continue  # the bug broke the engine before anybody could complain; other seeds get further
            if any(isinstance(checker, invariant) and checker.said for checker in world.checkers):
                return
    finally:
        logging.disable(logging.NOTSET)
    pytest.fail(f"{name}: {invariant.__name__} did not notice in {SEEDS_MAX} seeds")


def test_every_invariant_has_a_planted_bug() -> None:
    assert set(ALL) == PLANTED.keys()
