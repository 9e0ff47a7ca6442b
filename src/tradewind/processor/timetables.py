"""Asks timetables of authors' own for the next run of their DAGs, in children, outside any transaction.

Several processors may do so side by side: questions are leased. A question whose asker died is asked again.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from tradewind.commands.documents import Documents
from tradewind.commands.timetables import claim_questions, take_answer
from tradewind.kernel.clock import Clock
from tradewind.kernel.ids import uuid7
from tradewind.kernel.log import get_logger
from tradewind.kernel.outage import Outage
from tradewind.kernel.service import ThreadService
from tradewind.kernel.settings import Settings
from tradewind.ports.bundles import tree_path
from tradewind.ports.rows import DagRow
from tradewind.ports.store import Store
from tradewind.runtime.agent_settings import task_environment
from tradewind.runtime.timetables import ask_timetable
from tradewind.wire.errors import Unavailable
from tradewind.wire.timetables import TimetableAnswer, TimetableQuestion

log = get_logger("timetables")
_POLL_SECONDS = 10.0
_PAUSE_SECONDS = 1.0
_AT_ONCE = 8
_LEASE_SPARE_SECONDS = 5.0

Ask = Callable[[DagRow, TimetableQuestion], TimetableAnswer]


class TimetableService(ThreadService):
    """Waits for questions, asks, and announces what was said.

    Parameters:
        store, clock: of the installation.
        settings: sections processor and bundles.
        ask: asks one timetable; default: in a child.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock, *, ask: Ask | None = None) -> None:
        super().__init__("timetables")
        self._store = store
        self._settings = settings
        self._clock = clock
        self._owner = str(uuid7())
        self._documents = Documents(64)
        self._ask = ask or self._ask_child
        self._listener = store.listen(["timetables"])

    def run(self) -> None:
        outage = Outage(log, "database_unavailable", "database_reached_again")
        self.ready()
        try:
            while not self.stopping.is_set():
                try:
                    asked = self.turn()
                    outage.over()
                except Unavailable as error:
                    outage.met(error=str(error), again_in_seconds=_PAUSE_SECONDS)
                    self.stopping.wait(_PAUSE_SECONDS)
                    continue
                if not asked and not self.stopping.is_set():
                    self._listener.wait(_POLL_SECONDS)
        finally:
            self._listener.close()

    def wake(self) -> None:
        self._listener.interrupt()

    def turn(self) -> int:
        """Ask what is to be asked; how many questions there were. Raises `Unavailable`."""
        lease = self._settings.processor.timetable_timeout_seconds * _AT_ONCE + _LEASE_SPARE_SECONDS
        with self._store.begin() as tx:
            questions = claim_questions(tx, self._documents, self._owner, lease, _AT_ONCE)
        for dag, question in questions:
            answer = self._ask(dag, question)
            with self._store.begin() as tx:
                take_answer(tx, dag, question, answer, self._owner, self._clock.now())
        return len(questions)

    def _ask_child(self, dag: DagRow, question: TimetableQuestion) -> TimetableAnswer:
        options = self._settings.processor
        return ask_timetable(
            question,
            tree_path(self._settings.bundles.root, dag.bundle, dag.bundle_version or ""),
            task_environment(self._settings.home, os.environ),
            seconds=options.timetable_timeout_seconds,
            memory_bytes_max=options.parse_memory_bytes_max,
        )
