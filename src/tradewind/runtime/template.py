"""A template: one DAG file imported once, forked for each attempt.

It is forked from the zygote, imports, tells how that went, freezes its memory for sharing, and from then on only forks,
signals and reaps. It runs no user code after the import.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from tradewind.kernel.process import die_with_parent, set_process_name
from tradewind.wire.workload import Workload

from . import words
from .capture import STDERR, STDOUT, Capture
from .child import become_child, serve
from .forks import Brood
from .framing import LetterBox
from .loop import Loop
from .processes import kill_tree, threads_of_self
from .user_code import Program, find_loader, load_failed
from .warmth import Warmth
from .words import (
    ChildExited,
    ChildForked,
    ForkChild,
    ForkFailed,
    MakeTemplate,
    SignalChild,
    Start,
    TemplateFailed,
    TemplateReady,
)

_REASON_LENGTH_MAX = 2000
_TRACE_LENGTH_MAX = 10_000


def run_template(order: MakeTemplate, box: socket.socket, parent_pid: int) -> NoReturn:
    """The whole life of a template, in a process just forked from the zygote."""
    die_with_parent(parent_pid)
    set_process_name("tradewind-dag")
    # What a file prints while it is imported was shown when it was parsed. Descriptor 1 is /dev/null since the zygote.
    os.dup2(STDOUT, STDERR)
    try:
        program = find_loader(order.loader)(Path(order.tree), order.file)
    except BaseException as error:  # sys.exit() in a DAG file, too, is an import that failed
        box.send(words.encode_letter(_failure(order, error)))
        os._exit(1)
    # Garbage now would be copied into every child; what lives on is never looked at again by the collector, so that its
    # pages stay shared.
    capture = Capture()
    logging.getLogger().setLevel(logging.INFO)  # which is what attempts want: setting it walks over all loggers
    gc.collect()
    gc.freeze()
    warmth = Warmth()
    box.send(words.encode_letter(TemplateReady(threads_of_self())))
    _Template(box, program, warmth, capture).run()
    os._exit(0)


class _Template:
    def __init__(self, box: socket.socket, program: Program, warmth: Warmth, capture: Capture) -> None:
        self._program = program
        self._warmth = warmth
        self._capture = capture
        self._loop = Loop()
        self._brood = Brood(self._loop)
        self._box = LetterBox(self._loop, box, self._read, self._loop.stop)

    def run(self) -> None:
        self._loop.run()

    def _read(self, letter: bytes, descriptors: list[int]) -> None:
        order = words.decode_to_template(letter)
        match order:
            case ForkChild(number, spare):
                self._fork(number, spare, *descriptors)
            case SignalChild(number, signal_number):
                self._signal(number, signal_number)

    def _fork(self, number: int, spare: bool, channel: int, stdout: int, stderr: int) -> None:
        own_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            pid = -1
            self._tell(ForkFailed(number, f"fork failed: {error.strerror}"))
        if pid == 0:
            self._be_child(own_pid, spare, channel, stdout, stderr)
        for descriptor in (channel, stdout, stderr):
            os.close(descriptor)
        if pid > 0:
            self._tell(ChildForked(number, pid))
            self._brood.watch(number, pid, lambda status, cpu, rss: self._exited(number, status, cpu, rss))

    def _be_child(self, parent_pid: int, spare: bool, channel: int, stdout: int, stderr: int) -> NoReturn:
        try:
            # The agent must see the template's end although children live on for a moment.
            self._box.sock.close()
            self._brood.forget_in_child()
            self._loop.close()
            become_child(parent_pid, stdout, stderr)
            serve(socket.socket(fileno=channel), self._program_of, self._warmth, self._capture, spare=spare)
        finally:
            # An error of ours, told by Python on stderr, which is the attempt's; or the parent is dead.
            if (error := sys.exc_info()[1]) is not None:
                sys.excepthook(type(error), error, error.__traceback__)
            os._exit(70)

    def _program_of(self, _start: Start, _workload: Workload) -> Program:
        return self._program

    def _signal(self, number: int, signal_number: int) -> None:
        pid = self._brood.pid(number)
        if pid is None:
            return  # it has ended meanwhile
        if signal_number == signal.SIGKILL:
            kill_tree(pid)
        else:
            os.kill(pid, signal_number)

    def _exited(self, number: int, status: int, cpu_seconds: float, max_rss_bytes: int) -> None:
        self._tell(ChildExited(number=number, status=status, max_rss_bytes=max_rss_bytes, cpu_seconds=cpu_seconds))

    def _tell(self, letter: words.FromTemplate) -> None:
        self._box.send(words.encode_letter(letter))


def _failure(order: MakeTemplate, error: BaseException) -> TemplateFailed:
    failed = load_failed(order.file, error)
    # The end of a traceback tells most; a letter takes only so much.
    return TemplateFailed(str(failed)[:_REASON_LENGTH_MAX], failed.trace[-_TRACE_LENGTH_MAX:])
