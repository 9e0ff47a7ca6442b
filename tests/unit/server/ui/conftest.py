from __future__ import annotations

import json
import random
import sqlite3
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import seed
from tests.postgres import temporary_database
from tests.unit.server.serving import Answer, World, running

from tradewind.adapters.passwords import Argon2Passwords
from tradewind.commands.users import create_user
from tradewind.kernel.clock import SystemClock
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.store.schema import migrate
from tradewind.store.sql import SqlStore
from tradewind.wire.document import FORMAT, DagDocument, GroupDocument, TaskDocument
from tradewind.wire.states import DagRunState, TaskInstanceState

S = TaskInstanceState
PASSWORD = "a long password"


class Screens:
    """A server with data, and somebody who is signed in."""

    def __init__(self, world: World, store: SqlStore) -> None:
        self.world = world
        self.store = store
        self.headers: dict[str, str] = {}

    def sign_in(self, username: str, *roles: str) -> None:
        with self.store.begin() as tx:
            create_user(tx, Argon2Passwords(), SystemClock().now(), username, PASSWORD, roles)
        body = json.dumps({"username": username, "password": PASSWORD})
        answer = self.world.client.ask("POST", "/auth/token", body, content_type="application/json")
        self.headers = {"authorization": f"Bearer {answer.json()['access_token']}"}

    def get(self, path: str, **more: str) -> Answer:
        return self.world.client.ask("GET", path, None, **(self.headers | more))

    def read(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status == 200, answer.body
        return answer.json()


def small() -> DagDocument:
    tasks = (
        TaskDocument(task_id="extract", operator="@task"),
        TaskDocument(task_id="work.clean", operator="@task", group_id="work", upstream=("extract",)),
        TaskDocument(task_id="work.join", operator="@task", group_id="work", upstream=("work.clean",)),
        TaskDocument(task_id="load", operator="@task", upstream=("work.join",), is_teardown=True),
    )
    groups = (GroupDocument(group_id="work", label="the work"),)
    return DagDocument(format=FORMAT, dag_id="small", file="small.py", tasks=tasks, groups=groups, tags=("t1",))


def fill(store: SqlStore) -> None:
    """Two runs of `small`: the newer one failed in `work.join`. And thirty other DAGs."""
    chance = random.Random(1)
    version = seed._publish(store, small())
    for number, failed in ((0, False), (1, True)):
        run = seed._run("small", version, number, DagRunState.FAILED if failed else DagRunState.SUCCESS)
        states = {"work.join": S.FAILED, "load": S.UPSTREAM_FAILED} if failed else {}
        rows = [
            seed._instance(run, task.task_id, version, states.get(task.task_id, S.SUCCESS), chance)
            for task in small().tasks
        ]
        seed._write(store, [run], _recent(rows))
    seed.many(store, 30, chance)


def _recent(rows: list[TaskRow]) -> list[TaskRow]:
    """As if it had happened just now: the first screen looks back a week."""
    from msgspec.structs import replace

    now = SystemClock().now()
    return [replace(row, ended_at=now) for row in rows]


def run_of(store: SqlStore, state: DagRunState) -> RunRow:
    with store.read() as tx:
        (run,) = tx.list_runs(dag_id="small", states=[state])
    return run


def quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled database file, made once."""
    path = tmp_path_factory.mktemp("screens") / "tradewind.db"
    for made in _filled(f"sqlite:///{path}"):
        with made.begin():
            pass
    return path


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[SqlStore]:
    with closing(sqlite3.connect(template)) as source, closing(sqlite3.connect(tmp_path / "tradewind.db")) as copy:
        source.backup(copy)
    made = SqlStore(f"sqlite:///{tmp_path / 'tradewind.db'}")
    yield made
    made.close()


@pytest.fixture
def postgres_screens(tmp_path: Path) -> Iterator[Screens]:
    with temporary_database() as url:
        for store in _filled(url):
            with running(tmp_path, store=store) as world:
                made = Screens(world, store)
                made.sign_in("ana", "Admin")
                yield made


def _filled(url: str) -> Iterator[SqlStore]:
    migrate(url, default_pool_slots=128)
    made = SqlStore(url)
    fill(made)
    yield made
    made.close()


@pytest.fixture
def screens(tmp_path: Path, store: SqlStore) -> Iterator[Screens]:
    with running(tmp_path, store=store) as world:
        made = Screens(world, store)
        made.sign_in("ana", "Admin")
        yield made
