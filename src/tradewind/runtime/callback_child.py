"""The process that makes one callback: loads the DAG file it belongs to, calls, says how it went, and goes.

`python -m tradewind.runtime.callback_child SOCKET_FD PARENT_PID`. It holds no credentials; what the callback asks for
(variables, connections, values) is answered over the socket.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from tradewind.kernel.clock import SystemClock
from tradewind.kernel.process import die_with_parent, set_process_name
from tradewind.sdk.defaults import DEFAULTS_VARIABLE, Defaults, use_defaults
from tradewind.wire import errors
from tradewind.wire.errors import NotFound, TradewindError, Unavailable
from tradewind.wire.execution import AgentMessage, Refused, Reply

from . import words
from .callback_words import CallbackDone, CallbackOrder, CallbackWord, decode_order, encode
from .framing import frame, read_frame
from .mask import Masker
from .values import ValueStore

_log = logging.getLogger("tradewind.task")


class _Client:
    """The `TaskClient` of a callback."""

    def __init__(self, sock: socket.socket, masker: Masker) -> None:
        self._sock = sock
        self._masker = masker
        self._values = ValueStore("")
        self._number = 0

    def ask(self, message: AgentMessage) -> Reply:
        self._number += 1
        self._sock.sendall(frame(CallbackWord.ASK, words.encode_ask(self._number, message)))
        found = read_frame(self._sock)
        if found is None:
            raise Unavailable("nobody answers this callback any more")
        _, reply = words.decode_reply(found[1])
        if isinstance(reply, Refused):
            kind = getattr(errors, reply.error, TradewindError)
            raise kind(reply.message)
        return reply

    def tell(self, message: AgentMessage) -> None:
        self.ask(message)

    def fetch(self, url: str, sha256: str | None) -> bytes:
        return self._values.fetch(url, sha256)

    def store(self, data: bytes, name: str) -> str:
        raise NotImplementedError(f"a callback cannot hand on values ({name}, {len(data)} bytes); do it in a task")

    def mask(self, secret: str) -> None:
        self._masker.add(secret)


class _MaskedStream:
    """Standard output of the callback, without secrets."""

    def __init__(self, stream: Any, masker: Masker) -> None:
        self._stream = stream
        self._masker = masker

    def write(self, text: str) -> int:
        self._stream.write(self._masker.text(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def run(sock: socket.socket) -> None:
    """Take the order, make the calls, answer."""
    found = read_frame(sock)
    if found is None:
        return
    order = decode_order(found[1])
    masker = Masker(order.mask_length_min)
    sys.stdout, sys.stderr = _MaskedStream(sys.stdout, masker), _MaskedStream(sys.stderr, masker)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    try:
        calls = _make(order, _Client(sock, masker))
        _log.info("%d callback(s) made for %s", calls, order.dag_id or order.path)
        done = CallbackDone()
    except BaseException as error:  # whatever it is, somebody has to be told
        trace = masker.text("".join(traceback.format_exception(error)))
        print(trace, file=sys.stderr)
        done = CallbackDone(error=masker.text(_one_line(error)), trace=trace)
    sys.stdout.flush()
    sys.stderr.flush()
    sock.sendall(frame(CallbackWord.DONE, encode(done)))


def _make(order: CallbackOrder, client: _Client) -> int:
    if (defaults := os.environ.get(DEFAULTS_VARIABLE)) is not None:
        use_defaults(Defaults.from_text(defaults))
    dag = _dag_of(order)
    if order.kind == "listener":
        from tradewind.sdk.listeners import tell_plain

        return tell_plain(order.path, order.context)
    from tradewind.sdk.callback_run import make_calls

    return make_calls(
        dag=dag,
        path=order.path,
        kwargs=order.kwargs,
        facts=order.context,
        callback=order.callback,
        number=order.number,
        task_id=order.task_id if order.kind == "task_callback" else None,
        client=client,
        clock=SystemClock(),
    )


def _dag_of(order: CallbackOrder) -> Any:
    if order.tree is None or order.file is None or order.dag_id is None:
        return None
    from tradewind.sdk.loading import load_dag_file

    tree = Path(order.tree)
    name = f"tradewind_dag_{hashlib.sha256(order.file.encode()).hexdigest()[:12]}"
    loaded = load_dag_file(tree / order.file, bundle_root=tree, module_name=name)
    dag = loaded.dags.get(order.dag_id)
    if dag is None and order.callback is not None:
        said = loaded.errors[0].message if loaded.errors else "it is not there any more"
        raise NotFound(f"DAG {order.dag_id!r} cannot be loaded from {order.file}: {said}")
    return dag


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def main(arguments: list[str]) -> NoReturn:
    """One callback."""
    die_with_parent(int(arguments[1]))
    set_process_name("tradewind-callback")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run(socket.socket(fileno=int(arguments[0])))
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
