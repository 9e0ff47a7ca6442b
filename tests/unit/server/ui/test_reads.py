"""What the screens read, over HTTP, on a real database."""

from __future__ import annotations

import base64
import gzip

import pytest
from tests.unit.server.ui.conftest import Screens, quoted, run_of

from tradewind.ports.ui_reads import CODE_OF
from tradewind.wire.states import DagRunState


def test_the_first_screen_shows_what_fails_with_its_exception(screens: Screens) -> None:
    home = screens.read("/ui/home")
    (line,) = home["failing"]
    assert (line["dag_id"], line["task_id"], line["runs_in_row"]) == ("small", "work.join", 1)
    assert line["reason"] == "ValueError: the seeded failure of this task"
    assert line["last_success"] is not None
    assert home["dags"] == {"all": 31, "paused": 0}
    assert len(home["hours"]) == 24


def test_a_later_success_takes_a_failure_off_the_first_screen(screens: Screens) -> None:
    import random

    from tests.e2e import seed
    from tests.unit.server.ui.conftest import S

    with screens.store.read() as tx:
        version = tx.version_newest("small")
    assert version is not None
    run = seed._run("small", version.version_id, 2, DagRunState.SUCCESS)
    rows = [seed._instance(run, "work.join", version.version_id, S.SUCCESS, random.Random(3))]
    seed._write(screens.store, [run], rows)
    assert screens.read("/ui/home")["failing"] == []


def test_the_list_of_dags_is_filtered_sorted_paged_and_counted(screens: Screens) -> None:
    page = screens.read("/ui/dags?count=10")
    assert (page["total"], page["all"], len(page["dags"])) == (31, 31, 10)
    found = screens.read("/ui/dags?q=smal")
    assert [dag["dag_id"] for dag in found["dags"]] == ["small"]
    assert found["dags"][0]["strip"] == "sf"
    assert found["dags"][0]["latest"]["state"] == "failed"
    assert screens.read("/ui/dags?tag=t1")["total"] == 1
    failing = screens.read("/ui/dags?state=failed")
    assert {dag["latest"]["state"] for dag in failing["dags"]} == {"failed"}
    assert page["facets"]["state"]["failed"] == failing["total"]
    assert screens.get("/ui/dags?sort=beauty").status == 400


def test_the_grid_has_one_byte_per_cell_and_its_tree_once(screens: Screens) -> None:
    grid = screens.read("/ui/dags/small/grid")
    assert grid["order"] == ["extract", "work.clean", "work.join", "load"]
    assert [row[:4] for row in grid["tree"]] == [
        ["extract", "extract", 0, 0],
        ["work", "the work", 0, 1],
        ["work.clean", "clean", 1, 0],
        ["work.join", "join", 1, 0],
        ["load", "load", 0, 0],
    ]
    cells = base64.b64decode(grid["cells"])
    assert len(cells) == 8
    newest = [byte & 0x0F for byte in cells[:4]]
    assert newest == [CODE_OF[state] for state in ("success", "success", "failed", "upstream_failed")]
    again = screens.read(f"/ui/dags/small/grid?known={grid['version']}")
    assert again["order"] is None
    assert again["cells"] == grid["cells"]


def test_the_graph_has_edges_as_pairs_of_places(screens: Screens) -> None:
    graph = screens.read("/ui/dags/small/graph")
    assert graph["edges"] == [0, 1, 2, 3, 1, 2] or sorted(
        zip(graph["edges"][::2], graph["edges"][1::2], strict=True)
    ) == [(0, 1), (1, 2), (2, 3)]
    assert graph["groups"][0][:2] == ["work", "the work"]
    assert graph["teardowns"] == [3]


def test_a_run_has_its_instances_in_the_order_of_the_work(screens: Screens) -> None:
    run = run_of(screens.store, DagRunState.FAILED)
    told = screens.read(f"/ui/dags/small/runs/{quoted(run.run_id)}")
    place = told["columns"].index("task_id")
    assert [row[place] for row in told["rows"]] == ["extract", "work.clean", "work.join", "load"]
    assert told["run"]["state"] == "failed"


