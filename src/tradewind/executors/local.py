"""The executor `local`: hands workloads to the agent of this machine over its Unix socket.

A thread of its own speaks to the agent, so that no method waits for the other side. What the agent has not accepted yet
is given again after every reconnection; the agent takes each token once.
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tradewind.kernel.log import get_logger
from tradewind.kernel.unix_socket import unix_address
from tradewind.ports.executor import Returned
from tradewind.runtime import agent_protocol as protocol
from tradewind.runtime.agent_protocol import AgentStatus, CancelAttempts, FromAgent, Query, ToAgent
from tradewind.runtime.framing import FrameStream
from tradewind.runtime.loop import Loop, Timer
from tradewind.wire.errors import Unavailable
from tradewind.wire.workload import SignedWorkload, Workload, sign_workload

_log = get_logger("executor")
_UNDELIVERED_CANCELS_MAX = 10_000


class LocalExecutor:
    """See `ports.executor.Executor` for the duties.

    Parameters:
        name: as tasks name it.
        path: the agent's socket (setting agent.socket).
        key: the execution key; workloads are sealed with it.
        parallelism: how many attempts may be in hand (setting core.parallelism).
        wake: called, from the executor's thread, when `events` has something new.
        retry_seconds: pause between two attempts to reach the agent.
        answer_seconds_max: how long `unknown` waits for the agent.
        on_ended: called, from the executor's thread, with attempts that are over here: ended, given back, or gone with
            the agent.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        key: bytes,
        parallelism: int,
        wake: Callable[[], None],
        *,
        retry_seconds: float = 0.25,
        answer_seconds_max: float = 2.0,
        on_ended: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self.name = name
        self._key = key
        self._parallelism = parallelism
        self._wake = wake
        self._answer_seconds_max = answer_seconds_max
        self._lock = threading.Lock()
        self._in_hand: set[str] = set()
        self._undelivered: dict[str, SignedWorkload] = {}
        self._returned: list[Returned] = []
        self._answers = _Answers()
        self._on_ended = on_ended
        self._loop = Loop()
        self._line = _Line(self._loop, path, retry_seconds, self._connected, self._heard, self._disconnected)
        self._to_send: list[tuple[ToAgent, bytes]] = []
        self._asked = False
        self._grantee: str | None = None
        """Incarnation of the agent at the other end of the line."""
        self._thread = threading.Thread(target=self._carry, name=f"executor-{name}", daemon=True)

    def start(self) -> None:
        """Begin to carry. To be called once."""
        self._thread.start()
        self._loop.call_threadsafe(self._line.connect)

    def stop(self, deadline_seconds: float) -> None:
        """Stop carrying; what runs goes on. What was submitted and not accepted yet is returned to nobody: its owner
        gives it again when it starts anew."""
        if not self._thread.is_alive():
            return
        self._loop.call_threadsafe(self._line.close)
        self._loop.call_threadsafe(self._loop.stop)
        self._thread.join(deadline_seconds)
        self._answers.nobody()

    def capacity(self) -> int:
        with self._lock:
            return max(0, self._parallelism - len(self._in_hand))

    def grantee(self) -> str | None:
        return self._grantee

    def occupy(self, tokens: Iterable[str]) -> None:
        with self._lock:
            self._in_hand.update(tokens)

    def release(self, tokens: Iterable[str]) -> None:
        with self._lock:
            for token in tokens:
                self._in_hand.discard(token)
                self._undelivered.pop(token, None)

    def submit(self, workloads: Sequence[Workload]) -> None:
        signed = {workload.token: sign_workload(workload, self._key) for workload in workloads}
        with self._lock:
            self._in_hand.update(signed)
            self._undelivered.update(signed)
        self._send(ToAgent.SUBMIT, protocol.encode(list(signed.values())))

    def cancel(self, tokens: Iterable[str], reason: str) -> None:
        cancelled = tuple(tokens)
        with self._lock:
            for token in cancelled:
                self._undelivered.pop(token, None)
        self._send(ToAgent.CANCEL, protocol.encode(CancelAttempts(cancelled, reason)))

    def recall(self) -> list[str]:
        """Take back what no agent has accepted; the tokens."""
        with self._lock:
            recalled = list(self._undelivered)
            self._undelivered.clear()
            self._in_hand.difference_update(recalled)
        return recalled

    def unknown(self, tokens: Iterable[str]) -> set[str]:
        asked = set(tokens)
        with self._lock:
            asked -= self._undelivered.keys()
        known = self._answers.wait(
            lambda number: self._send(ToAgent.QUERY, protocol.encode(Query(number, tuple(asked)))),
            self._answer_seconds_max,
        )
        return set() if known is None else asked - known

    def events(self) -> list[Returned]:
        with self._lock:
            returned, self._returned = self._returned, []
        return returned

    def status(self, patience_seconds: float) -> AgentStatus:
        """What the agent says about itself.

        Raises:
            Unavailable: it did not answer in time.
        """
        return self._answers.status(lambda: self._send(ToAgent.STATUS, b""), patience_seconds)

    # --- towards the executor's thread -----------------------------------------------------------------------------

    def _send(self, kind: ToAgent, payload: bytes) -> None:
        with self._lock:
            self._to_send.append((kind, payload))
            asked, self._asked = self._asked, True
        if not asked:
            self._loop.call_threadsafe(self._send_all)

    def _send_all(self) -> None:
        with self._lock:
            frames, self._to_send = self._to_send, []
            self._asked = False
        for kind, payload in frames:
            self._line.send(kind, payload)

    # --- in the executor's thread ----------------------------------------------------------------------------------

    def _carry(self) -> None:
        self._loop.run()
        self._loop.close()

    def _disconnected(self) -> None:
        self._grantee = None
        self._answers.nobody()
        if self._on_ended is not None:
            with self._lock:
                gone = self._in_hand - self._undelivered.keys()
                self._in_hand -= gone
            self._on_ended(sorted(gone))  # the agent's children die with it

    def _connected(self) -> None:
        self._line.send(ToAgent.STATUS, b"")  # who is it?
        if self._on_ended is not None:
            self._line.send(ToAgent.FOLLOW, b"")
        # What was asked for meanwhile goes first, in its order: a cancellation must not come after its workload.
        self._send_all()
        with self._lock:
            undelivered = list(self._undelivered.values())
        if undelivered:
            self._line.send(ToAgent.SUBMIT, protocol.encode(undelivered))

    def _heard(self, kind: int, payload: bytes) -> None:
        match kind:
            case FromAgent.ACCEPTED:
                with self._lock:
                    for token in protocol.decode_tokens(payload):
                        self._undelivered.pop(token, None)
            case FromAgent.RETURNED:
                self._take_back(protocol.decode_refusal(payload))
            case FromAgent.KNOWN:
                known = protocol.decode_known(payload)
                self._answers.known(known.number, set(known.tokens))
            case FromAgent.ENDED:
                self._ended(protocol.decode_tokens(payload))
            case FromAgent.STATUS:
                status = protocol.decode_status(payload)
                self._grantee = status.incarnation
                self._answers.told(status)

    def _ended(self, tokens: list[str]) -> None:
        if self._on_ended is None:
            return
        with self._lock:
            self._in_hand.difference_update(tokens)
        self._on_ended(tokens)

    def _take_back(self, refusal: protocol.Refusal) -> None:
        with self._lock:
            # The seal did not fit: the agent cannot say whose it was, and will not fit for any other either.
            tokens = [refusal.token] if refusal.token else list(self._undelivered)
            for token in tokens:
                self._undelivered.pop(token, None)
                if token in self._in_hand:
                    self._in_hand.discard(token)
                    self._returned.append(Returned(token, refusal.reason))
        self._wake()


