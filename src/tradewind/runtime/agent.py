"""The agent: holds the attempts of one machine between the executors that submit them and the execution face.

For each attempt it claims, gives it a process, carries its questions and answers, writes its log, sees how it ends and
reports that. Claim and process are begun together; user code begins only with GO. Every attempt that was accepted ends
in exactly one of: an accepted report, a Stop of the control plane, or being given back before it began.

One thread, one loop; user code is never loaded here.
"""

from __future__ import annotations

import os
import signal
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tradewind.kernel.clock import Clock, SystemClock
from tradewind.kernel.log import get_logger
from tradewind.ports.bundles import tree_path
from tradewind.ports.logs import attempt_log
from tradewind.wire.errors import Forbidden
from tradewind.wire.execution import (
    Claim,
    ConnectionFacts,
    GetConnection,
    GetVariable,
    Go,
    Heartbeat,
    Hello,
    Outcome,
    Refused,
    Reply,
    Report,
    Stop,
    Stops,
    Text,
)
from tradewind.wire.states import CauseOfDeath, Isolation, TaskInstanceState
from tradewind.wire.workload import SignedWorkload, Workload, open_workload

from . import words
from .agent_protocol import AgentStatus
from .agent_settings import AgentSettings, lookup_path
from .attempt_log import AttemptLog, LogFlusher
from .attempts import Attempt, Phase
from .death import Death, Ending, OomCounter, death_of
from .exchange import Conversation, ExchangeSettings
from .lookup_door import LookupDoor
from .loop import Loop
from .mask import Masker
from .nursery import LaunchFailure, Nursery, NurserySettings, TemplateKey
from .seats import Seat, SeatEnd
from .secrets.client import SecretsClient
from .secrets.host_words import Found
from .spool import ReportSpool
from .submissions import Door, Return
from .words import FromChild, Start

