"""Waiting without a process: what a task leaves behind when it waits for a trigger or a person, and what it finds when
it goes on.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FailureOfWait(StrEnum):
    """Why a wait ended without an event."""

    TIMEOUT = "timeout"
    """The time given with the deferral passed."""
    TRIGGER = "trigger"
    """The trigger failed, or could not be made."""


class Deferral(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task waits, and says where it goes on. Values are JSON as made by `sdk` serialisation."""

    classpath: str = ""
    """Dotted path of the trigger's class; empty: no trigger, a person's answer ends the wait."""
    kwargs: str = "{}"
    """What the trigger is made with."""
    method: str = "execute"
    """Method of the operator that goes on."""
    next_kwargs: str = "{}"
    """Further arguments of it."""
    timeout_seconds: float | None = None
    """From the moment the deferral is taken down; None: no end."""
    queue: str | None = None
    """Of the trigger; None: that of the task."""


class Resume(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a task goes on after its wait."""

    method: str
    kwargs: str = "{}"
    event: str | None = None
    """Payload of the event, JSON; None when the wait failed."""
    failure: FailureOfWait | None = None
    error: str = ""
    """With a failure: what went wrong, the trigger's traceback included."""


class HumanQuestion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person is asked (human in the loop)."""

    subject: str
    options: tuple[str, ...] = ()
    body: str | None = None
    """Markdown."""
    defaults: tuple[str, ...] | None = None
    """Chosen when nobody answers in time; None: the task fails then."""
    multiple: bool = False
    params: str = "{}"
    """Form: name → {"value", "schema", "description"}, JSON."""
    assigned_users: tuple[tuple[str, str], ...] = ()
    """(id, name) of those who may answer; empty: everybody who may."""
