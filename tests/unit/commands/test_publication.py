"""Publication: what a parsed file changes, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.commands.world import START, World, task

from tradewind.commands.documents import Documents
from tradewind.commands.publication import ParsedFile, Problem, Published, forget_file, publish_file
from tradewind.commands.runs import trigger_run
from tradewind.domain.timetables import parse_schedule
from tradewind.ports.rows import DagRow, ImportErrorRow, VersionRow
from tradewind.wire.document import FORMAT, DagDocument, encode_document
from tradewind.wire.schedule import ContinuousSchedule

BUNDLE = "dags-folder"
BROKEN = Problem("SyntaxError: invalid syntax", "Traceback ...\nSyntaxError: invalid syntax")


def document(dag_id: str = "sales", file: str = "sales.py", **facts: Any) -> DagDocument:
    given: dict[str, Any] = {"format": FORMAT, "dag_id": dag_id, "file": file, "tasks": (task("extract"),)}
    return DagDocument(**given | facts)


class Publisher:
    def __init__(self) -> None:
        self.world = World()
        self.listener = self.world.store.listen(["dags", "changes"])

    def publish(
        self,
        *documents: DagDocument,
        file: str = "sales.py",
        problems: tuple[Problem, ...] = (),
        paused: bool = False,
        tree: str = "tree",
        digest: str = "fingerprint",
    ) -> Published:
        parsed = ParsedFile(
            bundle=BUNDLE,
            path=file,
            bundle_version=tree,
            digest=digest,
            source="the text",
            documents=tuple(map(encode_document, documents)),
            problems=problems,
            dependencies=("helper.py",),
            parse_seconds=0.25,
        )
        now = self.world.clock.now()
        with self.world.store.begin() as tx:
            return publish_file(tx, parsed, now, self.world.new_id, paused_at_creation=paused)

    def forget(self, file: str = "sales.py") -> tuple[str, ...]:
        with self.world.store.begin() as tx:
            return forget_file(tx, BUNDLE, file)

    def dag(self, dag_id: str = "sales") -> DagRow:
        with self.world.store.read() as tx:
            row = tx.dag_get(dag_id)
        assert row is not None
        return row

    def versions(self, dag_id: str = "sales") -> list[VersionRow]:
        with self.world.store.read() as tx:
            return tx.list_versions(dag_id)

    def errors(self) -> list[ImportErrorRow]:
        with self.world.store.read() as tx:
            return tx.list_import_errors()

    def rung(self) -> frozenset[str]:
        return self.listener.wait(0)


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


def test_a_new_dag_gets_a_row_a_version_and_its_next_run(publisher: Publisher) -> None:
    facts: dict[str, Any] = {
        "tags": ("a", "b"),
        "owners": ("me",),
        "description": "d",
        "max_active_runs": 3,
        "timezone": "Europe/Berlin",
    }
    outcome = publisher.publish(document(schedule=parse_schedule("0 6 * * *"), **facts))
    assert outcome == Published(1, new_versions=("sales",))
    row = publisher.dag()
    assert (row.tags, row.owners, row.description, row.max_active_runs) == (("a", "b"), ("me",), "d", 3)
    assert (row.schedule_summary, row.timezone, row.is_paused) == ("0 6 * * *", "Europe/Berlin", False)
    assert row.next_run_after == datetime(2026, 3, 2, 6, tzinfo=UTC)
    (version,) = publisher.versions()
    assert (version.version_id, version.number, version.bundle_version) == (row.version_id, 1, "tree")
    assert version.source == "the text"
    with publisher.world.store.read() as tx:
        (file,) = tx.file_list(BUNDLE)
    assert (file.dag_count, file.digest, file.imported, file.parse_seconds) == (1, "fingerprint", ("helper.py",), 0.25)
    assert publisher.rung() == {"dags", "changes"}


@pytest.mark.parametrize(
    ("said", "setting", "expected"),
    [(None, True, True), (None, False, False), (False, True, False), (True, False, True)],
)
def test_a_new_dag_is_paused_as_it_or_the_setting_says(
    publisher: Publisher, said: bool | None, setting: bool, expected: bool
) -> None:
    publisher.publish(document(is_paused_upon_creation=said), paused=setting)
    assert publisher.dag().is_paused is expected


def test_nothing_new_makes_no_version_and_shows_nothing(publisher: Publisher) -> None:
    publisher.publish(document())
    publisher.rung()
    publisher.world.clock.advance(60)
    assert publisher.publish(document()) == Published(1)
    assert len(publisher.versions()) == 1
    assert publisher.dag().parsed_at == START + timedelta(seconds=60)
    assert "changes" not in publisher.rung()


def test_new_runs_get_the_tree_that_was_seen_last_with_the_file_as_it_was_loaded(publisher: Publisher) -> None:
    publisher.publish(document(), tree="t1", digest="d1")
    publisher.publish(document(), tree="t2", digest="d2")  # a comment
    assert (publisher.dag().bundle_version, publisher.dag().file_digest) == ("t2", "d2")
    assert publisher.versions()[0].bundle_version == "t1"
    publisher.publish(problems=(BROKEN,), tree="t3", digest="d3")
    assert (publisher.dag().bundle_version, publisher.dag().file_digest) == ("t2", "d2"), "the last good one"
    with publisher.world.store.begin() as tx:
        tx.dag_move_trees(BUNDLE, "t4", [("sales.py", "d2")])
    with publisher.world.store.begin() as tx:
        run = trigger_run(tx, Documents(), publisher.world.clock.now(), publisher.world.new_id, "sales")
    assert run.bundle_version == "t4"


def test_a_change_makes_the_next_version_and_leaves_pausing_alone(publisher: Publisher) -> None:
    publisher.publish(document())
    with publisher.world.store.begin() as tx:
        tx.dag_set_paused("sales", True, "by hand")
    assert publisher.publish(document(description="new")).new_versions == ("sales",)
    assert [version.number for version in publisher.versions()] == [2, 1]
    assert (publisher.dag().version_id, publisher.dag().is_paused) == (publisher.versions()[0].version_id, True)


def test_going_back_to_old_content_is_a_version_of_its_own(publisher: Publisher) -> None:
    for description in ("a", "b", "a"):
        publisher.publish(document(description=description))
    assert [version.number for version in publisher.versions()] == [3, 2, 1]


def test_an_announced_run_stays_unless_the_schedule_changes(publisher: Publisher) -> None:
    hourly = parse_schedule("@hourly")
    publisher.publish(document(schedule=hourly))
    announced = publisher.dag().next_run_after
    publisher.world.clock.advance(7200)
    publisher.publish(document(schedule=hourly, description="new"))
    assert publisher.dag().next_run_after == announced
    publisher.publish(document(schedule=parse_schedule("0 6 * * *"), description="new"))
    assert publisher.dag().next_run_after == datetime(2026, 3, 2, 6, tzinfo=UTC)
    publisher.publish(document(description="new"))
    assert publisher.dag().next_run_after is None


def test_continuous_runs_are_one_at_a_time(publisher: Publisher) -> None:
    publisher.publish(document(schedule=ContinuousSchedule()))
    assert publisher.dag().max_active_runs == 1


def test_a_dag_that_left_its_file_is_stale_and_comes_back(publisher: Publisher) -> None:
    publisher.publish(document(schedule=parse_schedule("@hourly")), document("other"))
    assert publisher.publish(document("other")).freed == ("sales",)
    assert publisher.dag().is_stale
    publisher.rung()
    publisher.world.clock.advance(86400)
    outcome = publisher.publish(document(schedule=parse_schedule("@hourly")), document("other"))
    assert outcome == Published(2)
    assert not publisher.dag().is_stale
    assert publisher.dag().next_run_after > START + timedelta(hours=23)  # type: ignore[operator]
    assert publisher.rung() == {"dags", "changes"}


def test_a_deleted_file_takes_dags_and_error_along(publisher: Publisher) -> None:
    publisher.publish(document())
    publisher.publish(problems=(BROKEN,))
    assert publisher.forget() == ("sales",)
    assert publisher.dag().is_stale
    assert publisher.errors() == []
    with publisher.world.store.read() as tx:
        assert tx.file_list(BUNDLE) == []


def test_a_broken_file_keeps_its_last_good_version(publisher: Publisher) -> None:
    publisher.publish(document())
    outcome = publisher.publish(problems=(BROKEN,))
    assert outcome == Published(1, error=BROKEN.message)
    assert not publisher.dag().is_stale
    (error,) = publisher.errors()
    assert (error.path, error.message, error.traceback) == ("sales.py", BROKEN.message, BROKEN.traceback)
    assert publisher.publish(document()) == Published(1)
    assert publisher.errors() == []


def test_good_dags_of_a_half_broken_file_are_published(publisher: Publisher) -> None:
    publisher.publish(document("a"), document("b"))
    more = Problem("b has a cycle", "b: cycle")
    outcome = publisher.publish(document("a", description="new"), problems=(more, BROKEN))
    assert outcome.new_versions == ("a",)
    assert outcome.freed == ()
    assert not publisher.dag("b").is_stale
    (error,) = publisher.errors()
    assert error.message == "b has a cycle (and 1 more)"
    assert error.traceback == f"b: cycle\n\n{BROKEN.traceback}"


def test_a_dag_id_belongs_to_the_file_that_had_it_first(publisher: Publisher) -> None:
    publisher.publish(document(file="first.py"), file="first.py")
    outcome = publisher.publish(document(file="second.py"), document("own", file="second.py"), file="second.py")
    assert outcome.refused == ("sales",)
    assert outcome.new_versions == ("own",)
    assert publisher.dag().file == "first.py"
    (error,) = publisher.errors()
    assert error.path == "second.py"
    assert "'sales'" in error.message
    assert "first.py" in error.message
    assert "second.py" in error.message
    assert publisher.publish(document(file="first.py"), file="first.py") == Published(1), (
        "the first one is not troubled"
    )


def test_a_dag_moves_to_another_file_when_the_first_gives_it_up(publisher: Publisher) -> None:
    publisher.publish(document(file="first.py"), file="first.py")
    publisher.forget("first.py")
    assert publisher.publish(document(file="second.py"), file="second.py").new_versions == ("sales",)
    assert (publisher.dag().file, publisher.dag().is_stale) == ("second.py", False)
    assert publisher.publish(file="first.py").freed == ()


def test_a_document_of_a_newer_format_is_an_import_error(publisher: Publisher) -> None:
    outcome = publisher.publish(document(format=FORMAT + 1), document("other"))
    assert outcome.new_versions == ("other",)
    assert "upgrade Tradewind" in (outcome.error or "")
