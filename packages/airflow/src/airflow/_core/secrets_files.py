"""`airflow.secrets.local_filesystem`: connections and variables out of files."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from airflow._core.exceptions import AirflowFileParseException, AirflowUnsupportedFileTypeException, ConnectionNotUnique
from airflow._core.secrets import BaseSecretsBackend
from tradewind.sdk.connections import Connection


def _read(file_path: str) -> dict[str, Any]:
    path = Path(os.path.expandvars(file_path)).expanduser()
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in ("env", "json", "yaml", "yml"):
        raise AirflowUnsupportedFileTypeException(
            f"Unsupported file format: {suffix or path.name}. The file must end in .env, .json, .yaml or .yml"
        )
    text = path.read_text("utf-8")
    if suffix == "env":
        return _env(text, str(path))
    try:
        if suffix == "json":
            data = json.loads(text)
        else:
            from airflow._core.yaml_text import safe_load

            data = safe_load(text)
    except ValueError as error:
        raise AirflowFileParseException("Failed to load the secret file.", str(path), [str(error)]) from error
    if not isinstance(data, dict):
        raise AirflowFileParseException("The file should contain the object.", str(path))
    return data


def _env(text: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = defaultdict(list)
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        key, equals, value = stripped.partition("=")
        if not equals:
            raise AirflowFileParseException("Failed to load the secret file.", path, [f"line {number}: {line}"])
        found[key.strip()].append(value.strip())
    return dict(found)


def _connection(conn_id: str, value: Any) -> Connection:
    if isinstance(value, Connection):
        return value
    if isinstance(value, str):
        return (
            Connection.from_json(value, conn_id) if value.lstrip().startswith("{") else Connection(conn_id, uri=value)
        )
    if isinstance(value, dict):
        fields = {key: one for key, one in value.items() if key not in ("conn_id", "extra_dejson")}
        if "extra_dejson" in value:
            fields["extra"] = value["extra_dejson"]
        return Connection.from_fields(fields, conn_id)
    raise AirflowFileParseException(f"Unexpected value type: {type(value)}.", "")


def load_variables(file_path: str) -> dict[str, str]:
    """Variables of a file by name."""
    found = {}
    for key, value in _read(file_path).items():
        if isinstance(value, list) and file_path.endswith(".env"):
            if len(value) != 1:
                raise AirflowFileParseException(f"The file contains multiple values for {key}", file_path)
            value = value[0]
        found[key] = value if isinstance(value, str) else json.dumps(value)
    return found


def load_connections_dict(file_path: str) -> dict[str, Connection]:
    """Connections of a file by id."""
    found = {}
    for conn_id, value in _read(file_path).items():
        if isinstance(value, list):
            if len(value) != 1:
                raise ConnectionNotUnique(f"Found multiple values for {conn_id} in {file_path}.")
            value = value[0]
        found[conn_id] = _connection(conn_id, value)
    return found


def load_connections(file_path: str) -> dict[str, list[Connection]]:
    """As `load_connections_dict`, in lists."""
    return {key: [value] for key, value in load_connections_dict(file_path).items()}


class LocalFilesystemBackend(BaseSecretsBackend):
    """Secrets in files of this machine.

    Parameters:
        variables_file_path, connections_file_path: .env, .json or .yaml files.
    """

    def __init__(self, variables_file_path: str | None = None, connections_file_path: str | None = None) -> None:
        super().__init__()
        self.variables_file = variables_file_path
        self.connections_file = connections_file_path

    def get_connection(self, conn_id: str, **_: Any) -> Connection | None:
        return load_connections_dict(self.connections_file).get(conn_id) if self.connections_file else None

    def get_variable(self, key: str, **_: Any) -> str | None:
        return load_variables(self.variables_file).get(key) if self.variables_file else None
