"""DAGs, runs and tasks of another machine's installation."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import Any

from tradewind.cli.log_view import readable
from tradewind.cli.output import coloured, counted, show_document, show_record, show_rows
from tradewind.cli.remote_client import API, Client, part, when
from tradewind.cli.runs import TASK_COLUMNS
from tradewind.cli.world import confirm, instant, json_value
from tradewind.wire.errors import BadInput, Forbidden, NotFound, Unavailable

Facts = dict[str, Any]


def _dag(row: Facts) -> Facts:
    return {
        "dag_id": row["dag_id"],
        "schedule": row["timetable_summary"],
        "paused": row["is_paused"],
        "next_run": None if row["is_paused"] or row["is_stale"] else when(row["next_dagrun_run_after"]),
        "file": row["relative_fileloc"],
        "tags": [tag["name"] for tag in row["tags"]],
        "owners": row["owners"],
        "description": row["description"],
        "max_active_runs": row["max_active_runs"],
        "stale": row["is_stale"],
        "parsed_at": when(row["last_parsed_time"]),
    }


def _run(row: Facts) -> Facts:
    return {
        "dag_id": row["dag_id"],
        "run_id": row["dag_run_id"],
        "state": row["state"],
        "run_type": row["run_type"],
        "run_after": when(row["run_after"]),
        "logical_date": when(row["logical_date"]),
        "data_interval_start": when(row["data_interval_start"]),
        "data_interval_end": when(row["data_interval_end"]),
        "queued_at": when(row["queued_at"]),
        "start_date": when(row["start_date"]),
        "end_date": when(row["end_date"]),
        "duration": row["duration"],
        "conf": row["conf"],
        "note": row["note"],
    }


def _task(row: Facts) -> Facts:
    index = "" if row["map_index"] == -1 else str(row["map_index"])
    return {
        "task": f"{row['task_id']}[{index}]" if index else row["task_id"],
        "task_id": row["task_id"],
        "map_index": index,
        "state": row["state"],
        "try": row["try_number"],
        "max_tries": row["max_tries"],
        "start_date": when(row["start_date"]),
        "end_date": when(row["end_date"]),
        "duration": row["duration"],
        "reason": None,
        "hostname": row["hostname"],
        "operator": row["operator_name"],
        "pool": row["pool"],
        "label": row["rendered_map_index"],
    }


def list_dags(client: Client, given: Namespace) -> None:
    rows = client.pages(
        "/dags",
        "dags",
        dag_id_pattern=f"%{given.pattern}%" if given.pattern else None,
        tags=given.tag or None,
        tags_match_mode="all" if given.tag else None,
        paused=True if given.paused else False if given.active else None,
        exclude_stale=not given.all,
        order_by="dag_id",
    )
    columns = ("dag_id", "schedule", "paused", "next_run", "file", "tags")
    show_rows(map(_dag, rows), given.output, columns, "there are no DAGs")
    try:
        errors = client.get("/importErrors", limit=1)["total_entries"]
    except Forbidden:  # the list is what was asked for
        errors = 0
    if errors:
        print(f"{counted(errors, 'file')} could not be loaded; `tradewind dags errors` tells why", file=sys.stderr)


def list_errors(client: Client, given: Namespace) -> None:
    rows = [row for row in client.pages("/importErrors", "import_errors") if given.file in (None, row["filename"])]
    if given.file is not None:
        print("\n\n".join(row["stack_trace"] for row in rows) or f"{given.file} has no error")
        return
    facts = (
        {"file": row["filename"], "error": row["stack_trace"].strip().rpartition("\n")[2], "at": when(row["timestamp"])}
        for row in rows
    )
    show_rows(facts, given.output, ("file", "error", "at"), "all files could be loaded")


def pause(client: Client, given: Namespace) -> None:
    changed = _set_paused(client, given.dag_id, True)
    print(f"DAG {given.dag_id!r} is paused" + ("" if changed else " already"))


def unpause(client: Client, given: Namespace) -> None:
    changed = _set_paused(client, given.dag_id, False)
    print(f"DAG {given.dag_id!r} is not paused" + ("" if changed else ", and was not before"))


def _set_paused(client: Client, dag_id: str, paused: bool) -> bool:
    path = f"/dags/{part(dag_id)}"
    if client.get(path)["is_paused"] is paused:
        return False
    client.ask("PATCH", path, {"is_paused": paused})
    return True


def delete_dag(client: Client, given: Namespace) -> None:
    confirm(f"Delete DAG {given.dag_id!r} with all its runs, values and history?", given.yes)
    client.ask("DELETE", f"/dags/{part(given.dag_id)}")
    print(f"DAG {given.dag_id!r} is deleted")


def source(client: Client, given: Namespace) -> None:
    number = getattr(given, "number", None)
    print(client.get(f"/dagSources/{part(given.dag_id)}", version_number=number)["content"], end="")


def trigger(client: Client, given: Namespace) -> int:
    body: Facts = {"conf": json_value(given.conf, "--conf") if given.conf is not None else {}}
    body["logical_date"] = instant(given.logical_date).isoformat() if given.logical_date else None
    if given.logical_date is None and given.partition_key is None:
        from tradewind.cli.world import CLOCK

        body["logical_date"] = CLOCK.now().isoformat()
    body |= {
        name: value
        for name, value in (
            ("dag_run_id", given.run_id),
            ("note", given.note),
            ("partition_key", given.partition_key),
        )
        if value is not None
    }
    run = _run(client.ask("POST", f"/dags/{part(given.dag_id)}/dagRuns", body))
    if not given.wait:
        _show_run(run, given.output)
        return 0
    quiet = given.output in ("json", "yaml")
    print(f"run {run['run_id']} of DAG {run['dag_id']}", file=sys.stderr if quiet else sys.stdout, flush=True)
    path = f"/dags/{part(run['dag_id'])}/dagRuns/{part(run['run_id'])}"
    answer = client.raw("GET", f"{API}{path}/wait", params={"interval": 1}, timeout=None)
    if answer.status_code != 200:
        raise Unavailable(f"the server answered {answer.status_code} while the run was waited for")
    run = _run(client.get(path))
    if quiet:
        tasks = client.pages(f"{path}/taskInstances", "task_instances")
        show_document({**run, "tasks": list(map(_task, tasks))}, given.output)
    else:
        took = f" after {run['duration']:.1f} s" if run["duration"] is not None else ""
        print(f"run {run['run_id']}: {coloured(run['state'])}{took}")
    return 0 if run["state"] == "success" else 1


def _show_run(run: Facts, form: str) -> None:
    if form in ("json", "yaml"):
        show_document(run, form)
    elif form == "plain":
        print(run["run_id"])
    else:
        print(f"run {run['run_id']} of DAG {run['dag_id']} is queued")


def list_runs(client: Client, given: Namespace) -> None:
    rows = client.pages(
        f"/dags/{part(given.dag_id or '~')}/dagRuns", "dag_runs", given.limit, state=given.state, order_by="-id"
    )
    columns = ("dag_id", "run_id", "state", "run_type", "run_after", "start_date", "duration")
    show_rows(map(_run, rows), given.output, columns, "there are no runs")


def run_path(client: Client, given: Namespace) -> str:
    """The path of the run that is meant; `latest` is the newest. Raises `NotFound` when there is none yet."""
    base = f"/dags/{part(given.dag_id)}/dagRuns"
    run_id = given.run_id
    if run_id == "latest":
        newest = client.get(base, limit=1, order_by="-id")["dag_runs"]
        if not newest:
            raise NotFound(f"DAG {given.dag_id!r} has no runs yet; `tradewind dags trigger {given.dag_id}` makes one")
        run_id = newest[0]["dag_run_id"]
    return f"{base}/{part(run_id)}"


def show_run(client: Client, given: Namespace) -> None:
    path = run_path(client, given)
    run = _run(client.get(path))
    tasks = list(map(_task, client.pages(f"{path}/taskInstances", "task_instances")))
    if given.output in ("json", "yaml"):
        show_document({**run, "tasks": tasks}, given.output)
        return
    if given.output == "table":
        show_record({name: value for name, value in run.items() if value not in (None, "", {})}, "table")
        print()
    show_rows(tasks, given.output, TASK_COLUMNS, "it has no task instances yet")


def cancel_run(client: Client, given: Namespace) -> None:
    run = client.ask("PATCH", run_path(client, given), {"state": given.state})
    print(f"run {run['dag_run_id']!r} of DAG {run['dag_id']!r} ends as {given.state}")


def mark_run(client: Client, given: Namespace) -> None:
    path = run_path(client, given)
    confirm(f"Mark run {given.run_id!r} of DAG {given.dag_id!r} as {given.state}?", given.yes)
    run = client.ask("PATCH", path, {"state": given.state})
    print(f"run {run['dag_run_id']!r} of DAG {run['dag_id']!r} is marked {given.state}")


def note_run(client: Client, given: Namespace) -> None:
    run = client.ask("PATCH", run_path(client, given), {"note": given.note or None})
    print(f"run {run['dag_run_id']!r} of DAG {run['dag_id']!r} has {'the' if given.note else 'no'} note")


def delete_run(client: Client, given: Namespace) -> None:
    path = run_path(client, given)
    confirm(f"Delete run {given.run_id!r} of DAG {given.dag_id!r} for good?", given.yes)
    client.ask("DELETE", path)
    print(f"run {given.run_id!r} of DAG {given.dag_id!r} is deleted")


def list_tasks(client: Client, given: Namespace) -> None:
    rows = client.get(f"/dags/{part(given.dag_id)}/tasks")["tasks"]
    upstream: dict[str, list[str]] = {row["task_id"]: [] for row in rows}
    for row in rows:
        for below in row["downstream_task_ids"] or ():
            upstream.setdefault(below, []).append(row["task_id"])
    facts = (
        {
            "task_id": row["task_id"],
            "operator": row["operator_name"],
            "trigger_rule": row["trigger_rule"],
            "upstream": sorted(upstream[row["task_id"]]),
            "retries": int(row["retries"] or 0),
            "pool": row["pool"],
            "mapped": row["is_mapped"],
        }
        for row in rows
    )
    columns = (
        ("task_id",) if given.output == "plain" else ("task_id", "operator", "trigger_rule", "upstream", "retries")
    )
    show_rows(facts, given.output, columns, "it has no tasks")


def task_states(client: Client, given: Namespace) -> None:
    rows = client.pages(f"{run_path(client, given)}/taskInstances", "task_instances")
    show_rows(map(_task, rows), given.output, TASK_COLUMNS, "it has no task instances yet")


def task_logs(client: Client, given: Namespace) -> None:
    path = f"{run_path(client, given)}/taskInstances/{part(given.task_id)}"
    index = given.map_index if getattr(given, "map_index", None) is not None else None
    number = given.try_number or client.get(path if index is None else f"{path}/{index}")["try_number"] or 1
    answer = client.raw(
        "GET",
        f"{API}{path}/logs/{number}",
        params={"full_content": "true", **({} if index is None else {"map_index": index})},
        headers={"Accept": "application/x-ndjson"},
    )
    if answer.status_code != 200:
        try:
            detail = json.loads(answer.text)["detail"]
        except (ValueError, KeyError):
            detail = f"the server answered {answer.status_code}"
        raise NotFound(str(detail))
    for line in answer.text.splitlines():
        print(line if given.output == "json" else readable(_stored(line)))


def _stored(line: str) -> str:
    """A line of the answer in the words of the stored one."""
    told = json.loads(line)
    name = told.get("logger") if told.get("logger") != told.get("source") else None
    record: Facts = {"t": told.get("timestamp"), "l": told.get("level"), "m": told.get("event"), "n": name}
    record["s"] = told.get("source")
    if told.get("error_detail"):
        record["e"] = [_error(each) for each in told["error_detail"]]
    return json.dumps(record)


def _error(told: Facts) -> Facts:
    frames = [
        {"file": each["filename"], "line": each["lineno"], "function": each["name"], "text": each["line"]}
        for each in told["frames"]
    ]
    relation = "cause" if told["is_cause"] else "member" if told["is_group"] else None
    found = {"type": told["exc_type"], "message": told["exc_value"], "notes": told["exc_notes"], "frames": frames}
    return {**found, **({"relation": relation} if relation else {})}


def mark_tasks(client: Client, given: Namespace) -> None:
    base = run_path(client, given)
    if given.group:
        raise BadInput("--group works only on the machine of the installation; name the tasks")
    body: Facts = {
        "new_state": given.state,
        "include_upstream": given.upstream,
        "include_downstream": given.downstream,
        "include_future": given.future,
        "include_past": given.past,
    }
    if given.note is not None:
        body["note"] = given.note
    end = "" if given.map_index is None else f"/{given.map_index}"
    paths = [f"{base}/taskInstances/{part(task_id)}{end}" for task_id in given.task_ids]
    planned = [row for path in paths for row in client.ask("PATCH", f"{path}/dry_run", body)["task_instances"]]
    if given.dry_run:
        columns = ("run_id", "task", "state", "try", "start_date", "reason")
        rows = [{"run_id": row["dag_run_id"], **_task(row)} for row in planned]
        show_rows(rows, given.output, columns, "nothing would be changed")
        return
    if planned:
        confirm(f"Mark {counted(len(planned), 'task instance')} of DAG {given.dag_id!r} as {given.state}?", given.yes)
    for path in paths if planned else ():
        client.ask("PATCH", path, body)
    print(f"DAG {given.dag_id!r}: {counted(len(planned), 'task instance')} marked {given.state}")


def note_task(client: Client, given: Namespace) -> None:
    end = "" if given.map_index is None else f"/{given.map_index}"
    path = f"{run_path(client, given)}/taskInstances/{part(given.task_id)}{end}"
    client.ask("PATCH", path, {"note": given.note or None})
    print(f"task {given.task_id!r} has {'the' if given.note else 'no'} note")


def clear_run(client: Client, given: Namespace) -> None:
    if given.run_id is None:
        raise BadInput("--from and --to work only on the machine of the installation; name the run")
    path = f"{run_path(client, given)}/clear"
    body: Facts = {
        "dry_run": True,
        "only_failed": given.only_failed,
        "only_new": given.only_new,
        "run_on_latest_version": given.newest_version,
        "note": given.note,
    }
    planned = client.ask("POST", path, body)["task_instances"]
    if given.dry_run:
        columns = ("run_id", "task", "state", "try", "start_date", "reason")
        rows = [{"run_id": row["dag_run_id"], **_task(row)} for row in planned]
        show_rows(rows, given.output, columns, "nothing would be changed")
        return
    confirm(f"Run again {counted(len(planned), 'task instance')} of DAG {given.dag_id!r}?", given.yes)
    client.ask("POST", path, {**body, "dry_run": False})
    print(f"run {given.run_id!r} of DAG {given.dag_id!r}: {counted(len(planned), 'task instance')} cleared")


def clear_tasks(client: Client, given: Namespace) -> None:
    base = run_path(client, given)
    run_id = client.get(base)["dag_run_id"]
    body: Facts = {
        "dag_run_id": run_id,
        "dry_run": True,
        "include_upstream": given.upstream,
        "include_downstream": given.downstream,
        "include_future": given.future,
        "include_past": given.past,
        "only_failed": given.only_failed,
        "only_running": given.only_running,
        "reset_dag_runs": not given.no_reset_runs,
        "run_on_latest_version": given.newest_version,
        "prevent_running_task": given.prevent_running,
        "note": given.note,
    }
    if given.task_ids:
        index = given.map_index
        body["task_ids"] = [name if index is None else [name, int(index)] for name in given.task_ids]
    path = f"/dags/{part(given.dag_id)}/clearTaskInstances"
    planned = client.ask("POST", path, body)["task_instances"]
    if given.dry_run:
        columns = ("run_id", "task", "state", "try", "start_date", "reason")
        rows = [{"run_id": row["dag_run_id"], **_task(row)} for row in planned]
        show_rows(rows, given.output, columns, "nothing would be changed")
        return
    if planned:
        confirm(f"Run again {counted(len(planned), 'task instance')} of DAG {given.dag_id!r}?", given.yes)
        planned = client.ask("POST", path, {**body, "dry_run": False})["task_instances"]
    print(f"run {run_id!r} of DAG {given.dag_id!r}: {counted(len(planned), 'task instance')} cleared")


VERBS = {
    "dags list": list_dags,
    "dags errors": list_errors,
    "dags pause": pause,
    "dags unpause": unpause,
    "dags delete": delete_dag,
    "dags source": source,
    "dags trigger": trigger,
    "runs list": list_runs,
    "runs show": show_run,
    "runs cancel": cancel_run,
    "runs mark": mark_run,
    "runs note": note_run,
    "runs delete": delete_run,
    "tasks list": list_tasks,
    "tasks states": task_states,
    "tasks logs": task_logs,
    "tasks clear": clear_tasks,
    "tasks mark": mark_tasks,
    "tasks note": note_task,
    "runs clear": clear_run,
}
