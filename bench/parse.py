"""How fast DAG files become visible: `python -m bench.parse [--files 500] [--saves 30]` prints JSON.

- `cold_seconds`: a new home with so many files, from the start of the processor until all DAGs are listed.
- `save_ms_*`: one of them is saved with a change, until the new version can be read from the store.
- `restart_seconds`: the same home again, nothing changed, until the processor is ready.
- `idle_cpu_percent`, `pss_mib`: processor and parse host with all files loaded and nothing to do.

Floors of the same run: `floor_fork_seconds` (as many forks of a process as large as the parse host, two at a time, that
exit at once), `floor_import_seconds` (the same files imported one after another in one process, nothing isolated), and
`floor_write_seen_ms` (from a write until an inotify reader hears of it).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

from tradewind.adapters.bundles import LocalBundle
from tradewind.kernel.clock import SystemClock
from tradewind.kernel.process import pss_bytes
from tradewind.kernel.settings import Settings, load_settings
from tradewind.ports.store import Store
from tradewind.processor.service import ProcessorService
from tradewind.processor.watch import FolderWatch
from tradewind.runtime.processes import descendants
from tradewind.store import open_store, schema

IDLE_SECONDS = 10.0
PATIENCE_SECONDS = 120.0
DAG_FILE = """
from datetime import datetime

from tradewind import dag, task


@dag(dag_id="dag_{number}", schedule="@daily", start_date=datetime(2024, 1, 1), tags=["bench"])
def pipeline():
    @task
    def extract():
        return list(range({value}))

    @task(retries=2)
    def transform(rows):
        return [row * 2 for row in rows]

    @task
    def load(rows):
        print(len(rows))

    load(transform(extract()))


pipeline()
"""
IMPORT_ALL = """
import sys, time
from pathlib import Path
from tradewind.sdk.compile import compile_dag
from tradewind.sdk.loading import load_dag_file
root = Path(sys.argv[1])
begun = time.perf_counter()
for number, file in enumerate(sorted(root.glob("*.py"))):
    for dag in load_dag_file(file, bundle_root=root, module_name=f"bench_{number}").dags.values():
        compile_dag(dag, file=file.name)
print(time.perf_counter() - begun)
"""
FORK_ALL = """
import gc, os, sys, time
import tradewind.runtime.parse_host
gc.collect(); gc.freeze()
count, alive = int(sys.argv[1]), 0
begun = time.perf_counter()
for _ in range(count):
    if alive == 2:
        os.wait(); alive -= 1
    if os.fork() == 0:
        os._exit(0)
    alive += 1
while alive:
    os.wait(); alive -= 1
print(time.perf_counter() - begun)
"""


def main(arguments: list[str]) -> dict[str, Any]:
    """Runs everything; returns the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--saves", type=int, default=30)
    parser.add_argument("--url", help="database; default: a new SQLite file")
    wish = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as place:
        return measure(Path(place), wish.files, wish.saves, wish.url)


def measure(home: Path, files: int, saves: int, url: str | None = None) -> dict[str, Any]:
    """The figures for a new home at `home`."""
    settings = load_settings({"TRADEWIND__DATABASE__URL": url} if url else {}, home)
    folder = settings.core.dags_folder
    folder.mkdir(parents=True)
    for number in range(files):
        _save(folder, number, 1)
    schema.reset(settings.database.url)
    store = open_store(settings.database.url)
    figures: dict[str, Any] = {"files": files, "saves": saves}
    begun = time.perf_counter()
    service = _start(store, settings)
    _wait(store, lambda tx: len(tx.list_dags(limit=files + 1)) == files)
    figures["cold_seconds"] = round(time.perf_counter() - begun, 3)
    times = sorted(_time_of_save(store, folder, 1 + turn % (files - 1), turn) for turn in range(saves))
    figures["save_ms_median"] = round(statistics.median(times) * 1000, 1)
    figures["save_ms_p95"] = round(times[int(len(times) * 0.95)] * 1000, 1)
    figures["idle_cpu_percent"] = round(_idle_cpu(), 2)
    figures["pss_mib"] = round(sum(map(pss_bytes, [os.getpid(), *descendants(os.getpid())])) / (1 << 20), 1)
    service.stop()
    begun = time.perf_counter()
    service = _start(store, settings)
    service.wait_ready(PATIENCE_SECONDS)
    figures["restart_seconds"] = round(time.perf_counter() - begun, 3)
    service.stop()
    store.close()
    figures["floor_fork_seconds"] = round(_child(FORK_ALL, str(files)), 3)
    figures["floor_import_seconds"] = round(_child(IMPORT_ALL, str(folder)), 3)
    figures["floor_write_seen_ms"] = round(_write_seen(home) * 1000, 1)
    return figures


def _start(store: Store, settings: Settings) -> ProcessorService:
    clock = SystemClock()
    bundle = LocalBundle("dags-folder", settings.core.dags_folder, settings.bundles.root, clock)
    service = ProcessorService(store, bundle, settings, clock)
    service.start()
    return service


def _save(folder: Path, number: int, value: int) -> None:
    draft = folder.parent / "draft"
    draft.write_text(textwrap.dedent(DAG_FILE.format(number=number, value=value)))
    draft.rename(folder / f"dag_{number}.py")


def _time_of_save(store: Store, folder: Path, number: int, turn: int) -> float:
    dag_id = f"dag_{number}"
    with store.read() as tx:
        newest = tx.version_newest(dag_id)
    assert newest is not None
    begun = time.perf_counter()
    _save(folder, number, 1000 + turn)
    _wait(store, lambda tx: (found := tx.version_newest(dag_id)) is not None and found.number > newest.number)
    return time.perf_counter() - begun


def _wait(store: Store, condition: Any) -> None:
    with store.listen(["dags"]) as listener:
        while True:
            with store.read() as tx:
                if condition(tx):
                    return
            if not listener.wait(PATIENCE_SECONDS):
                raise TimeoutError(f"nothing was published for {PATIENCE_SECONDS:g} s")


def _idle_cpu() -> float:
    """Percent of one processor that this process and its children take."""

    def used() -> float:
        ticks = 0
        for pid in (os.getpid(), *descendants(os.getpid())):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(IDLE_SECONDS)
    return (used() - before) / IDLE_SECONDS * 100


def _child(program: str, *arguments: str) -> float:
    command = [sys.executable, "-c", program, *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _write_seen(home: Path) -> float:
    heard = threading.Event()
    folder = home / "watched"
    folder.mkdir()
    watch = FolderWatch(str(folder), heard.set)
    times = []
    for turn in range(12):
        heard.clear()
        begun = time.perf_counter()
        (folder / f"{turn}.py").write_text("x")
        if not heard.wait(5):
            continue  # the first may come before the watch stands
        times.append(time.perf_counter() - begun)
    watch.close()
    return statistics.median(times)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=2))
