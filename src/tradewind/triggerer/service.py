"""The triggerer as a service: claims triggers, has them hosted, and writes what they waited for.

A turn is one transaction: what fired is written, what was cancelled is taken down, and what is free is claimed. It
waits for the bell, for news of its hosts, or for the next heartbeat; with nothing to do it sleeps, and no host runs.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tradewind.commands.documents import Documents
from tradewind.commands.trigger_desk import TriggerDesk
from tradewind.commands.watchers import is_watch, tell_watched
from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.kernel.service import ThreadService
from tradewind.ports.bundles import tree_path
from tradewind.ports.rows import ComponentRow, RunRow
from tradewind.ports.store import Store, Transaction
from tradewind.ports.trigger_rows import TriggerFire, TriggerRow
from tradewind.runtime import trigger_words as words
from tradewind.runtime.trigger_words import FromHost, HostStart, RunTrigger
from tradewind.wire.deferral import FailureOfWait
from tradewind.wire.errors import TradewindError, Unavailable
from tradewind.wire.execution import Outcome
from tradewind.wire.ids import path_of

from .hosts import DEATHS_MAX, Host, Hosts, News
from .logs import TriggerLogs
from .starts import workload_of_start

log = get_logger("triggerer")
_OURS = ("tradewind", "airflow")
_DAG_MODULE = "tradewind_dag_"
_STOP_SECONDS = 1.5
"""How long triggers may take to clean up when the triggerer stops: the standalone parent waits little longer."""
_NEWS_MAX = 1000
"""Events written in one transaction."""


class TriggererOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of section `triggerer`, and what it shares with others."""

    name: str
    """Stable over restarts."""
    capacity: int
    queues: tuple[str, ...] | None
    """None: triggers of all queues."""
    lease_seconds: float
    heartbeat_seconds: float
    safety_poll_seconds: float
    blocked_seconds: float
    kill_seconds: float
    idle_seconds: float
    bundles_root: Path
    logs_folder: Path
    values_url: str
    line_bytes_max: int
    mask_length_min: int
    log_level: str
    environment: dict[str, str]


