"""A world in memory for `dag.test()`: values, variables, connections and states, without database or server."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tradewind.sdk.connections import Connection
from tradewind.wire import execution as ex
from tradewind.wire.assets import AssetEmission, AssetEventFacts, AssetFacts
from tradewind.wire.errors import BadInput, InvalidValue, NotFound
from tradewind.wire.ids import path_of

Where = tuple[str, str]
"""(task id, text of the map path)"""


class MemoryWorld:
    """What the tasks of one test run share.

    Parameters:
        dag_id, run_id: of the run.
        connections, variables: by name.
    """

    def __init__(
        self,
        dag_id: str,
        run_id: str,
        connections: Mapping[str, Connection] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.dag_id = dag_id
        self.run_id = run_id
        self.connections = dict(connections or {})
        self.variables = dict(variables or {})
        self.xcoms: dict[Where, dict[str, ex.XComValue]] = {}
        self.states: dict[Where, str | None] = {}
        self.stored: dict[str, bytes] = {}
        self.assets: tuple[AssetFacts, ...] = ()
        """Those that the DAG speaks of."""
        self.asset_events: list[AssetEventFacts] = []
        """Changes that tasks of this run told of, oldest first."""
        self.secrets: set[str] = set()
        self.memory: dict[str, dict[str, str]] = {}
        """What tasks ("task_id/path") and assets remember: key → JSON."""

    def put(self, where: Where, entries: tuple[ex.XComEntry, ...]) -> None:
        """Keep pushed values."""
        self.xcoms.setdefault(where, {}).update({entry.key: entry.value for entry in entries})

    def found_asset(self, wanted: str) -> ex.FoundAsset:
        """The asset of this name or URI; one that the DAG does not describe is taken as described so."""
        known = next((each for each in self.assets if wanted in (each.name, each.uri)), None)
        if known is None:
            return ex.FoundAsset(name=wanted, uri=wanted)
        return ex.FoundAsset(name=known.name, uri=known.uri, group=known.group, extra=known.extra)

    def tell(self, emissions: Iterable[AssetEmission], task_id: str, map_index: int, at: datetime) -> None:
        """Keep changes of assets that a task told of."""
        for each in emissions:
            self.asset_events.append(
                AssetEventFacts(
                    event_id=len(self.asset_events) + 1,
                    name=each.name or each.uri,
                    uri=each.uri or each.name,
                    at=at,
                    extra=each.extra,
                    source_dag_id=self.dag_id,
                    source_run_id=self.run_id,
                    source_task_id=task_id,
                    source_map_index=map_index,
                    aliases=() if each.alias is None else (each.alias,),
                    partition_key=each.partition_key,
                )
            )

    def redact(self, text: str) -> str:
        """`text` without the secrets that tasks have read."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


class MemoryClient:
    """The `TaskClient` of one attempt in a `MemoryWorld`."""

    def __init__(self, world: MemoryWorld, where: Where) -> None:
        self._world = world
        self._where = where

    def ask(self, message: ex.AgentMessage) -> ex.Reply:
        world = self._world
        match message:
            case ex.PushXCom(_, entries):
                world.put(self._where, entries)
            case ex.PullXCom():
                return ex.Values(tuple(self._pull(message)))
            case ex.DeleteXCom(_, key):
                world.xcoms.get(self._where, {}).pop(key, None)
            case ex.GetVariable(_, key):
                return ex.Text(world.variables.get(key))
            case ex.SetVariable(_, key, value):
                world.variables[key] = value
            case ex.DeleteVariable(_, key):
                world.variables.pop(key, None)
            case ex.GetConnection(_, conn_id):
                return self._connection(conn_id)
            case ex.GetAssetEvents():
                return ex.AssetEvents(() if message.triggering else tuple(_events(world.asset_events, message)))
            case ex.GetAssets():
                return ex.Assets(tuple(world.found_asset(each) for each in (*message.names, *message.uris)))
            case ex.GetPreviousRun():
                return ex.Run()
            case ex.GetState() | ex.PutState() | ex.DropState():
                return self._remember(message)
            case ex.CountRuns():
                return ex.Count(int(message.dag_id == world.dag_id and message.run_ids in (None, (world.run_id,))))
            case ex.GetRunState(_, dag_id, run_id):
                if (dag_id, run_id) != (world.dag_id, world.run_id):
                    raise NotFound(f"DAG {dag_id!r} has no run {run_id!r} here")
                return ex.Text("running")
            case ex.GetPreviousTask():
                return ex.TaskFacts()
            case ex.GetStates():
                return self._states(message)
            case ex.TriggerRun():
                raise NotImplementedError("triggering other DAGs from dag.test() is not available yet")
            case _:
                pass  # the others only tell a server what is known here
        return ex.Done()

    def _remember(self, message: ex.GetState | ex.PutState | ex.DropState) -> ex.Reply:
        place = message.asset if message.asset is not None else "/".join(self._where)
        known = self._world.memory.setdefault(place, {})
        match message:
            case ex.GetState():
                return ex.Text(known.get(message.key))
            case ex.PutState():
                known[message.key] = message.value
            case ex.DropState(key=None):
                known.clear()
            case ex.DropState():
                known.pop(message.key or "", None)
        return ex.Done()

    def tell(self, message: ex.AgentMessage) -> None:
        self.ask(message)

    def fetch(self, url: str, sha256: str | None) -> bytes:
        data = self._world.stored[url]
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise InvalidValue(f"stored value {url} was changed after it was written")
        return data

    def store(self, data: bytes, name: str) -> str:
        url = f"memory://{name}/{len(self._world.stored)}"
        self._world.stored[url] = data
        return url

    def mask(self, secret: str) -> None:
        self._world.secrets.add(secret)

    def _pull(self, message: ex.PullXCom) -> list[ex.FoundXCom]:
        world = self._world
        if message.dag_id not in (None, world.dag_id) or message.run_id not in (None, world.run_id):
            return []
        prefix = path_of(message.map_prefix or "")
        found = []
        for task_id in message.task_ids:
            of_task = [(path_of(path), values) for (task, path), values in world.xcoms.items() if task == task_id]
            for path, values in sorted(of_task, key=lambda each: each[0]):
                text = ".".join(map(str, path))
                wanted = message.map_paths is None or text in message.map_paths
                if wanted and path[: len(prefix)] == prefix and message.key in values:
                    found.append(ex.FoundXCom(task_id, text, values[message.key]))
        return found

    def _connection(self, conn_id: str) -> ex.ConnectionFacts:
        found = self._world.connections.get(conn_id)
        if found is None:
            raise NotFound(f"connection {conn_id!r} is not defined")
        return ex.ConnectionFacts(
            conn_id=conn_id,
            conn_type=found.conn_type or "",
            description=found.description,
            host=found.host,
            schema=found.schema,
            login=found.login,
            password=found.password,
            port=found.port,
            extra=found.extra,
        )

    def _states(self, message: ex.GetStates) -> ex.States:
        world = self._world
        if message.dag_id != world.dag_id or (message.run_ids and world.run_id not in message.run_ids):
            return ex.States({})
        chosen = {
            f"{task_id}[{path}]" if path else task_id: state
            for (task_id, path), state in world.states.items()
            if (message.task_ids is None or task_id in message.task_ids)
            and (message.group_id is None or task_id.startswith(f"{message.group_id}."))
        }
        return ex.States({world.run_id: chosen})