def test_an_instance_says_why_and_what_stands_around_it(screens: Screens) -> None:
    run = run_of(screens.store, DagRunState.FAILED)
    told = screens.read(f"/ui/dags/small/runs/{quoted(run.run_id)}/tasks/work.join")
    assert told["instance"]["state"] == "failed"
    assert "attempt_token" not in told["instance"]
    assert "is over: failed" in told["why"]
    assert told["near"] == {"before": [["work.clean", 3]], "after": [["load", 12]]}
    assert screens.get(f"/ui/dags/small/runs/{quoted(run.run_id)}/tasks/nothing").status == 404


def test_lists_over_all_dags(screens: Screens) -> None:
    runs = screens.read("/ui/runs?count=5")
    assert len(runs["runs"]) == 5
    assert runs["next"] == runs["runs"][-1]["key"]
    more = screens.read(f"/ui/runs?count=5&before={runs['next']}")
    assert more["runs"][0]["key"] < runs["next"]
    tasks = screens.read("/ui/tasks?state=failed")
    assert len(tasks["rows"]) == 1
    assert screens.read("/ui/search?q=smal")["dags"][0]["dag_id"] == "small"
    assert len(screens.read("/ui/search?q=*")["dags"]) == 31


@pytest.mark.parametrize(
    "path",
    [
        "/ui/dags/small",
        "/ui/dags/small/calendar",
        "/ui/dags/small/code",
        "/ui/dags/small/versions",
        "/ui/dags/small/tasks/extract/history",
        "/ui/import-errors",
        "/ui/components",
        "/ui/backfills",
    ],
)
def test_every_read_answers_and_needs_somebody(screens: Screens, path: str) -> None:
    assert screens.get(path).status == 200
    screens.headers = {}
    assert screens.get(path).status == 401


def test_unknown_dags_are_not_found(screens: Screens) -> None:
    assert screens.get("/ui/dags/nothing").status == 404
    assert screens.get("/ui/dags/nothing/grid").status == 404


def test_long_answers_are_packed_and_not_sent_twice(screens: Screens) -> None:
    answer = screens.get("/ui/dags", accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body).startswith(b'{"total"')
    again = screens.get("/ui/dags", accept_encoding="gzip", if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_who_may_see_one_dag_sees_only_that(screens: Screens) -> None:
    from tradewind.commands.roles import create_role
    from tradewind.kernel.clock import SystemClock

    with screens.store.begin() as tx:
        create_role(tx, SystemClock().now(), "narrow", ["read:dag@dag:small"], "")
    screens.sign_in("vera", "narrow")
    assert [dag["dag_id"] for dag in screens.read("/ui/dags")["dags"]] == ["small"]
    assert {run["dag_id"] for run in screens.read("/ui/runs")["runs"]} == {"small"}
    assert screens.get("/ui/dags/team_00_pipeline_00000").status == 404
    assert screens.get("/ui/stream?topics=dag:team_00_pipeline_00000").status == 404
    assert screens.get("/ui/connections/hook_meta").status == 403


@pytest.mark.postgres
def test_every_read_works_on_postgresql_too(postgres_screens: Screens) -> None:
    screens = postgres_screens
    run = quoted(run_of(screens.store, DagRunState.FAILED).run_id)
    assert screens.read("/ui/home")["failing"][0]["task_id"] == "work.join"
    assert screens.read("/ui/dags?q=smal")["dags"][0]["strip"] == "sf"
    assert len(base64.b64decode(screens.read("/ui/dags/small/grid")["cells"])) == 8
    assert len(screens.read("/ui/tasks?state=failed&dag_id=small")["rows"]) == 1
    assert screens.read(f"/ui/dags/small/runs/{run}/tasks/work.join")["instance"]["state"] == "failed"
    assert len(screens.read(f"/ui/dags/small/runs/{run}")["rows"]) == 4
    for path in ("/ui/runs?count=5", "/ui/dags/small", "/ui/dags/small/calendar", "/ui/backfills", "/ui/components"):
        assert screens.get(path).status == 200, path
    assert len(screens.read("/ui/dags/small/tasks/extract/history")["rows"]) == 2
