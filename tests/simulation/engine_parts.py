"""The small parts of a world: places for schedulers, a vault, death, and the DAGs as published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.simulation.dags import START, SimulatedDag
from tests.simulation.engine_store import Ear
from tests.simulation.engine_story import LocalClock
from tests.simulation.executor import SimulatedExecutor

from tradewind.commands.schedules import following_run
from tradewind.ports.rows import DagRow, VersionRow
from tradewind.ports.store import Store
from tradewind.scheduler.loop import Scheduler
from tradewind.wire.document import encode_document


class SimulatedCrash(BaseException):
    """A process died here. No handler for errors may stop it."""


class OpenVault:
    """A vault without a lock: secrets are none of the simulation's business."""

    def seal(self, text: str) -> bytes:
        return text.encode()

    def open(self, ciphertext: bytes) -> str:
        return ciphertext.decode()


@dataclass(slots=True, eq=False)
class Place:
    """Where a scheduler runs; it comes back here after a crash."""

    name: str
    clock: LocalClock
    executor: SimulatedExecutor
    scheduler: Scheduler | None = None
    ear: Ear | None = None
    wake_at: datetime = START
    back_at: datetime = START
    stalled_until: datetime = START
    beat_at: datetime = START
    epochs: dict[str, int] = field(default_factory=dict)
    """run_key → epoch under which the scheduler knew the run when its step began."""
    unseen: set[str] = field(default_factory=set)
    """Runs that somebody wrote since this scheduler was looked at."""


def publish(store: Store, dags: Sequence[SimulatedDag], now: datetime, pools: Mapping[str, int]) -> None:
    """Put the DAGs, one version of each ("v0", "v1", ...), and their pools into the store."""
    with store.begin() as tx:
        tx.pool_put("small", pools["small"], include_deferred=pools["small"] % 2 == 0)
        for number, dag in enumerate(dags):
            document, version_id = dag.document, f"v{number}"
            tx.version_insert(
                VersionRow(
                    version_id=version_id,
                    dag_id=document.dag_id,
                    number=1,
                    hash="",
                    bundle="b",
                    bundle_version="1",
                    file=document.file,
                    document=encode_document(document),
                    source="",
                    created_at=now,
                )
            )
            tx.dag_put(
                DagRow(
                    dag_id=document.dag_id,
                    bundle="b",
                    file=document.file,
                    version_id=version_id,
                    max_active_runs=document.max_active_runs,
                    max_consecutive_failed_dag_runs=document.max_consecutive_failed_dag_runs,
                )
            )
            tx.dag_set_next(document.dag_id, following_run(tx, document, now))