def _events(events: Iterable[AssetEventFacts], ask: ex.GetAssetEvents) -> list[AssetEventFacts]:
    found = [
        each
        for each in events
        if ask.name in (None, each.name)
        and ask.uri in (None, each.uri)
        and (ask.alias is None or ask.alias in each.aliases)
        and (ask.after is None or each.at >= ask.after)
        and (ask.before is None or each.at <= ask.before)
    ]
    return (found if ask.ascending else found[::-1])[: ask.limit]


def read_connections(path: str) -> dict[str, Connection]:
    """Connections of a JSON, YAML or `.env` file: id → URI or dict of fields. Raises `BadInput` naming the file and
    what is wrong."""
    return given_connections(_read_names(path))


def given_connections(given: Mapping[str, Connection | str | Mapping[str, Any]]) -> dict[str, Connection]:
    """Connections from URIs, dicts of fields or themselves, by id. Raises `BadInput` for what is none."""
    found = {}
    for conn_id, value in given.items():
        if isinstance(value, Connection):
            found[conn_id] = value
        elif isinstance(value, str):
            found[conn_id] = Connection(conn_id=conn_id, uri=value)
        elif isinstance(value, Mapping):
            found[conn_id] = Connection.from_fields(dict(value), conn_id)
        else:
            raise BadInput(f"connection {conn_id!r} must be a URI, a dict of fields or a Connection, not {value!r}")
    return found


def given_variables(given: Mapping[str, Any]) -> dict[str, str]:
    """Variables from texts, or from whatever JSON can hold."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}


def read_variables(path: str) -> dict[str, str]:
    """Variables of a JSON, YAML or `.env` file: name → text, or whatever JSON can hold. Raises `BadInput` naming the
    file."""
    return given_variables(_read_names(path))


def _read_names(path: str) -> dict[str, Any]:
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    kind = file.suffix.lower()
    if kind == ".env":
        return _read_env(path, text)
    if kind in (".yaml", ".yml"):
        return _object(path, _parse_yaml(path, text))
    try:
        return _object(path, json.loads(text))
    except ValueError as error:
        raise BadInput(f"{path} is not JSON: {error}") from error


def _read_env(path: str, text: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.match(r"\s*(?:export\s+)?([^=\s]+)\s*=\s*(.*)$", line)
        if match is None:
            raise BadInput(f"{path}, line {number}: write NAME=value")
        names[match[1]] = match[2].strip().strip("\"'")
    return names


def _parse_yaml(path: str, text: str) -> Any:
    try:
        return json.loads(text)  # JSON is YAML too: what we export is read without another package
    except ValueError:
        pass
    try:
        import yaml  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise BadInput(f"{path} is YAML, which needs the package PyYAML; install it or use JSON") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not YAML: {error}") from error


def _object(path: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{path} must hold an object of names, not {type(value).__name__}")
    return value
