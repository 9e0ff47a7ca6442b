"""From a saved file to a DAG that others see; many files at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bench import dag_files, floors, machine
from bench.installation import Installation, started
from bench.results import Figure, Floor, figure
from bench.stats import summary

FILES = 500


def save(kind: str, *, quick: bool) -> Iterator[Figure]:
    """A new file, saved; until its DAG is in the database."""
    with started(kind) as place, machine.others_busy(place.pid) as busy:
        place.publish({"first.py": dag_files.ordinary("first")}, ["first"])
        times = []
        for number in range(5 if quick else 20):
            dag_id = f"saved_{number}"
            began = time.monotonic()
            place.publish({f"{dag_id}.py": dag_files.ordinary(dag_id)}, [dag_id])
            times.append(time.monotonic() - began)
        floor = floors.python_file(place.dags / "first.py")
    yield figure(
        "save", "file saved → visible", "s", summary(times), database=kind, target=1.0,
        floor=Floor(floor.name, floor.value / 1000, "s"), others_busy=busy.share,
    )  # fmt: skip


def cold(kind: str, *, quick: bool) -> Iterator[Figure]:
    """A folder with many files appears; until the last of their DAGs is in the database."""
    times = []
    for _ in range(1 if quick else 3):
        with started(kind) as place, machine.others_busy(place.pid) as busy:
            began = time.monotonic()
            add_many(place)
            times.append(time.monotonic() - began)
            floor = floors.load_files(sorted((place.dags / "many").glob("*.py")))
    yield figure(
        "cold", f"{FILES} files parsed cold", "s", summary(times), database=kind, target=20.0, floor=floor,
        others_busy=busy.share,
    )  # fmt: skip


def add_many(place: Installation) -> None:
    """Put many files in place at once and wait until all their DAGs are known; half of them have a schedule."""
    draft = place.home / "many.draft"
    dag_ids = write_many(draft)
    with place.store.listen(["dags"]) as bell:
        draft.rename(place.dags / "many")
        place.wait_for_dags(bell, dag_ids)


def write_many(folder: Path) -> list[str]:
    """Many small DAG files; their DAGs."""
    folder.mkdir()
    dag_ids = [f"ordinary_{number:03}" for number in range(FILES)]
    for number, dag_id in enumerate(dag_ids):
        (folder / f"{dag_id}.py").write_text(dag_files.ordinary(dag_id, scheduled=number % 2 == 0))
    return dag_ids