_REMEMBERED_MAX = 100_000
"""Ended and cancelled tokens that are remembered, so that a late submission does not start them."""
_CLAIM_SECONDS = 0.02
"""How long the claim of a granted attempt waits for its report: short tasks tell both in one message."""
_SILENT_SECONDS = 0.1
"""After this long without a line of the attempt's own, its log says all the same that it began."""
_CALM_MAX = max(1, len(os.sched_getaffinity(0)) // 2)
"""Up to so many attempts at once leave processors idle."""
_log = get_logger("agent")


class Agent:
    """See the module. `run` serves until `stop`, which may be called from a signal handler or another thread.

    Parameters:
        settings: see `agent_settings`.
        incarnation: random, new with each start of the process.
    """

    def __init__(self, settings: AgentSettings, *, clock: Clock | None = None, incarnation: str | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._loop = Loop(self._clock)
        self._incarnation = incarnation or os.urandom(16).hex()
        self._attempts: dict[str, Attempt] = {}
        self._waiting: deque[Attempt] = deque()
        self._slots_used = 0
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._cancelled: OrderedDict[str, str] = OrderedDict()
        self._stopping = False
        self._flusher = LogFlusher(self._loop)
        self._oom = OomCounter()
        self._spool = ReportSpool(settings.spool_dir / settings.name.replace("/", "_"), settings.spool_bytes_max)
        self._conversation = Conversation(
            self._loop, _exchange_settings(settings, self._incarnation), self._hello, self._spool, self._clock
        )
        self._nursery = Nursery(self._loop, _nursery_settings(settings), self._clock)
        self._secrets = SecretsClient(self._loop, settings.secrets, self._clock)
        self._loaded_secrets: set[str] = set()
        """Of connections that DAG files have read while they were loaded: templates hold them, every log masks them."""
        self._door: Door | None = None

    def run(self) -> None:
        """Serve until stopped."""
        door = self._door = Door(self._loop, self._settings.socket, self)
        lookups = LookupDoor(self._loop, lookup_path(self._settings.socket), self._look_up)
        self._nursery.start()
        for report in self._spool.load():
            self._conversation.put(report, lambda _reply: None)
        self._conversation.start()
        self._loop.after(self._settings.heartbeat_seconds, self._beat)
        _log.info("agent_ready", agent=self._settings.name, slots=self._settings.slots)
        try:
            self._loop.run()
        finally:
            door.close()
            lookups.close()
            self._flusher.flush()
            self._conversation.close()
            self._nursery.close()
            self._secrets.close()
            self._loop.close()
            _log.info("agent_stopped", agent=self._settings.name)

    def stop(self) -> None:
        """Take no more, let what runs end, report, and leave. A second call does not wait for attempts."""
        self._loop.call_threadsafe(self._begin_to_stop)

    def stop_at(self, *numbers: int) -> None:
        """Have these signals call `stop`. Only in the main thread, which then has to be the one that runs."""
        for number in numbers:
            signal.signal(number, lambda _number, _frame: self.stop())
        self._loop.heed_signals()

    # --- the desk behind the door -----------------------------------------------------------------------------------

    def submit(self, workloads: Sequence[SignedWorkload], give_back: Return) -> list[str]:
        """Take workloads; each token once, however often it comes. Those that cannot be taken are given back."""
        accepted = []
        for signed in workloads:
            try:
                workload = open_workload(signed, self._settings.key)
            except (Forbidden, msgspec.DecodeError) as error:
                _log.error("workload_refused", reason=str(error))
                give_back("", str(error))
                continue
            accepted.append(workload.token)
            if workload.token not in self._attempts and workload.token not in self._seen:
                self._take(workload, signed.payload, give_back)
            elif workload.token in self._seen and self._door is not None:
                self._door.tell_end(workload.token)
        return accepted

    def cancel(self, tokens: Sequence[str], reason: str) -> None:
        """End attempts; those not known yet will not begin."""
        for token in tokens:
            attempt = self._attempts.get(token)
            if attempt is not None:
                self._end_attempt(attempt, Ending(CauseOfDeath.USER, reason))
            elif token not in self._seen:
                self._cancelled[token] = reason
                if len(self._cancelled) > _REMEMBERED_MAX:
                    self._cancelled.popitem(last=False)

    def known(self, tokens: Sequence[str]) -> list[str]:
        """Those in hand: submitted, and their report not yet accepted."""
        return [token for token in tokens if token in self._attempts]

    def status(self) -> AgentStatus:
        return AgentStatus(
            agent=self._settings.name,
            incarnation=self._incarnation,
            pid=os.getpid(),
            slots=self._settings.slots,
            running=self._slots_used,
            waiting=len(self._waiting),
            control_plane_reachable=not self._conversation.failing,
            zygote_pid=self._nursery.zygote_pid(),
            templates={key.file: pid for key, pid in self._nursery.template_pids().items()},
        )

    # --- beginning --------------------------------------------------------------------------------------------------

    def _take(self, workload: Workload, payload: bytes, give_back: Return) -> None:
        if self._stopping:
            give_back(workload.token, "the agent is stopping")
            return
        if len(self._waiting) >= self._settings.waiting_max:
            give_back(
                workload.token, f"{len(self._waiting)} attempts wait for one of {self._settings.slots} slots already"
            )
            return
        attempt = self._new_attempt(workload, payload, give_back)
        reason = self._cancelled.pop(workload.token, None)
        if reason is None and self._slots_used < self._settings.slots:
            self._begin(attempt)
            return
        self._waiting.append(attempt)
        if reason is not None:
            self._end_attempt(attempt, Ending(CauseOfDeath.USER, reason))

    def _new_attempt(self, workload: Workload, payload: bytes, give_back: Return) -> Attempt:
        run, masker = workload.run, Masker(self._settings.mask_length_min)
        for secret in self._loaded_secrets:
            masker.add(secret)
        path = attempt_log(
            self._settings.logs_folder, run.dag_id, run.run_id, workload.task_id, workload.map_path, workload.try_number
        )
        log = AttemptLog(path, self._flusher, masker, self._clock, self._settings.line_bytes_max)
        attempt = Attempt(workload, payload, give_back, log, masker)
        self._attempts[workload.token] = attempt
        return attempt

    def _begin(self, attempt: Attempt) -> None:
        """Claim and process at once: whichever is ready first waits for the other."""
        workload = attempt.workload
        attempt.phase = Phase.STARTING
        self._slots_used += 1
        if workload.grantee == self._incarnation:
            # Granted in the transaction that queued it: nobody else can begin it, so the claim may come after.
            attempt.go = Go(workload.given)
            attempt.claim = Claim(token=attempt.token, at=self._clock.now())
            attempt.timers.append(self._loop.after(_CLAIM_SECONDS, lambda: self._send_claim(attempt)))
        else:
            attempt.claim = Claim(token=attempt.token, at=self._clock.now(), inputs=workload.inputs)
            self._send_claim(attempt)
        # After this turn's claims have left: the fork takes its time while the face answers.
        self._loop.soon(lambda: self._launch(attempt))

    def _send_claim(self, attempt: Attempt) -> None:
        """Before anything else that is said about this attempt; once."""
        claim, attempt.claim = attempt.claim, None
        if claim is not None:
            if attempt.seat is not None and attempt.seat.pid is not None:
                claim = msgspec.structs.replace(claim, pid=attempt.seat.pid)
            granted = attempt.workload.grantee == self._incarnation
            self._conversation.put(
                claim,
                lambda reply: self._claimed(attempt, reply),
                patient=granted and self._slots_used > _CALM_MAX,
            )

    def _launch(self, attempt: Attempt) -> None:
        if attempt.phase is Phase.ENDED:
            return
        workload = attempt.workload
        tree = tree_path(self._settings.bundles_root, workload.bundle, workload.bundle_version)
        attempt.wish = self._nursery.want(
            TemplateKey(str(tree), workload.file),
            workload.isolation,
            lambda seat: self._seated(attempt, seat),
            lambda failure: self._not_launched(attempt, failure),
        )

    def _seated(self, attempt: Attempt, seat: Seat) -> None:
        attempt.wish = None
        attempt.seat = seat
        seat.user, seat.on_frame, seat.on_end = attempt, self._heard, self._seat_ended
        seat.log_to(attempt.log)
        settings, workload = self._settings, attempt.workload
        tree = tree_path(settings.bundles_root, workload.bundle, workload.bundle_version)
        seat.start(
            Start(
                payload=attempt.payload,
                tree=str(tree),
                hostname=settings.hostname,
                values_url=settings.values_url,
                inline_bytes_max=settings.inline_bytes_max,
                value_bytes_max=settings.value_bytes_max,
                line_bytes_max=settings.line_bytes_max,
                mask_length_min=settings.mask_length_min,
                log_level=settings.log_level,
            )
        )
        if attempt.go is not None:
            self._set_off(attempt, attempt.go)

    def _claimed(self, attempt: Attempt, reply: Reply) -> None:
        if attempt.workload.grantee == self._incarnation:
            if not isinstance(reply, Go):
                reason = reply.reason if isinstance(reply, Stop) else str(reply)
                self._stop_attempt(attempt, reason)
            return
        if attempt.phase is not Phase.STARTING:
            return
        if isinstance(reply, Go):
            attempt.go = reply
            if attempt.seat is not None:
                self._set_off(attempt, reply)
        elif isinstance(reply, Stop):
            self._drop(attempt, reply.reason)
        else:
            reason = reply.message if isinstance(reply, Refused) else type(reply).__name__
            _log.error("claim_refused", attempt=attempt.label, reason=reason)
            self._drop(attempt, reason)

    def _set_off(self, attempt: Attempt, go: Go) -> None:
        """Claimed and seated: the attempt begins."""
        assert attempt.seat is not None
        attempt.seat.go(go)
        attempt.phase = Phase.RUNNING
        attempt.started_at = self._clock.now()
        attempt.timers.append(self._loop.after(_SILENT_SECONDS, lambda: self._say_start(attempt)))
        seconds = attempt.workload.execution_timeout_seconds
        if seconds is not None:
            ending = Ending(CauseOfDeath.TIMEOUT, f"execution_timeout of {seconds:g} s passed")
            # The task ends itself in time; this is for one that cannot.
            patience = seconds + self._settings.cleanup_seconds
            attempt.timers.append(self._loop.after(patience, lambda: self._kill(attempt, ending)))

    def _not_launched(self, attempt: Attempt, failure: LaunchFailure) -> None:
        attempt.wish = None
        if failure.trace:
            attempt.log.say("error", f"{failure.reason}\n{failure.trace}")
        outcome = Outcome(state=TaskInstanceState.FAILED, cause=CauseOfDeath.LAUNCH, reason=failure.reason)
        self._finish(attempt, outcome)
        self._free_slot()

    def _say_start(self, attempt: Attempt) -> None:
        """The first line of the log; said with the second, because the pid becomes known a little after GO, or when the
        attempt has been silent for a moment.
        """
        if attempt.seat is None or attempt.start_said:
            return
        attempt.start_said = True
        pid = f", pid {attempt.seat.pid}" if attempt.seat.pid is not None else ""
        where = f"{self._settings.hostname}{pid}"
        text = f"attempt {attempt.workload.try_number} of {attempt.label} starts on {where}"
        attempt.log.say("info", text, attempt.started_at)

    # --- while it runs ----------------------------------------------------------------------------------------------

    def _heard(self, seat: Seat, kind: int, payload: bytes) -> None:
        """A frame of a child."""
        attempt = seat.user
        if kind == FromChild.READY:
            self._free_slot_of(seat)
            self._nursery.warm(seat)
            return
        if not isinstance(attempt, Attempt):
            return
        self._say_start(attempt)
        if kind == FromChild.LOG:
            attempt.log.raw(payload)
        elif kind == FromChild.VERDICT:
            self._judged(seat, attempt, payload)
        elif kind == FromChild.ASK:
            self._asked(seat, attempt, payload)
        elif kind == FromChild.TELL:
            message = words.decode_message(payload)
            if getattr(message, "token", None) == attempt.token:
                self._send_claim(attempt)
                self._conversation.put(message, lambda reply: self._told(attempt, reply))
        elif kind == FromChild.MASK:
            attempt.masker.add(payload.decode("utf-8", "surrogateescape"))

    def _asked(self, seat: Seat, attempt: Attempt, payload: bytes) -> None:
        number, message = words.decode_ask(payload)
        if getattr(message, "token", None) != attempt.token:
            seat.reply(number, Refused("Forbidden", "a task speaks for its own attempt only"))
            return

        self._send_claim(attempt)

        def answered(reply: Reply) -> None:
            if isinstance(reply, ConnectionFacts):
                self._mask_connection(attempt, reply)
            if seat.user is attempt:
                seat.reply(number, reply)
            if isinstance(reply, Stop):
                self._stop_attempt(attempt, reply.reason)

        if self._secrets.enabled and isinstance(message, GetConnection | GetVariable):
            self._ask_backends(message, answered)
        else:
            self._conversation.put(message, answered)

    def _look_up(self, kind: str, name: str, told: Callable[[Any], None]) -> None:
        """What a DAG file asks for while it is loaded: for the attempt that waits for it, or any other that is live."""
        live = [attempt for attempt in self._attempts.values() if attempt.phase is not Phase.ENDED]
        attempt = next((each for each in live if each.wish is not None), next(iter(live), None))
        if attempt is None:
            told(None)
            return

        def answered(reply: Reply) -> None:
            if isinstance(reply, ConnectionFacts):
                if reply.password:
                    self._loaded_secrets.add(reply.password)
                    for each in self._attempts.values():
                        each.masker.add(reply.password)
                told(msgspec.to_builtins(reply))
            else:
                told(reply.value if isinstance(reply, Text) else None)

        self._send_claim(attempt)
        token = attempt.token
        message = GetVariable(token, name) if kind == "variable" else GetConnection(token, name)
        if self._secrets.enabled:
            self._ask_backends(message, answered)
        else:
            self._conversation.put(message, answered)

    def _ask_backends(self, message: GetConnection | GetVariable, answered: Callable[[Reply], None]) -> None:
        """Backends of this worker are asked first; what they do not know, the server may."""

        def told(found: Found) -> None:
            if found.connection is not None:
                answered(found.connection)
            elif found.text is not None:
                answered(Text(found.text))
            else:
                self._conversation.put(message, answered)

        if isinstance(message, GetConnection):
            self._secrets.ask("connection", message.conn_id, told)
        else:
            self._secrets.ask("variable", message.key, told)

    def _told(self, attempt: Attempt, reply: Reply) -> None:
        if isinstance(reply, Stop):
            self._stop_attempt(attempt, reply.reason)
        elif isinstance(reply, Refused):
            attempt.log.say("warning", f"{reply.error}: {reply.message}")

    @staticmethod
    def _mask_connection(attempt: Attempt, facts: ConnectionFacts) -> None:
        if facts.password:
            attempt.masker.add(facts.password)

    def _judged(self, seat: Seat, attempt: Attempt, payload: bytes) -> None:
        """The child has said how it ended. Its process goes by itself, or makes itself ready for the next attempt."""
        outcome = words.decode_outcome(payload)
        seat.log_to(None)
        self._finish(attempt, _with_ending(outcome, attempt.ending))
        if attempt.workload.isolation is Isolation.FORK:
            self._nursery.finished(seat, calm=self._slots_used <= _CALM_MAX)

    # --- ending -----------------------------------------------------------------------------------------------------

    def _end_attempt(self, attempt: Attempt, ending: Ending) -> None:
        """End an attempt from here: politely at first."""
        if attempt.phase is Phase.ENDED:
            return
        if attempt.ending is None:
            attempt.ending = ending
        if attempt.phase is not Phase.RUNNING:
            self._abort(attempt)
            self._finish(attempt, Outcome(state=TaskInstanceState.FAILED, cause=ending.cause, reason=ending.reason))
            return
        seconds = self._settings.cleanup_seconds
        attempt.log.say("warning", f"ending the attempt: {ending.reason}; it has {seconds:g} s to clean up")
        assert attempt.seat is not None
        attempt.seat.terminate()
        attempt.timers.append(self._loop.after(seconds, lambda: self._kill(attempt, ending)))

    def _stop_attempt(self, attempt: Attempt, reason: str) -> None:
        """The control plane does not want it any more: no report will be missed."""
        if attempt.phase is Phase.ENDED:
            return
        attempt.unwanted = True
        if attempt.phase is Phase.RUNNING:
            self._end_attempt(attempt, Ending(CauseOfDeath.USER, reason))
        else:
            self._drop(attempt, reason)

    def _drop(self, attempt: Attempt, reason: str) -> None:
        """It has not begun and must not: forget it."""
        attempt.log.say("info", f"attempt {attempt.workload.try_number} of {attempt.label} does not start: {reason}")
        self._abort(attempt)
        self._forget(attempt)

    def _abort(self, attempt: Attempt) -> None:
        """Undo the beginning of an attempt whose user code has not begun."""
        if attempt.phase is Phase.WAITING:
            self._waiting.remove(attempt)
        elif attempt.seat is not None:
            attempt.seat.kill()  # its end frees the slot
        else:
            if attempt.wish is not None:
                attempt.wish.cancel()
            self._free_slot()
        attempt.phase = Phase.ENDED

    def _kill(self, attempt: Attempt, ending: Ending) -> None:
        """Patience has ended."""
        if attempt.phase is Phase.ENDED or attempt.seat is None:
            return
        if attempt.ending is None:
            attempt.ending = ending
        attempt.log.say("error", f"killing the process (SIGKILL): {ending.reason}")
        attempt.seat.kill()

    def _seat_ended(self, seat: Seat, end: SeatEnd) -> None:
        """The process is gone. If the attempt has no outcome yet, this is it."""
        attempt = seat.user
        if isinstance(attempt, Attempt) and attempt.phase is not Phase.ENDED:
            if attempt.phase is Phase.RUNNING:
                self._say_start(attempt)
            death = self._death(attempt, end)
            self._finish(
                attempt,
                Outcome(
                    state=TaskInstanceState.FAILED,
                    cause=death.cause,
                    reason=death.reason,
                    exit_code=death.exit_code,
                    signal=death.signal,
                    started_at=attempt.started_at,
                    max_rss_bytes=end.max_rss_bytes,
                    cpu_seconds=end.cpu_seconds,
                ),
            )
        self._free_slot_of(seat)

    def _death(self, attempt: Attempt, end: SeatEnd) -> Death:
        if end.status is None:
            cause = CauseOfDeath.LAUNCH if end.launch else CauseOfDeath.LOST
            if attempt.ending is not None:
                return Death(cause=attempt.ending.cause, reason=attempt.ending.reason)
            return Death(cause=cause, reason=end.reason)
        killed = os.WIFSIGNALED(end.status) and attempt.ending is None
        return death_of(end.status, attempt.ending, out_of_memory=killed and self._oom.take())

    def _finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """The outcome is known: report it, close the log."""
        attempt.phase = Phase.ENDED
        attempt.cancel_timers()
        if outcome.ended_at is None:
            outcome = msgspec.structs.replace(outcome, ended_at=self._clock.now())
        attempt.outcome = outcome
        if attempt.unwanted:
            self._forget(attempt)
        else:
            report = Report(attempt.token, outcome)
            self._send_claim(attempt)
            self._conversation.put(
                report, lambda reply: self._reported(attempt, outcome, reply), patient=self._slots_used > _CALM_MAX
            )
        # After this turn's reports have left: writing the file takes longer than sending a message.
        self._loop.soon(lambda: self._close_log(attempt, outcome))

    def _close_log(self, attempt: Attempt, outcome: Outcome) -> None:
        said = f"attempt {attempt.workload.try_number} ended: {outcome.state}"
        if outcome.reason:
            said += f": {outcome.reason}"
        attempt.log.say("error" if outcome.state is TaskInstanceState.FAILED else "info", said)
        attempt.log.close()

    def _reported(self, attempt: Attempt, outcome: Outcome, reply: Reply) -> None:
        if isinstance(reply, Refused) and (outcome.xcoms or outcome.rendered_fields):
            # What it carries cannot be stored; that it ended can.
            plain = Outcome(
                state=TaskInstanceState.FAILED,
                cause=CauseOfDeath.EXCEPTION,
                reason=f"its result was refused: {reply.message}",
                started_at=outcome.started_at,
                ended_at=outcome.ended_at,
            )
            self._conversation.put(Report(attempt.token, plain), lambda again: self._reported(attempt, plain, again))
            return
        if isinstance(reply, Refused):
            _log.error("report_refused", attempt=attempt.label, reason=reply.message)
        self._forget(attempt)

    def _forget(self, attempt: Attempt) -> None:
        attempt.phase = Phase.ENDED
        attempt.cancel_timers()
        attempt.log.flush()
        self._attempts.pop(attempt.token, None)
        if self._door is not None:
            self._door.tell_end(attempt.token)
        self._seen[attempt.token] = None
        if len(self._seen) > _REMEMBERED_MAX:
            self._seen.popitem(last=False)

    def _free_slot_of(self, seat: Seat) -> None:
        if seat.user is not None:
            seat.user = None
            self._free_slot()

    def _free_slot(self) -> None:
        self._slots_used -= 1
        while self._waiting and self._slots_used < self._settings.slots and not self._stopping:
            self._begin(self._waiting.popleft())
        if self._stopping:
            self._loop.soon(self._leave_if_done)

    # --- rhythm -----------------------------------------------------------------------------------------------------

    def _hello(self) -> Hello:
        settings = self._settings
        return Hello(
            hostname=settings.hostname,
            pid=os.getpid(),
            slots=settings.slots,
            executor=settings.executor,
            queues=settings.queues,
        )

    def _beat(self) -> None:
        tokens = tuple(self._attempts)
        if not self._conversation.failing:
            self._conversation.put(Heartbeat(tokens), self._beaten)
        self._nursery.tidy()
        self._loop.after(self._settings.heartbeat_seconds, self._beat)

    def _beaten(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            # Not registered (any more), after a long silence for instance.
            _log.warning("agent_not_registered", reason=reply.message)
            self._conversation.introduce_again()
            return
        if not isinstance(reply, Stops):
            return
        for token, reason in reply.attempts.items():
            attempt = self._attempts.get(token)
            if attempt is not None:
                self._stop_attempt(attempt, reason)

    def _begin_to_stop(self) -> None:
        if self._stopping:
            self._loop.stop()
            return
        self._stopping = True
        _log.info("agent_stopping", running=self._slots_used, waiting=len(self._waiting))
        for attempt in list(self._waiting):
            self._waiting.remove(attempt)
            self._attempts.pop(attempt.token)
            attempt.give_back(attempt.token, "the agent is stopping")
        for attempt in list(self._attempts.values()):
            self._end_attempt(attempt, Ending(CauseOfDeath.KILLED, "the agent was stopped"))
        self._loop.after(self._settings.stop_seconds, self._loop.stop)
        self._leave_if_done()

    def _leave_if_done(self) -> None:
        # While the control plane is away, reports are safe on disk.
        if not self._slots_used and (self._conversation.idle or self._conversation.failing):
            self._loop.stop()
        else:
            self._loop.after(_STOP_LOOK_SECONDS, self._leave_if_done)


_STOP_LOOK_SECONDS = 0.05


def _with_ending(outcome: Outcome, ending: Ending | None) -> Outcome:
    """A task that was told to end and failed did so for that reason, whatever it raised."""
    if ending is None or outcome.state is not TaskInstanceState.FAILED:
        return outcome
    return msgspec.structs.replace(outcome, cause=ending.cause, reason=ending.reason)


def _exchange_settings(settings: AgentSettings, incarnation: str) -> ExchangeSettings:
    return ExchangeSettings(
        url=settings.url,
        agent=settings.name,
        incarnation=incarnation,
        credential=settings.credential,
        batch_max=settings.batch_max,
        retry_seconds_min=settings.retry_seconds_min,
        retry_seconds_max=settings.retry_seconds_max,
        silence_seconds_max=settings.lost_seconds / 2,
        answer_seconds_max=max(30.0, settings.lost_seconds),
    )


def _nursery_settings(settings: AgentSettings) -> NurserySettings:
    return NurserySettings(
        environment=settings.environment,
        preload=settings.preload,
        loader=settings.loader,
        template_memory_bytes_max=settings.template_memory_bytes_max,
        import_seconds_max=settings.import_seconds_max,
        reuse_idle_seconds=settings.reuse_idle_seconds,
        restart_seconds_min=settings.restart_seconds_min,
        restart_seconds_max=settings.restart_seconds_max,
    )
