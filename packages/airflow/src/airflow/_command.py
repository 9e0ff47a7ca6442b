"""The command `airflow`: the incumbent's tree of commands, mapped on those of `tradewind`.

A row says which words stand for which, and which options go by another name. What has no counterpart is refused with
the way out, not silently passed over.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

SAME = "="
"""The words are the same."""

COMMANDS: dict[str, str] = {
    # --- DAGs
    "dags list": SAME,
    "dags details": "dags show",
    "dags list-import-errors": "dags errors",
    "dags report": "!`tradewind doctor FOLDER` tells how long each file takes to load",
    "dags list-runs": "runs list",
    "dags list-jobs": "info",
    "dags state": "runs show",
    "dags next-execution": SAME,
    "dags pause": SAME,
    "dags unpause": SAME,
    "dags trigger": SAME,
    "dags delete": SAME,
    "dags clear": "runs clear",
    "dags show": SAME,
    "dags show-dependencies": "!the UI draws how DAGs depend on one another; `tradewind assets warnings` names cycles",
    "dags test": SAME,
    "dags reserialize": "!files are read when they change; `tradewind dags errors` shows what is broken",
    "dags backfill": "backfill create",
    # --- tasks
    "tasks list": SAME,
    "tasks state": "tasks states",
    "tasks states-for-dag-run": "tasks states",
    "tasks clear": SAME,
    "tasks failed-deps": "tasks why",
    "tasks render": SAME,
    "tasks test": SAME,
    "tasks run": "tasks test",
    # --- what tasks use
    "backfill create": SAME,
    "partitions clear": "!`tradewind assets partitions` shows keys; `tradewind runs clear` clears their runs",
    "assets list": SAME,
    "assets details": "assets show",
    "assets materialize": SAME,
    **{f"pools {verb}": SAME for verb in ("list", "get", "set", "delete", "import", "export")},
    **{f"variables {verb}": SAME for verb in ("list", "get", "set", "delete", "import", "export")},
    **{f"connections {verb}": SAME for verb in ("get", "list", "delete", "export", "import", "test")},
    "connections add": "connections set",
    "connections create-default-connections": "!make the connections you use: `tradewind connections set`",
    # --- administration
    **{f"teams {verb}": "!teams are not offered yet" for verb in ("create", "delete", "list", "sync")},
    "jobs check": "info",
    "db init": "db migrate",
    "db upgrade": "db migrate",
    "db migrate": SAME,
    "db downgrade": "!bring back a copy of the database: tables are only added between neighbouring versions",
    "db reset": SAME,
    "db check": SAME,
    "db check-migrations": "db check",
    "db shell": "!use psql or sqlite3 with the url that `tradewind config get database.url` shows",
    "db clean": SAME,
    "db export-archived": SAME,
    "db drop-archived": SAME,
    **{f"db-manager {verb}": "!providers have no tables here" for verb in ("migrate", "downgrade", "reset")},
    "state-store clean": "db clean",
    "providers list": SAME,
    "providers get": "providers show",
    **{
        f"providers {verb}": "!`tradewind providers show NAME` tells what a provider brings"
        for verb in (
            "links", "widgets", "hooks", "triggers", "behaviours", "logging", "secrets", "executors", "queues",
            "notifications", "configs", "lazy-loaded", "auth-managers",
        )
    },
    "config list": SAME,
    "config get-value": "config get",
    "config lint": "!airflow:config",
    "config update": "!airflow:config",
    "users list": SAME,
    "users create": SAME,
    "users delete": SAME,
    "users reset-password": "users set-password",
    "users add-role": "users set-role",
    "roles list": SAME,
    "roles create": SAME,
    "sync-perm": "!permissions of DAGs hold as soon as their file is read",
    # --- processes
    "scheduler": SAME,
    "webserver": "api-server",
    "api-server": SAME,
    "dag-processor": SAME,
    "triggerer": SAME,
    "standalone": SAME,
    "kerberos": "!let k5start or a sidecar renew tickets",
    "rotate-fernet-key": "secrets rotate-key",
    "info": SAME,
    "plugins": "plugins list",
    "version": SAME,
    "cheat-sheet": "help",
    **{
        f"celery {verb}": SAME
        for verb in (
            "worker", "stop", "list-workers", "shutdown-worker", "shutdown-all-workers", "add-queue", "remove-queue",
        )
    },
    "celery remove-all-queues": "!take queues away one by one: `tradewind celery remove-queue`",
    "celery flower": "!workers and queues are shown by `tradewind celery list-workers` and in the UI",
}  # fmt: skip
"""Words of `airflow` → words of `tradewind`; `=`: the same; `!`: refused, with the way out."""

OPTIONS: dict[str, dict[str, str | None]] = {
    "": {"-v": None, "--verbose": None, "--exec-date": "--logical-date", "--yes": "-y", "-D": None, "--daemon": None},
    "dags trigger": {"-c": "--conf", "-e": "--logical-date", "--exec-date": "--logical-date", "-r": "--run-id"},
    "dags list-runs": {"-d": "", "--dag-id": ""},
    "dags test": {"-c": "--conf"},
    "db migrate": {"--skip-init": None},
    "webserver": {"-w": "--workers", "-p": "--port", "-H": "--host"},
    "api-server": {"-w": "--workers", "-p": "--port", "-H": "--host"},
}
"""Command → its option → ours; None: dropped; "": only the value stays."""


def translated(words: Sequence[str]) -> list[str]:
    """The words as `tradewind` knows them.

    Raises:
        SystemExit: there is no counterpart; the message says what to do instead.
    """
    if not words or words[0].startswith("-"):
        return list(words)
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS:
            return _to(name, list(words[length:]))
    if len(words) == 1 and any(name.startswith(f"{words[0]} ") for name in COMMANDS):
        return list(words)
    return list(words)


def _to(name: str, rest: list[str]) -> list[str]:
    ours = COMMANDS[name]
    if ours == "!airflow:config":
        from airflow._cfg import main

        raise SystemExit(main(rest))
    if ours.startswith("!"):
        raise SystemExit(f"airflow {name} has no counterpart: {ours[1:]}")
    return [*(name if ours == SAME else ours).split(), *_options(name, rest)]


def _options(name: str, rest: list[str]) -> list[str]:
    renamed = {**OPTIONS[""], **OPTIONS.get(name, {})}
    found = []
    for word in rest:
        option, equals, value = word.partition("=")
        if option not in renamed:
            found.append(word)
        elif renamed[option]:
            found.append(f"{renamed[option]}{equals}{value}")
        elif renamed[option] == "" and value:
            found.append(value)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    from tradewind.cli.main import main as tradewind

    try:
        words = translated(sys.argv[1:] if arguments is None else arguments)
    except SystemExit as end:
        if isinstance(end.code, int):
            return end.code
        print(end.code, file=sys.stderr)
        return 2
    return tradewind(words)