class Triggerer(ThreadService):
    """One incarnation after another: one that was declared lost begins anew."""

    def __init__(
        self, store: Store, clock: Clock, desk: TriggerDesk, options: TriggererOptions, new_id: Callable[[], str]
    ) -> None:
        super().__init__("triggerer")
        self._store = store
        self._clock = clock
        self._desk = desk
        self._options = options
        self._new_id = new_id
        self._id = new_id()
        self._listener = store.listen(("triggers",))
        self._logs = TriggerLogs(options.logs_folder, clock, options.line_bytes_max)
        self.hosts = Hosts(self._start_of, options.environment, clock, self._listener.interrupt, options.idle_seconds)
        self._documents = Documents()
        self._starts: dict[str, bytes] = {}
        """Token → attempt that begins with the trigger, until it is hosted."""
        self._runs: dict[str, RunRow | None] = {}
        """As read for one claim."""
        self._fires: list[TriggerFire] = []
        self._ends: list[tuple[str, Outcome]] = []
        self._watched: list[words.Fired] = []
        """Events of watchers, which go on when these are stored."""
        self._rung = True
        self._beat_at = 0.0
        self._look_at = 0.0

    # --- life ---------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        outage = Outage(log, "database_unavailable", "database_reached_again")
        self._register()
        self.ready()
        try:
            while not self.stopping.is_set():
                try:
                    self.turn()
                    outage.over()
                except Unavailable as error:
                    outage.met(error=str(error), again_in_seconds=1.0)
                    self._listener.wait(1.0)
                    self._rung = True
                    continue
                if not self.stopping.is_set():
                    self._rung = bool(self._listener.wait(self._patience())) or self._rung
        finally:
            self._close()

    def wake(self) -> None:
        self._listener.interrupt()

    def turn(self) -> None:
        """Hear the hosts, then one transaction. Raises `Unavailable`; nothing that was heard is lost then."""
        more = self._hear()
        now = self._clock.monotonic()
        if now >= self._beat_at:
            self._beat()
            self._beat_at = self._clock.monotonic() + self._options.heartbeat_seconds
        look = now >= self._look_at
        if self._fires or self._ends or self._watched or self._rung or look:
            self._write(claim=self._rung or look)
            self._rung = False
        if look:
            self._look_at = self._clock.monotonic() + self._options.safety_poll_seconds
        self.hosts.tidy()
        self._logs.flush()
        if more:
            self._listener.interrupt()

    def _patience(self) -> float:
        now = self._clock.monotonic()
        return max(0.0, min(self._beat_at, self._look_at) - now)

    def _register(self) -> None:
        at = self._clock.now()
        row = ComponentRow(
            kind="triggerer",
            id=self._id,
            name=self._options.name,
            hostname=socket.gethostname(),
            pid=os.getpid(),
            started_at=at,
            heartbeat_at=at,
            slots=self._options.capacity,
            queues=self._options.queues or (),
        )
        with self._store.begin() as tx:
            tx.component_start(row)
            tx.ring("triggers")  # others may hold what an earlier incarnation of this one left

    def _beat(self) -> None:
        with self._store.begin() as tx:
            alive = tx.component_beat("triggerer", self._id)
            hosted = set(tx.trigger_list_hosted(self._id)) if alive else set()
            missing = hosted.difference(self.hosts.tokens())
            # Claimed by a transaction whose answer was lost.
            lost = (
                [(row, *self._place(tx, row, {})) for row in tx.trigger_get_many(missing).values()] if missing else []
            )
        if alive:
            self._drop_strangers(hosted)
            for row, tree, file in lost:
                self._begin(row, tree, file)
            return
        log.warning("triggerer_declared_lost", triggerer=self._id, triggers=len(self.hosts))
        self.hosts.stop(_STOP_SECONDS)  # others have them, or will
        self._id = self._new_id()
        self._register()
        self._rung = True

    def _drop_strangers(self, hosted: set[str]) -> None:
        """What somebody else hosts by now, because this one was silent for too long."""
        pending = {fire.token for fire in self._fires} | {token for token, _ in self._ends}
        for token in [token for token in self.hosts.tokens() if token not in hosted and token not in pending]:
            self.hosts.cancel(token, killed=False)
            self._logs.close(token)

    def _close(self) -> None:
        self.hosts.stop(_STOP_SECONDS)
        self._hear()
        try:
            with self._store.begin() as tx:
                self._desk.end(tx, self._fires, self._ends)
                tx.trigger_release(self._id)
                tx.component_stop("triggerer", self._id)
        except Unavailable as error:
            log.warning("triggers_not_released", error=str(error))
        self._logs.flush()
        self._listener.close()

    # --- what hosts say -----------------------------------------------------------------------------------------------

    def _hear(self) -> bool:
        """Take in what hosts said; whether there is more."""
        asks: list[tuple[Host, words.HostAsk]] = []
        for _ in range(_NEWS_MAX):
            if self.hosts.news.empty():
                break
            self._take(self.hosts.news.get_nowait(), asks)
        if asks:
            self._answer(asks)
        return not self.hosts.news.empty()

    def _take(self, news: News, asks: list[tuple[Host, words.HostAsk]]) -> None:
        match news.kind:
            case FromHost.FIRED:
                self._fired(words.decode_fired(news.payload))
            case FromHost.LOG:
                told = words.decode_line(news.payload)
                if told.token:
                    self._logs.raw(told.token, told.line)
                else:
                    log.info("trigger_host_says", pid=news.host.process.pid, line=told.line.decode("utf-8", "replace"))
            case FromHost.ASK:
                asks.append((news.host, words.decode_ask(news.payload)))
            case FromHost.BLOCKED:
                self._blocked(news.host, words.decode_blocked(news.payload))
            case 0 if not news.host.is_leaving:
                self._host_died(news.host)

    def _fired(self, fired: words.Fired) -> None:
        if fired.token not in self.hosts:
            return  # cancelled, or said by a host that was ended since
        if fired.number:
            self._watched.append(fired)
            return
        wanted = self.hosts.forget(fired.token)
        what = wanted.classpath if wanted is not None else "trigger"
        if fired.outcome is not None:
            self._logs.say(fired.token, "info", f"{what} ends the task: {fired.outcome.state}")
            self._ends.append((fired.token, fired.outcome))
        elif fired.error is not None:
            self._logs.say(fired.token, "error", f"{what} failed:\n{fired.error}")
            failure = FailureOfWait.TRIGGER
            self._fires.append(TriggerFire(token=fired.token, failure=failure, error=fired.error))
        else:
            self._logs.say(fired.token, "info", f"{what} fired")
            self._fires.append(TriggerFire(token=fired.token, event=fired.event))

    def _blocked(self, host: Host, blocked: words.Blocked) -> None:
        wanted = self.hosts.wanted(blocked.token)
        who = wanted.classpath if wanted is not None else "something"
        others = max(0, len(host.tokens) - 1)
        log.warning(
            "trigger_blocks", trigger=who, where=blocked.where, seconds=round(blocked.seconds, 1), pid=host.process.pid
        )
        self._logs.say(
            blocked.token,
            "warning",
            f"{who} has blocked the event loop for {blocked.seconds:.1f} s at {blocked.where}; await, do not block"
            f"{f'; {others} other triggers waited for it' if others else ''}",
        )
        if wanted is not None and self.hosts.isolate(host, blocked.token):
            self._logs.say(blocked.token, "warning", f"{who} begins again in a process of its own")

    def _host_died(self, host: Host) -> None:
        gone = self.hosts.died(host)
        for token in gone.at_fault:
            wanted = self.hosts.wanted(token)
            error = f"the process of trigger {wanted.classpath if wanted else ''} died {DEATHS_MAX} times"
            self._fired(words.Fired(token=token, error=error))

    def _answer(self, asks: Sequence[tuple[Host, words.HostAsk]]) -> None:
        replies = self._desk.answer(self._id, [ask.message for _, ask in asks])
        for (host, ask), reply in zip(asks, replies, strict=True):
            self.hosts.reply(host, ask.number, reply)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _write(self, *, claim: bool) -> None:
        fires, ends, watched = self._fires, self._ends, self._watched
        claimed: list[tuple[TriggerRow, str, str]] = []
        cancelled: list[str] = []
        with self._store.begin() as tx:
            if fires or ends:
                self._desk.end(tx, fires, ends)
            if watched:
                tell_watched(tx, [(each.token, each.event) for each in watched], self._clock.now())
            if claim:
                cancelled = tx.trigger_take_cancelled(self._id)
                room = self._options.capacity - len(self.hosts) + len(cancelled)
                claimed = self._claim(tx, room)
        self._fires, self._ends, self._watched = [], [], []
        for each in watched:
            self.hosts.saved(each.token, each.number)
        for token in [fire.token for fire in fires] + [token for token, _ in ends]:
            self._logs.close(token)
        for token in cancelled:
            self._cancel(token)
        for row, tree, file in claimed:
            self._begin(row, tree, file)

    def _claim(self, tx: Transaction, room: int) -> list[tuple[TriggerRow, str, str]]:
        if room <= 0:
            return []
        rows = tx.trigger_claim(self._id, room, self._options.lease_seconds, self._options.queues)
        trees: dict[str, tuple[str, str]] = {}
        self._runs.clear()
        return [(row, *self._place(tx, row, trees)) for row in rows]

    def _place(self, tx: Transaction, row: TriggerRow, trees: dict[str, tuple[str, str]]) -> tuple[str, str]:
        """Folder of the bundle version that the trigger's module is in, and the DAG file in it; empty: installed."""
        top = row.classpath.partition(".")[0]
        started = self._started(tx, row)
        if top in _OURS and not started:
            return "", ""
        if row.run_key not in trees:
            try:
                dag = self._documents.get(tx, row.version_id)
            except TradewindError:
                return "", ""
            run = tx.run_get(row.run_key)
            version = (run.bundle_version if run is not None else None) or dag.bundle_version
            trees[row.run_key] = (str(tree_path(self._options.bundles_root, dag.bundle, version)), dag.file)
        tree, file = trees[row.run_key]
        if started or top.startswith(_DAG_MODULE) or Path(tree, top).is_dir() or Path(tree, f"{top}.py").is_file():
            return tree, file
        return "", ""

    def _started(self, tx: Transaction, row: TriggerRow) -> bool:
        """Whether the task begins with this trigger and must be asked what it is made with."""
        try:
            dag = self._documents.get(tx, row.version_id)
        except TradewindError:
            return False
        task = dag.tasks.get(row.task_id)
        if task is None or task.start_trigger is None:
            return False
        if row.run_key not in self._runs:
            self._runs[row.run_key] = tx.run_get(row.run_key)
        run = self._runs[row.run_key]
        workload = workload_of_start(row, run, dag) if run is not None else b""
        if workload:
            self._starts[row.token] = workload
        return bool(workload)

    def _begin(self, row: TriggerRow, tree: str, file: str) -> None:
        self._logs.open(row)
        self._logs.say(row.token, "info", f"waits for {row.classpath} in triggerer {self._options.name}")
        path = path_of(row.map_path)
        try:
            kwargs = self._desk.kwargs(row)
        except TradewindError as error:
            self._fires.append(TriggerFire(token=row.token, failure=FailureOfWait.TRIGGER, error=str(error)))
            return
        self.hosts.run(
            tree,
            RunTrigger(
                token=row.token,
                classpath=row.classpath,
                kwargs=kwargs,
                file=file,
                dag_id=row.dag_id,
                run_id=row.run_id,
                task_id=row.task_id,
                map_index=path[-1] if path else -1,
                try_number=row.try_number,
                workload=self._starts.pop(row.token, b""),
                is_watcher=is_watch(row.token),
            ),
        )

    def _cancel(self, token: str) -> None:
        self._logs.say(token, "info", "the task does not wait any more: its trigger is ended (on_kill)")
        self.hosts.cancel(token, killed=True)
        self._logs.close(token)

    def _start_of(self, tree: str) -> HostStart:
        options = self._options
        return HostStart(
            tree=tree,
            values_url=options.values_url,
            line_bytes_max=options.line_bytes_max,
            mask_length_min=options.mask_length_min,
            log_level=options.log_level,
            blocked_seconds=options.blocked_seconds,
            kill_seconds=options.kill_seconds,
        )
