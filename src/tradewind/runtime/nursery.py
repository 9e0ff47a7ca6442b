"""Where processes for attempts come from: zygote, templates of DAG files, spare and warm children, fresh interpreters.

A template is made once per (tree, file), however many attempts wait for it; the least recently used ones go when their
memory passes the bound. A template in use keeps a *spare* child forked ahead, so that an attempt need not wait for the
fork. Warm children (isolation `reuse`) and spares that nobody needs end after a while.
"""

from __future__ import annotations

import itertools
import os
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.wire.states import Isolation

from . import words
from .forks import Brood
from .framing import LetterBox
from .loop import Loop, Timer
from .processes import kill_tree, private_bytes
from .seats import Seat, SeatDescriptors, SeatEnd
from .words import (
    ChildExited,
    ChildForked,
    ForkChild,
    ForkFailed,
    KillTemplate,
    MakeTemplate,
    SignalChild,
    TemplateFailed,
    TemplateGone,
    TemplateMade,
    TemplateReady,
    ZygoteReady,
)

_CHANNEL_FD = 3
_log = get_logger("agent")


class TemplateKey(NamedTuple):
    """What a template has imported."""

    tree: str
    file: str


class NurserySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How processes are made."""

    environment: dict[str, str]
    """Of zygote and fresh interpreters, and so of all tasks. It holds no credential."""
    preload: tuple[str, ...]
    """Modules that the zygote imports before the first template."""
    loader: str
    template_memory_bytes_max: int
    import_seconds_max: float
    reuse_idle_seconds: float
    restart_seconds_min: float
    restart_seconds_max: float


class LaunchFailure(NamedTuple):
    """There is no process for an attempt."""

    reason: str
    trace: str = ""


Ready = Callable[[Seat], None]
Failed = Callable[[LaunchFailure], None]


class Wish:
    """Somebody waits for a seat. `cancel` may be called at any time."""

    __slots__ = ("failed", "isolation", "ready", "wanted")

    def __init__(self, isolation: Isolation, ready: Ready, failed: Failed) -> None:
        self.isolation = isolation
        self.ready = ready
        self.failed = failed
        self.wanted = True

    def cancel(self) -> None:
        self.wanted = False


class _Template:
    """The agent's view of one template."""

    def __init__(self, number: int, key: TemplateKey, box: LetterBox) -> None:
        self.number = number
        self.key = key
        self.box = box
        self.pid = 0
        self.ready = False
        self.wishes: list[Wish] = []
        self.seats: dict[int, Seat] = {}
        self.spares: list[Seat] = []
        self.warm: list[Seat] = []
        self.used_at = 0.0
        self.bytes = 0
        self.timer: Timer | None = None

    @property
    def busy(self) -> bool:
        return bool(self.wishes) or len(self.seats) > len(self.spares) + len(self.warm)