class _Line:
    """The connection to the agent, made again whenever it breaks. Belongs to the executor's thread."""

    def __init__(
        self,
        loop: Loop,
        path: Path,
        retry_seconds: float,
        on_open: Callable[[], None],
        on_frame: Callable[[int, bytes], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._path = path
        self._retry_seconds = retry_seconds
        self._on_open, self._on_frame, self._on_lost = on_open, on_frame, on_lost
        self._stream: FrameStream | None = None
        self._timer: Timer | None = None
        self._cancels: list[bytes] = []
        self._told = False
        self._closed = False

    def connect(self) -> None:
        if self._closed:
            return
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with unix_address(self._path) as address:
                sock.connect(address)
        except OSError as error:
            sock.close()
            if not self._told:
                self._told = True
                _log.warning("agent_not_reached", socket=str(self._path), reason=error.strerror or str(error))
            self._timer = self._loop.after(self._retry_seconds, self.connect)
            return
        self._told = False
        self._stream = FrameStream(self._loop, sock, self._on_frame, self._lost)
        cancels, self._cancels = self._cancels, []
        for cancel in cancels:
            self._stream.send(ToAgent.CANCEL, cancel)
        self._on_open()

    def send(self, kind: int, payload: bytes) -> None:
        """Send; while the agent is away, cancellations wait for it, and workloads are given again when it comes."""
        if self._stream is not None:
            self._stream.send(kind, payload)
        elif kind == ToAgent.CANCEL:
            if len(self._cancels) < _UNDELIVERED_CANCELS_MAX:
                self._cancels.append(payload)
        elif kind in (ToAgent.QUERY, ToAgent.STATUS):
            self._on_lost()

    def close(self) -> None:
        self._closed = True
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _lost(self) -> None:
        self._stream = None
        self._on_lost()
        if not self._closed:
            self.connect()


class _Answers:
    """Questions under way: the asking thread waits, the executor's thread answers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._known: dict[int, set[str] | None] = {}
        self._open: set[int] = set()
        self._status: AgentStatus | None = None
        self._away = 0

    def wait(self, ask: Callable[[int], None], patience_seconds: float) -> set[str] | None:
        """The answer to a query, None when there is none."""
        number = next(self._numbers)
        with self._changed:
            self._open.add(number)
        ask(number)
        with self._changed:
            self._changed.wait_for(lambda: number in self._known, patience_seconds)
            self._open.discard(number)
            return self._known.pop(number, None)

    def known(self, number: int, tokens: set[str]) -> None:
        with self._changed:
            if number in self._open:
                self._known[number] = tokens
                self._changed.notify_all()

    def nobody(self) -> None:
        """The agent is not there: nobody answers what is open."""
        with self._changed:
            self._known.update(dict.fromkeys(self._open - self._known.keys()))
            self._away += 1
            self._changed.notify_all()

    def status(self, ask: Callable[[], None], patience_seconds: float) -> AgentStatus:
        with self._changed:
            self._status = None
            away = self._away
        ask()
        with self._changed:
            self._changed.wait_for(lambda: self._status is not None or self._away != away, patience_seconds)
            if self._status is None:
                raise Unavailable("the agent of this machine does not answer; start it with `tradewind agent`")
            return self._status

    def told(self, status: AgentStatus) -> None:
        with self._changed:
            self._status = status
            self._changed.notify_all()
