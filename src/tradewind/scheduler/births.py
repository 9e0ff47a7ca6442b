"""Instances of wide expansions come into being in portions: a hundred thousand rows in one transaction would keep every
other run waiting, and on SQLite every other process.

What the plan has created and no row shows yet is *unborn*. It is ready, perhaps, but enters the queue for slots when it
is born. Whatever else happens to it happens after its birth. A scheduler that dies leaves fewer rows than indexes; the
next one finds by the length of the source how many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .owned import Key, OwnedRun

if TYPE_CHECKING:
    from .step import Step

BIRTHS_MAX = 2000
"""Rows of task instances that one step inserts for runs that are under way."""


def waits(step: Step, run: OwnedRun, key: Key, reason: str) -> bool:
    """Whether this instance is born later."""
    if not key[1] or key in run.instances:
        return False
    step.births += 1
    if step.births <= BIRTHS_MAX:
        return False
    run.unborn[key] = reason
    step.memory.expecting.add(run.run_key)
    return True


def bear(step: Step) -> None:
    """The next portion, run by run."""
    for run in step._hold(sorted(step.memory.expecting)):
        keys: list[Key] = []
        while run.unborn and step.births < BIRTHS_MAX:
            key = next(iter(run.unborn))
            keys.append(key)
            give_birth(step, run, key)
            step.births += 1
        _settle(step, run, keys)


def bear_all(step: Step, run: OwnedRun) -> None:
    """The run ends: all its instances are shown."""
    for key in list(run.unborn):
        give_birth(step, run, key)


def give_birth(step: Step, run: OwnedRun, key: Key) -> None:
    """One of them, at once, because something happens to it. Those that are born already are left alone."""
    reason = run.unborn.pop(key, None)
    if reason is not None:
        step._create(run, key, reason)
        if not run.unborn:
            step.memory.expecting.discard(run.run_key)


def _settle(step: Step, run: OwnedRun, keys: list[Key]) -> None:
    for key in keys:
        if key in run.unborn_ready:
            run.unborn_ready.discard(key)
            step._want(run, run.instances[key])
    step._look_back(run, [key for key in keys if key in run.instances and step._is_gated(run, key)])