class Nursery:
    """All processes of one agent, by the loop's thread."""

    def __init__(self, loop: Loop, settings: NurserySettings, clock: Clock) -> None:
        self._loop = loop
        self._settings = settings
        self._clock = clock
        self._numbers = itertools.count(1)
        self._brood = Brood(loop)
        self._zygote: LetterBox | None = None
        self._zygote_number = 0
        self._zygote_ready = False
        self._zygote_pause = 0.0
        self._templates: dict[TemplateKey, _Template] = {}
        self._by_number: dict[int, _Template] = {}
        self._threaded: set[TemplateKey] = set()
        self._spawned: dict[int, Seat] = {}
        self._closed = False

    def start(self) -> None:
        """Start the zygote."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        number = self._zygote_number = next(self._numbers)
        arguments = ["-m", "tradewind.runtime.zygote", str(_CHANNEL_FD), str(os.getpid()), *self._settings.preload]
        pid = _spawn(arguments, self._settings.environment, {theirs.fileno(): _CHANNEL_FD}, silent=True)
        theirs.close()
        self._zygote = LetterBox(self._loop, ours, self._from_zygote, _nothing)
        self._brood.watch(number, pid, lambda status, _cpu, _rss: self._zygote_gone(number, status))

    def zygote_pid(self) -> int | None:
        return self._brood.pid(self._zygote_number)

    def template_pids(self) -> dict[TemplateKey, int]:
        """Templates that stand ready."""
        return {template.key: template.pid for template in self._templates.values() if template.ready}

    def want(self, key: TemplateKey, isolation: Isolation, ready: Ready, failed: Failed) -> Wish:
        """Ask for a process: `ready` (at once or later) or `failed` follows, unless the wish is cancelled."""
        wish = Wish(isolation, ready, failed)
        if isolation is Isolation.SPAWN or key in self._threaded:
            self._grant_spawned(wish)
            return wish
        template = self._templates.get(key) or self._make(key)
        if template.ready:
            self._grant(template, wish)
        else:
            template.wishes.append(wish)
        return wish

    def finished(self, seat: Seat, *, calm: bool) -> None:
        """The attempt of a forked seat has said its verdict: a good moment to fork ahead for the next one.

        Parameters:
            calm: processors are idle, so that preparing the spare child takes nothing from anybody.
        """
        template = self._template_of(seat)
        if template is not None and not template.spares and not template.wishes and self._closed is False:
            spare = self._fork(template, spare=calm)
            spare.idle_since = self._clock.monotonic()
            template.spares.append(spare)

    def warm(self, seat: Seat) -> None:
        """A `reuse` seat is as new again."""
        template = self._template_of(seat)
        if template is None or self._closed:
            seat.dismiss()
            return
        seat.idle_since = template.used_at = self._clock.monotonic()
        template.warm.append(seat)

    def tidy(self) -> None:
        """To be called now and then: ends idle children, weighs templates, drops those above the bound."""
        horizon = self._clock.monotonic() - self._settings.reuse_idle_seconds
        for template in list(self._templates.values()):
            for idle in (template.spares, template.warm):
                for seat in [seat for seat in idle if seat.idle_since <= horizon]:
                    idle.remove(seat)
                    seat.dismiss()
            if template.ready:
                template.bytes = private_bytes(template.pid)
        self._drop_above_bound()

    def close(self) -> None:
        """End everything at once."""
        self._closed = True
        seats = [*self._spawned.values(), *(s for t in self._by_number.values() for s in t.seats.values())]
        for seat in seats:
            seat.on_end = None
            seat.kill()
        zygote = self.zygote_pid()
        if zygote is not None:
            kill_tree(zygote)
        self._brood.reap_killed()
        for seat in seats:
            seat.end(SeatEnd(None, reason="the agent stopped"))
        for template in self._by_number.values():
            template.box.close()
        if self._zygote is not None:
            self._zygote.close()

    # --- zygote ---------------------------------------------------------------------------------------------------

    def _from_zygote(self, letter: bytes, _descriptors: list[int]) -> None:
        said = words.decode_from_zygote(letter)
        match said:
            case ZygoteReady(pid):
                _log.debug("zygote_ready", zygote=pid)
                self._zygote_ready = True
                self._zygote_pause = 0.0
            case TemplateMade(number, pid):
                if number in self._by_number:
                    self._by_number[number].pid = pid
            case TemplateGone(number, status):
                self._template_gone(number, f"its process ended with {_told(status)}")

    def _zygote_gone(self, number: int, status: int) -> None:
        if number != self._zygote_number:
            return
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None
        was_ready, self._zygote_ready = self._zygote_ready, False
        for template in list(self._by_number.values()):
            self._bury(template, "the zygote died", lost=was_ready)
        if self._closed:
            return
        settings = self._settings
        self._zygote_pause = min(
            settings.restart_seconds_max, max(settings.restart_seconds_min, self._zygote_pause * 2)
        )
        _log.error("zygote_died", status=_told(status), restart_seconds=self._zygote_pause)
        self._loop.after(self._zygote_pause, self._restart_zygote)

    def _restart_zygote(self) -> None:
        if self._closed:
            return
        self.start()
        for template in list(self._templates.values()):
            self._order(template)

    # --- templates ------------------------------------------------------------------------------------------------

    def _make(self, key: TemplateKey) -> _Template:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        number = next(self._numbers)
        template = _Template(
            number,
            key,
            LetterBox(self._loop, ours, lambda letter, _: self._from_template(number, letter), _nothing),
        )
        template.used_at = self._clock.monotonic()
        self._templates[key] = self._by_number[number] = template
        self._ask_zygote(template, theirs)
        return template

    def _order(self, template: _Template) -> None:
        """Order a template anew that was wanted while there was no zygote."""
        wishes, template.wishes = template.wishes, []
        self._forget(template)
        template.box.close()
        self._make(template.key).wishes = wishes

    def _ask_zygote(self, template: _Template, theirs: socket.socket) -> None:
        if self._zygote is not None:
            order = MakeTemplate(
                number=template.number, tree=template.key.tree, file=template.key.file, loader=self._settings.loader
            )
            self._zygote.send(words.encode_letter(order), [theirs.fileno()])
            template.timer = self._loop.after(
                self._settings.import_seconds_max, lambda: self._import_too_slow(template.number)
            )
        theirs.close()

    def _import_too_slow(self, number: int) -> None:
        template = self._by_number.get(number)
        if template is None or template.ready:
            return
        seconds = self._settings.import_seconds_max
        self._fail_wishes(
            template,
            LaunchFailure(
                f"{template.key.file} took longer than {seconds:g} s to load (setting processor.parse_timeout_seconds)"
            ),
        )
        if self._zygote is not None:
            self._zygote.send(words.encode_letter(KillTemplate(number)))

    def _from_template(self, number: int, letter: bytes) -> None:
        template = self._by_number.get(number)
        if template is None:
            return
        said = words.decode_from_template(letter)
        match said:
            case ChildForked(seat_number, pid):
                if seat_number in template.seats:
                    template.seats[seat_number].pid = pid
            case ChildExited():
                self._child_ended(
                    template,
                    said.number,
                    SeatEnd(said.status, cpu_seconds=said.cpu_seconds, max_rss_bytes=said.max_rss_bytes),
                )
            case ForkFailed(seat_number, reason):
                self._child_ended(template, seat_number, SeatEnd(None, reason=reason, launch=True))
            case TemplateReady(threads):
                self._template_ready(template, threads)
            case TemplateFailed(reason, trace):
                self._fail_wishes(template, LaunchFailure(reason, trace))

    def _template_ready(self, template: _Template, threads: int) -> None:
        wishes, template.wishes = template.wishes, []
        if template.timer is not None:
            template.timer.cancel()
        if threads > 1:
            _log.warning("template_has_threads", file=template.key.file, threads=threads, isolation="spawn")
            self._threaded.add(template.key)
            self._drop(template)
            for wish in wishes:
                if wish.wanted:
                    self._grant_spawned(wish)
            return
        template.ready = True
        template.bytes = private_bytes(template.pid)
        for wish in wishes:
            if wish.wanted:
                self._grant(template, wish)
        self._drop_above_bound()

    def _template_gone(self, number: int, reason: str) -> None:
        template = self._by_number.get(number)
        if template is not None:
            self._bury(template, reason, lost=template.ready)

    def _bury(self, template: _Template, reason: str, *, lost: bool) -> None:
        """The process of a template is dead, and so are its children."""
        self._forget(template)
        wishes, template.wishes = template.wishes, []
        for seat in list(template.seats.values()):
            self._child_ended(template, seat.number, SeatEnd(None, reason=f"{reason}: {template.key.file}"))
        template.box.close()
        if template.ready:
            template.ready = False
        if wishes and lost:
            # It stood, and died while it was asked: another one is made.
            for wish in wishes:
                if wish.wanted:
                    self.want(template.key, wish.isolation, wish.ready, wish.failed)
            return
        failure = LaunchFailure(f"{template.key.file} cannot be loaded: {reason}")
        for wish in wishes:
            if wish.wanted:
                wish.failed(failure)

    def _fail_wishes(self, template: _Template, failure: LaunchFailure) -> None:
        """The import failed. It is not remembered: what was missing may be there for the next attempt."""
        wishes, template.wishes = template.wishes, []
        self._drop(template)
        for wish in wishes:
            if wish.wanted:
                wish.failed(failure)

    def _drop(self, template: _Template) -> None:
        """End a template that nobody uses."""
        self._forget(template)
        for seat in [*template.spares, *template.warm]:
            seat.dismiss()
            seat.end(SeatEnd(None, reason="not needed"))
        template.box.close()

    def _forget(self, template: _Template) -> None:
        self._by_number.pop(template.number, None)
        if self._templates.get(template.key) is template:
            del self._templates[template.key]
        if template.timer is not None:
            template.timer.cancel()

    def _drop_above_bound(self) -> None:
        total = sum(template.bytes for template in self._templates.values())
        for template in sorted(self._templates.values(), key=lambda each: each.used_at):
            if total <= self._settings.template_memory_bytes_max:
                return
            if template.ready and not template.busy:
                _log.info("template_dropped", file=template.key.file, bytes=template.bytes, reason="memory bound")
                total -= template.bytes
                self._drop(template)

    # --- seats ----------------------------------------------------------------------------------------------------

    def _template_of(self, seat: Seat) -> _Template | None:
        return next((template for template in self._templates.values() if seat.number in template.seats), None)

    def _grant(self, template: _Template, wish: Wish) -> None:
        template.used_at = self._clock.monotonic()
        ready_ones = template.warm if wish.isolation is Isolation.REUSE and template.warm else template.spares
        wish.ready(ready_ones.pop() if ready_ones else self._fork(template))

    def _fork(self, template: _Template, *, spare: bool = False) -> Seat:
        number = next(self._numbers)
        ends = SeatDescriptors()

        def send_signal(signal_number: int) -> None:
            template.box.send(words.encode_letter(SignalChild(number, signal_number)))

        seat = Seat(self._loop, number, ends, send_signal)
        template.seats[number] = seat
        template.box.send(words.encode_letter(ForkChild(number, spare)), ends.theirs)
        ends.close_theirs()
        return seat

    def _grant_spawned(self, wish: Wish) -> None:
        number = next(self._numbers)
        ends = SeatDescriptors()
        channel, stdout, stderr = ends.theirs
        arguments = ["-m", "tradewind.runtime.child", str(_CHANNEL_FD), str(os.getpid()), self._settings.loader]
        try:
            pid = _spawn(arguments, self._settings.environment, {stdout: 1, stderr: 2, channel: _CHANNEL_FD})
        except OSError as error:
            ends.close_theirs()
            wish.failed(LaunchFailure(f"no process could be started: {error.strerror}"))
            return

        def send_signal(signal_number: int) -> None:
            if self._brood.pid(number) is not None:
                kill_tree(pid) if signal_number == 9 else os.kill(pid, signal_number)

        seat = Seat(self._loop, number, ends, send_signal)
        seat.pid = pid
        ends.close_theirs()
        self._spawned[number] = seat
        self._brood.watch(number, pid, lambda status, cpu, rss: self._spawned_ended(number, status, cpu, rss))
        wish.ready(seat)

    def _spawned_ended(self, number: int, status: int, cpu_seconds: float, max_rss_bytes: int) -> None:
        self._spawned.pop(number).end(SeatEnd(status, cpu_seconds=cpu_seconds, max_rss_bytes=max_rss_bytes))

    def _child_ended(self, template: _Template, number: int, end: SeatEnd) -> None:
        seat = template.seats.pop(number, None)
        if seat is None:
            return
        for idle in (template.spares, template.warm):
            if seat in idle:
                idle.remove(seat)
        seat.end(end)


def _spawn(
    arguments: list[str], environment: Mapping[str, str], descriptors: Mapping[int, int], *, silent: bool = False
) -> int:
    """Start this interpreter anew in a session of its own; its pid.

    Parameters:
        descriptors: ours → what it is for the new process.
        silent: standard output is dropped; for a process that speaks another way.
    """
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    if silent:
        actions.append((os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0))
    # Ours may have the numbers that the new process is to have; so first out of the way, then into place.
    highest = max([*descriptors.keys(), *descriptors.values()]) + 1
    for offset, ours in enumerate(descriptors):
        actions.append((os.POSIX_SPAWN_DUP2, ours, highest + offset))
    for offset, wanted in enumerate(descriptors.values()):
        actions.append((os.POSIX_SPAWN_DUP2, highest + offset, wanted))
        actions.append((os.POSIX_SPAWN_CLOSE, highest + offset))
    # -P: the working directory is no place to import from.
    command = [sys.executable, "-P", *arguments]
    return os.posix_spawn(sys.executable, command, dict(environment), file_actions=actions, setsid=True)


def _told(status: int) -> str:
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"


def _nothing() -> None:
    """The end of a letter box alone says little; the process's end is told by its parent."""
