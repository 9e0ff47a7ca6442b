"""The zygote: an interpreter with the SDK imported, from which templates are forked. It never imports user code itself.

`python -m tradewind.runtime.zygote LETTER_BOX_FD PARENT_PID MODULE...`, started by the agent; the modules are imported
before the first template is made.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import os
import signal
import socket
import sys
from typing import NoReturn

from tradewind.kernel.process import die_with_parent, set_process_name
from tradewind.sdk.rehearsal import rehearse

from . import words
from .forks import Brood
from .framing import LetterBox
from .loop import Loop
from .processes import kill_tree
from .rehearsal import rehearse_attempts
from .template import run_template
from .words import KillTemplate, MakeTemplate, TemplateGone, TemplateMade, ZygoteReady

_FORK_FAILED = os.EX_OSERR << 8
"""As `wait` would tell an exit code."""


class _Zygote:
    def __init__(self, box: socket.socket) -> None:
        self._loop = Loop()
        self._brood = Brood(self._loop)
        self._box = LetterBox(self._loop, box, self._read, self._loop.stop)

    def run(self) -> None:
        self._tell(ZygoteReady(os.getpid()))
        self._loop.run()

    def _read(self, letter: bytes, descriptors: list[int]) -> None:
        order = words.decode_to_zygote(letter)
        match order:
            case MakeTemplate():
                self._make(order, descriptors[0])
            case KillTemplate(number):
                pid = self._brood.pid(number)
                if pid is not None:
                    kill_tree(pid)

    def _make(self, order: MakeTemplate, box: int) -> None:
        own_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            os.close(box)
            self._tell(TemplateGone(order.number, _FORK_FAILED))
            return
        if pid == 0:
            self._be_template(order, box, own_pid)
        os.close(box)
        self._tell(TemplateMade(order.number, pid))
        self._brood.watch(order.number, pid, lambda status, _cpu, _rss: self._tell(TemplateGone(order.number, status)))

    def _be_template(self, order: MakeTemplate, box: int, parent_pid: int) -> NoReturn:
        try:
            self._box.sock.close()
            self._brood.forget_in_child()
            self._loop.close()
            # A group of its own, so that what an import starts is ended with it.
            os.setpgid(0, 0)
            run_template(order, socket.socket(fileno=box), parent_pid)
        finally:
            os._exit(70)

    def _tell(self, letter: words.FromZygote) -> None:
        self._box.send(words.encode_letter(letter))


def main(arguments: list[str]) -> None:
    """Runs until the agent closes the letter box."""
    die_with_parent(int(arguments[1]))
    set_process_name("tradewind-zyg")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A child that dies of SIGSEGV and the like leaves its stack in its log (descriptor 2 is the attempt's by then).
    faulthandler.enable(file=2)
    for module in arguments[2:]:
        importlib.import_module(module)
    rehearse()
    rehearse_attempts()
    gc.collect()
    gc.freeze()
    _Zygote(socket.socket(fileno=int(arguments[0]))).run()


if __name__ == "__main__":
    main(sys.argv[1:])
