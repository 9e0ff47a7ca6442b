"""The loop of the processor: look, lease, load, publish.

One thread owns all state. It is woken by the watch (a file changed), the parse host (a file is loaded) and timers
(rescan, heartbeat, leases). Trouble with the database is waited out: nothing is taken as done before its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tradewind.commands.publication import Published, forget_file, publish_file
from tradewind.kernel.clock import Clock
from tradewind.kernel.doorbell import Listener
from tradewind.kernel.ids import uuid7
from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.kernel.service import ThreadService
from tradewind.kernel.settings import Settings
from tradewind.kernel.telemetry import NoTelemetry, Telemetry
from tradewind.ports.bundles import Bundle
from tradewind.ports.store import Store, Transaction
from tradewind.runtime.loop import READABLE, Loop, Timer
from tradewind.runtime.parse_words import ParseAnswer, ParseProblem
from tradewind.wire.errors import BadInput, NotFound, Unavailable

from .answers import parsed_file
from .backlog import Backlog, Urgency
from .discovery import Discoverer
from .known import Contents, KnownFiles
from .loading import Loading, Ordered
from .presence import Presence
from .telling import Teller
from .watch import FolderWatch

_APPEAR_SECONDS = 1.0
"""After this long the processor counts as alive though the folder is not published yet."""
log = get_logger("processor")

_ORDERED_MAX = 16
"""Files leased ahead of those being loaded, so that children never wait for the database."""
_PAUSE_SECONDS_MIN, _PAUSE_SECONDS_MAX = 0.1, 5.0
_MISSING_FOLDER_SECONDS = 5.0
_LOOK_SHARE = 4
"""After a look, at least so many times its length passes before the next: a folder written to all the time."""
_LOOK_PAUSE_SECONDS_MAX = 2.0


class ProcessorService(ThreadService):
    """Keeps the DAGs of one bundle in step with its files.

    Parameters:
        store: where DAGs are published.
        bundle: where files come from.
        settings: sections processor and core.
        clock: tells the time.
        telemetry: hears `DagParsed`.
        preload: modules that many DAG files import: the operators that come in the box.
        new_id: makes ids of rows.
    """

    def __init__(
        self,
        store: Store,
        bundle: Bundle,
        settings: Settings,
        clock: Clock,
        telemetry: Telemetry | None = None,
        *,
        preload: Sequence[str] = (),
        new_id: Callable[[], str] = lambda: str(uuid7()),
    ) -> None:
        super().__init__(f"dag-processor-{bundle.name}")
        self._store = store
        self._bundle = bundle
        self._settings = settings
        self._options = settings.processor
        self._clock = clock
        self._new_id = new_id
        self._presence = Presence(new_id(), bundle.name, clock)
        self._teller = Teller(bundle.name, clock, telemetry or NoTelemetry())
        self._loop = Loop(clock)
        self._loading = Loading(
            self._loop, settings, str(bundle.folder), preload, on_ready=self._host_is_ready, on_answer=self._take_answer
        )
        self._host_ready = False
        self._discoverer = Discoverer(self._options.ignore_syntax, self._options.safe_mode)
        self._known = KnownFiles()
        self._backlog = Backlog()
        self._found: dict[str, str] = {}
        self._contents: Contents | None = None
        self._trees_moved: tuple[str, list[tuple[str, str]]] | None = None
        self._rows_read = False
        self._answered: list[tuple[Ordered, ParseAnswer]] = []
        self._publish_soon = False
        self._held: set[str] = set()
        self._refused: dict[str, set[str]] = {}
        self._watch: FolderWatch | None = None
        self._bell: Listener | None = None
        self._look_timer: Timer | None = None
        self._looked_at = -1e9
        self._look_seconds = 0.0
        self._retry_timer: Timer | None = None
        self._appeared = False
        self._waits_for_source = False
        self._pause = 0.0
        self._outage = Outage(log, "database_unavailable", "database_reached_again")

    # --- life --------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            self._loading.start()
            self._hear()
            self._rescan()
            self._loop.after(_APPEAR_SECONDS, self._appear)
            self._loop.after(self._beat_seconds, self._beat)
            self._loop.after(self._options.lease_seconds / 3, self._renew_leases)
            self._loop.after(self._settings.bundles.cleanup_interval_seconds, self._clean)
            while not self.stopping.is_set():
                self._loop.turn()
        finally:
            self._loading.close()
            if self._watch is not None:
                self._watch.close()
            if self._bell is not None:
                self._loop.remove(self._bell.fileno())
                self._bell.close()
            self._sign_off()
            self._loop.close()

    def wake(self) -> None:
        self._loop.call_threadsafe(lambda: None)

    @property
    def _beat_seconds(self) -> float:
        return min(self._settings.scheduler.heartbeat_seconds, self._options.lease_seconds / 3)

    def _hear(self) -> None:
        """Files that somebody wants loaded again are looked at when the bell rings, not only at the next rescan."""
        try:
            self._bell = self._store.listen(["files"])
        except Unavailable as error:
            log.warning("doorbell_unavailable", reason=str(error))
            return
        self._loop.add(self._bell.fileno(), READABLE, lambda _events: self._heard())

    def _heard(self) -> None:
        if self._bell is not None and self._bell.wait(0):
            self._rows_read = False
            self._changed()

    def _appear(self) -> None:
        """Be counted as alive: once what lay in the folder is published, or has taken long enough."""
        if not self._appeared:
            self._appeared = self._attempt(self._presence.begin)

    def _beat(self) -> None:
        if self._appeared:
            self._attempt(self._presence.beat)
        self._loop.after(self._beat_seconds, self._beat)

    def _sign_off(self) -> None:
        try:
            with self._store.begin() as tx:
                self._presence.end(tx)
        except Unavailable as error:
            log.warning("sign_off_failed", reason=str(error))

    def _attempt(self, work: Callable[[Transaction], None]) -> bool:
        """Run a transaction; False, and everything is tried again soon, when the database cannot be reached."""
        try:
            with self._store.begin() as tx:
                work(tx)
        except Unavailable as error:
            self._pause = min(max(self._pause * 2, _PAUSE_SECONDS_MIN), _PAUSE_SECONDS_MAX)
            self._outage.met(reason=str(error), again_in_seconds=self._pause)
            if self._retry_timer is None:
                self._retry_timer = self._loop.after(self._pause, self._retry)
            return False
        self._pause = 0.0
        self._outage.over()
        return True

    def _retry(self) -> None:
        self._retry_timer = None
        self._publish()
        self._look()

    # --- looking -----------------------------------------------------------------------------------------------------

    def _rescan(self) -> None:
        """The slow rhythm: what others published, what the watch missed."""
        self._rows_read = False
        self._look()
        self._loop.after(self._rescan_seconds, self._rescan)

    @property
    def _rescan_seconds(self) -> float:
        """A folder that is a link may be exchanged without an event in the folder."""
        slow = self._options.rescan_seconds
        rhythm = self._bundle.refresh_seconds
        if rhythm is not None:
            return min(slow, rhythm, _MISSING_FOLDER_SECONDS)
        return min(slow, _MISSING_FOLDER_SECONDS) if self._bundle.folder.is_symlink() else slow

    def _read_rows(self, tx: Transaction) -> None:
        first = self._contents is None
        self._rows_read = True
        rows = tx.file_list(self._bundle.name)
        self._known.take_rows(row for row in rows if row.parsed_at is not None)
        if first:
            # What failed may have failed because of something outside the bundle: a missing library, a full disk.
            for error in tx.list_import_errors():
                if error.bundle == self._bundle.name:
                    self._backlog.add(error.path, Urgency.BACKLOG)

    def _changed(self) -> None:
        """The watch rang."""
        if self._look_timer is None:
            rest = min(self._look_seconds * _LOOK_SHARE, _LOOK_PAUSE_SECONDS_MAX)
            since = self._clock.monotonic() - self._looked_at
            self._look_timer = self._loop.after(max(0.0, rest - since), self._look)

    def _look(self) -> None:
        """Take a snapshot, drop what is gone, queue what changed."""
        if self._look_timer is not None:
            self._look_timer.cancel()
            self._look_timer = None
        if not self._rows_read and not self._attempt(self._read_rows):
            return
        begun = self._clock.monotonic()
        self._watch_folder()
        try:
            snapshot = self._bundle.snapshot()
        except (Unavailable, NotFound, BadInput) as error:
            log.error("bundle_unavailable", bundle=self._bundle.name, reason=str(error))
            self._look_timer = self._loop.after(_MISSING_FOLDER_SECONDS, self._look)
            self._waits_for_source = True
            self._be_ready()
            return
        self._waits_for_source = False
        found, notes = self._discoverer.find(snapshot)
        self._teller.notes((*snapshot.notes, *notes))
        self._contents, self._found = Contents(snapshot), found
        self._forget_gone()
        under_way = {one.path: one.fingerprint for one in self._under_way()}
        for change in self._known.compare(self._contents, found, under_way):
            self._backlog.add(change.path, change.urgency)
        self._move_trees()
        self._looked_at = self._clock.monotonic()
        self._look_seconds = self._looked_at - begun
        self._pump()
        self._be_ready()

    def _move_trees(self) -> None:
        """New runs of what stayed as it was get the newest tree all the same: its tasks may read files that nobody can
        know of when the file is loaded.
        """
        assert self._contents is not None
        steady, tree = self._known.steady, self._contents.snapshot.version
        if not steady or (tree, steady) == self._trees_moved:
            return
        if self._attempt(lambda tx: tx.dag_move_trees(self._bundle.name, tree, steady)):
            self._trees_moved = (tree, steady)

    def _watch_folder(self) -> None:
        folder = str(self._bundle.folder)
        if self._watch is not None and self._watch.is_of(folder):
            return
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        try:
            self._watch = FolderWatch(folder, lambda: self._loop.call_threadsafe(self._changed))
        except OSError:
            pass  # the snapshot is about to tell

    def _forget_gone(self) -> None:
        gone = self._known.gone(self._found)
        if not gone:
            return
        freed: list[str] = []

        def forget(tx: Transaction) -> None:
            for path in gone:
                freed.extend(forget_file(tx, self._bundle.name, path))

        if self._attempt(forget):
            for path in gone:
                self._teller.gone(path)
                self._known.forget(path)
                self._backlog.drop(path)
            self._give_freed(freed)

    def _under_way(self) -> list[Ordered]:
        return [*self._loading.under_way, *(one for one, _ in self._answered)]

    def _host_is_ready(self) -> None:
        self._host_ready = True
        self._be_ready()

    def _be_ready(self) -> None:
        # A source that is away is waited for: the bundles beside it must not wait as well.
        if self._host_ready and (self._contents is not None or self._waits_for_source):
            self.ready()
            if not self._backlog and not self._under_way():
                self._appear()

    # --- loading -----------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Lease the most urgent files and have them loaded."""
        assert self._contents is not None
        wanted = {
            path: urgency
            for path, urgency in self._backlog.take(_ORDERED_MAX - len(self._loading))
            if path in self._found
        }
        if not wanted:
            return
        leased: list[str] = []

        def lease(tx: Transaction) -> None:
            leased.extend(self._lease(tx, list(wanted)))

        done = self._attempt(lease)
        for path, urgency in wanted.items():
            if not done:
                self._backlog.add(path, urgency)
            elif path in leased:
                self._begin(path, urgency)
            else:
                self._wait_for_other(path)

    def _lease(self, tx: Transaction, paths: list[str]) -> list[str]:
        holder = self._presence.incarnation
        return tx.file_lease(self._bundle.name, paths, holder, self._options.lease_seconds)

    def _begin(self, path: str, urgency: Urgency) -> None:
        assert self._contents is not None
        disk = self._found[path]
        before = self._contents.fingerprint(disk, self._known.dependencies_of(path))
        self._loading.begin(Ordered(path, disk, self._contents, urgency, before))

    def _wait_for_other(self, path: str) -> None:
        """Another processor has the file: look at what it published when its lease must be over."""
        if path in self._held:
            return
        self._held.add(path)

        def over() -> None:
            self._held.discard(path)
            self._rows_read = False
            self._look()

        self._loop.after(self._options.lease_seconds, over)

    def _renew_leases(self) -> None:
        paths = [one.path for one in self._under_way()]

        def renew(tx: Transaction) -> None:
            self._lease(tx, paths)

        if paths:
            self._attempt(renew)
        self._loop.after(self._options.lease_seconds / 3, self._renew_leases)

    # --- trees that nobody needs -------------------------------------------------------------------------------------

    def _clean(self) -> None:
        """Remove trees that no run, no version and no DAG names; young ones and the newest stay in any case."""
        options = self._settings.bundles
        trees = self._bundle.trees()
        newest = sorted(trees, key=lambda version: trees[version], reverse=True)[: options.cleanup_keep]
        young = self._clock.now().timestamp() - options.cleanup_age_seconds
        doubtful = [version for version, made in trees.items() if version not in newest and made < young]
        used: set[str] = set()
        if doubtful and self._attempt(lambda tx: used.update(tx.bundle_versions_used(self._bundle.name, doubtful))):
            gone = self._bundle.remove_trees({*trees} - {*doubtful} | used)
            log.info("trees_removed", bundle=self._bundle.name, trees=len(gone))
        self._loop.after(options.cleanup_interval_seconds, self._clean)

    # --- publishing --------------------------------------------------------------------------------------------------

    def _take_answer(self, ordered: Ordered, answer: ParseAnswer) -> None:
        self._answered.append((ordered, answer))
        # All answers of this turn of the loop travel in one transaction.
        if not self._publish_soon:
            self._publish_soon = True
            self._loop.soon(self._publish)

    def _publish(self) -> None:
        self._publish_soon = False
        ready = list(self._answered)
        try:
            done = not ready or self._publish_some(ready)
        except Exception as error:  # one file that the database refuses must not hold up the others: find it
            log.error("publication_failed", error=error, files=len(ready))
            outcomes = [self._publish_alone(*one) for one in ready]
            done = all(outcomes)
        if done and ready:
            self._look_again_at([ordered for ordered, _ in ready])
            self._pump()
            self._be_ready()

    def _publish_alone(self, ordered: Ordered, answer: ParseAnswer) -> bool:
        try:
            return self._publish_some([(ordered, answer)])
        except Exception as error:  # as above: what was found is told where people look
            log.error("dag_file_refused", error=error, file=ordered.path)
            reason = f"what the file defines cannot be stored: {type(error).__name__}: {error}"
            problem = ParseProblem(message=reason, traceback=f"{ordered.path}: {reason}")
            self._answered.remove((ordered, answer))
            told = (ordered, replace(answer, dags=(), problems=(problem,)))
            self._answered.append(told)
            return self._publish_some([told])

    def _publish_some(self, ready: list[tuple[Ordered, ParseAnswer]]) -> bool:
        present = [(one, answer) for one, answer in ready if one.path in self._found]
        parsed = [
            parsed_file(answer, self._bundle.name, one.path, one.disk, one.contents, self._found)
            for one, answer in present
        ]
        outcomes: list[Published] = []
        freed: list[str] = []

        def publish(tx: Transaction) -> None:
            now, paused = self._clock.now(), self._settings.core.dags_are_paused_at_creation
            outcomes.extend(publish_file(tx, file, now, self._new_id, paused_at_creation=paused) for file in parsed)
            for one, _ in ready:
                if one.path not in self._found:  # deleted while it was loaded
                    freed.extend(forget_file(tx, self._bundle.name, one.path))

        if not self._attempt(publish):
            return False
        for each in ready:
            self._answered.remove(each)
        for (_, answer), file, outcome in zip(present, parsed, outcomes, strict=True):
            self._known.take_published(file.path, file.digest, file.dependencies)
            self._note_refused(file.path, outcome.refused)
            freed += outcome.freed
            self._teller.published(file.path, answer, outcome)
        self._give_freed(freed)
        return True

    def _look_again_at(self, published: list[Ordered]) -> None:
        """Files that changed, or whose newly known dependencies changed, while they were being loaded."""
        assert self._contents is not None
        found = {one.path: one.disk for one in published if one.path in self._found}
        if any(one.contents is not self._contents for one in published):
            for change in self._known.compare(self._contents, found, {}):
                self._backlog.add(change.path, Urgency.SAVED)
            self._move_trees()

    def _note_refused(self, path: str, dag_ids: tuple[str, ...]) -> None:
        for paths in self._refused.values():
            paths.discard(path)
        for dag_id in dag_ids:
            self._refused.setdefault(dag_id, set()).add(path)

    def _give_freed(self, dag_ids: list[str]) -> None:
        """DAG ids that a file gave up: files that were refused them are tried again."""
        for dag_id in dag_ids:
            for path in sorted(self._refused.pop(dag_id, ())):
                self._backlog.add(path, Urgency.AFFECTED)
