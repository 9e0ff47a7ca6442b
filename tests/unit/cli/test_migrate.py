"""`tradewind migrate-from-airflow`, against a database with Airflow's tables. What real installations wrote is read in
tests/compat/test_move_in.py."""

import json
import pickle
import sqlite3

import pytest
from cryptography.fernet import Fernet

from tradewind.cli.main import main

KEY = Fernet.generate_key().decode()
SCHEMA = """
CREATE TABLE alembic_version (version_num TEXT);
CREATE TABLE connection (id INTEGER PRIMARY KEY, conn_id TEXT, conn_type TEXT, description TEXT, host TEXT, schema TEXT,
  login TEXT, password TEXT, port INTEGER, is_encrypted BOOLEAN, is_extra_encrypted BOOLEAN, extra TEXT);
CREATE TABLE variable (id INTEGER PRIMARY KEY, key TEXT, val TEXT, description TEXT, is_encrypted BOOLEAN);
CREATE TABLE slot_pool (id INTEGER PRIMARY KEY, pool TEXT, slots INTEGER, description TEXT, include_deferred BOOLEAN);
CREATE TABLE dag (dag_id TEXT PRIMARY KEY, is_paused BOOLEAN);
CREATE TABLE dag_run (id INTEGER PRIMARY KEY, dag_id TEXT, run_id TEXT, execution_date TIMESTAMP, start_date TIMESTAMP,
  end_date TIMESTAMP, state TEXT, run_type TEXT, conf BLOB, data_interval_start TIMESTAMP, data_interval_end TIMESTAMP);
CREATE TABLE task_instance (task_id TEXT, dag_id TEXT, run_id TEXT, map_index INTEGER, state TEXT, try_number INTEGER,
  max_tries INTEGER, start_date TIMESTAMP, end_date TIMESTAMP, duration FLOAT, operator TEXT, pool TEXT, queue TEXT,
  priority_weight INTEGER, hostname TEXT, queued_dttm TIMESTAMP);
"""


@pytest.fixture
def airflow_db(tmp_path):
    path = tmp_path / "airflow.db"
    seal = Fernet(KEY.encode())
    with sqlite3.connect(path) as db:
        db.executescript(SCHEMA)
        db.execute("INSERT INTO alembic_version VALUES ('abc')")
        db.execute(
            "INSERT INTO connection VALUES (1,'pg','postgres',NULL,'h',NULL,'me',?,5433,1,1,?)",
            (seal.encrypt(b"geheim99").decode(), seal.encrypt(b'{"sslmode": "require"}').decode()),
        )
        db.execute("INSERT INTO variable VALUES (1,'colour',?,NULL,1)", (seal.encrypt(b"blue").decode(),))
        db.execute("INSERT INTO slot_pool VALUES (1,'slow',3,'slow things',0), (2,'default_pool',64,'',0)")
        db.execute("INSERT INTO dag VALUES ('daily',1)")
        db.execute(
            "INSERT INTO dag_run VALUES (1,'daily','scheduled__2024-01-02','2024-01-02 00:00:00.000000',"
            "'2024-01-03 00:00:01.000000','2024-01-03 00:00:02.000000','success','scheduled',?,NULL,NULL)",
            (pickle.dumps({"a": 1}),),
        )
    return f"sqlite:///{path}"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AIRFLOW__CORE__FERNET_KEY", raising=False)
    assert main(["db", "migrate"]) == 0


def _move(capsys, *words):
    capsys.readouterr()
    code = main(["migrate-from-airflow", *words, "-o", "json"])
    return code, {(one["kind"], one["name"]): one["outcome"] for one in json.loads(capsys.readouterr().out)}


@pytest.mark.usefixtures("home")
def test_secrets_pools_and_states_move_once(airflow_db, capsys):
    code, moved = _move(capsys, "--db", airflow_db, "--fernet-key", KEY)
    assert code == 1  # the history of a DAG that is not here is left
    assert moved["connection", "pg"] == "new"
    assert moved["variable", "colour"] == "new"
    assert moved["pool", "slow"] == "new"
    assert moved["pool", "default_pool"] == "changed"
    assert moved["dag", "daily"] == "left"
    assert moved["history", "daily"] == "left"
    main(["connections", "get", "pg", "--show-secrets", "-o", "json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["password"], found["port"]) == ("geheim99", 5433)
    _, again = _move(capsys, "--db", airflow_db, "--fernet-key", KEY)
    assert {outcome for (kind, _), outcome in again.items() if kind in ("connection", "variable", "pool")} == {"same"}


@pytest.mark.usefixtures("home")
def test_a_dry_run_writes_nothing(airflow_db, capsys):
    _, moved = _move(capsys, "--db", airflow_db, "--fernet-key", KEY, "--dry-run")
    assert moved["connection", "pg"] == "new"
    assert main(["connections", "get", "pg"]) == 4


@pytest.mark.usefixtures("home")
def test_without_the_key_sealed_things_are_left_and_named(airflow_db, capsys):
    code, moved = _move(capsys, "--db", airflow_db)
    assert code == 1
    assert ("variable", "colour") not in moved
    assert any(kind == "airflow" and "colour" in name for kind, name in moved)


@pytest.mark.usefixtures("home")
def test_what_is_here_and_differs_is_kept_unless_told_otherwise(airflow_db, capsys):
    main(["variables", "set", "colour", "red"])
    _, moved = _move(capsys, "--db", airflow_db, "--fernet-key", KEY)
    assert moved["variable", "colour"] == "kept"
    _, moved = _move(capsys, "--db", airflow_db, "--fernet-key", KEY, "--overwrite")
    assert moved["variable", "colour"] == "changed"


@pytest.mark.usefixtures("home")
def test_a_database_of_something_else_is_refused(tmp_path):
    sqlite3.connect(tmp_path / "other.db").executescript("CREATE TABLE x (a INTEGER);")
    assert main(["migrate-from-airflow", "--db", f"sqlite:///{tmp_path / 'other.db'}"]) == 2
    assert main(["migrate-from-airflow", "--db", "nosuch://x"]) == 2


def test_pickles_with_classes_are_not_opened():
    from tradewind.store.read.airflow import _conf

    assert _conf(pickle.dumps({"a": [1, "b"]})) == {"a": [1, "b"]}
    assert _conf(pickle.dumps(print)) == {}
