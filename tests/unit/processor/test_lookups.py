"""DAG files may ask for connections and variables while they are loaded."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tradewind.adapters.vault import FernetVault
from tradewind.commands.secrets import set_connection, set_variable
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.settings import load_settings
from tradewind.processor.lookups import LookupService
from tradewind.sdk.connections import Connection, find_connection
from tradewind.sdk.exceptions import AirflowNotFoundException
from tradewind.sdk.variables import Variable
from tradewind.store.memory import MemoryStore
from tradewind.wire.execution import ConnectionFacts


@pytest.fixture
def lookups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[LookupService]:
    values: dict[str, Any] = getattr(request, "param", lambda folder: {})(tmp_path)
    settings = load_settings({}, tmp_path).replace(**values)
    store, vault = MemoryStore(SystemClock()), FernetVault(settings.secrets.key_file)
    with store.begin() as tx:
        set_variable(tx, vault, "key", "value")
        set_connection(tx, vault, ConnectionFacts(conn_id="pg", conn_type="postgres", host="h", password="pw", port=1))
    service = LookupService(store, vault, settings)
    for name, value in service.environment().items():
        monkeypatch.setenv(name, value)
    service.start()
    assert service.wait_ready(20)
    yield service
    assert service.stop(20)
    assert not service.path.exists()


def test_a_file_that_is_loaded_finds_what_the_database_holds(lookups: LookupService) -> None:
    assert Variable.get("key") == "value"
    assert Variable.get("none", default="other") == "other"
    found = find_connection("pg")
    assert (found.conn_type, found.host, found.password, found.port) == ("postgres", "h", "pw", 1)
    with pytest.raises(AirflowNotFoundException):
        Connection.get("none")


def test_the_environment_comes_first(lookups: LookupService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_KEY", "mine")
    assert Variable.get("key") == "mine"


def test_nobody_else_may_ask_and_nonsense_harms_nobody(lookups: LookupService) -> None:
    assert stat.S_IMODE(lookups.path.stat().st_mode) == 0o600
    for said in (b"", b"x\n", b"[]\n", b'{"kind": 1}\n', b'{"kind": "variable", "name": null}\n'):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(lookups.path))
            line.sendall(said)
            line.shutdown(socket.SHUT_WR)
            line.recv(100)
    assert Variable.get("key") == "value"


def _with_file(folder: Path) -> dict[str, Any]:
    (folder / "v.json").write_text('{"key": "of the file"}')
    kwargs = json.dumps({"variables_file_path": str(folder / "v.json")})
    return {"secrets.backend": "file", "secrets.backend_kwargs": kwargs}


@pytest.mark.parametrize("lookups", [_with_file], indirect=True)
def test_backends_are_asked_before_the_database(lookups: LookupService) -> None:
    assert Variable.get("key") == "of the file"
    assert find_connection("pg").host == "h"


def test_without_anybody_to_ask_it_is_said_where_it_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEWIND_LOOKUP", "/nowhere/at/all.sock")
    assert Variable.get("key", default=None) is None
    with pytest.raises(AirflowNotFoundException, match="looked in the environment"):
        find_connection("pg")
