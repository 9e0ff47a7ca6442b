"""DAG files for the benches: small, and as people write them. Tasks of those that are timed note their times."""

from __future__ import annotations

from bench.times import SideFile

CHAIN = """
from tradewind import dag, task
{note}

@dag(schedule=None, isolation={isolation!r})
def {dag_id}():
    @task
    def step(name):
        began = time.time_ns()
        note(began, name)

    before = None
    for number in range({length}):
        now = step.override(task_id=f"t{{number:03}}")(f"t{{number:03}}")
        if before is not None:
            before >> now
        before = now


{dag_id}()
"""
WIDE = """
from tradewind import dag, task
{note}

@dag(schedule=None, isolation={isolation!r})
def {dag_id}():
    @task
    def nothing(name):
        began = time.time_ns()
        note(began, name)

    for number in range({width}):
        nothing.override(task_id=f"t{{number:03}}")(f"t{{number:03}}")


{dag_id}()
"""
MAPPED = """
from tradewind import dag, task
{note}

@dag(schedule=None)
def {dag_id}():
    @task
    def numbers():
        return list(range({width}))

    @task
    def work(number):
        began = time.time_ns()
        note(began, f"work-{{number}}")

    work.expand(number=numbers())


{dag_id}()
"""
ORDINARY = """
from datetime import datetime

from tradewind import dag, task


@dag(schedule={schedule!r}, start_date=datetime(2099, 1, 1), tags=["bench"], default_args={{"retries": 2}})
def {dag_id}():
    \"\"\"Takes rows, changes them, stores them.\"\"\"

    @task
    def extract():
        return [{{"row": number}} for number in range(10)]

    @task
    def transform(rows):
        return [row | {{"double": row["row"] * 2}} for row in rows]

    @task
    def load(rows):
        print(len(rows), "rows")

    load(transform(extract()))


{dag_id}()
"""


def chain(dag_id: str, length: int, isolation: str, side: SideFile) -> str:
    """Tasks one after another."""
    return CHAIN.format(dag_id=dag_id, length=length, isolation=isolation, note=side.note_text())


def wide(dag_id: str, width: int, isolation: str, side: SideFile) -> str:
    """Tasks that do not depend on each other."""
    return WIDE.format(dag_id=dag_id, width=width, isolation=isolation, note=side.note_text())


def mapped(dag_id: str, width: int, side: SideFile) -> str:
    """One task, expanded over what another one returned."""
    return MAPPED.format(dag_id=dag_id, width=width, note=side.note_text())


def ordinary(dag_id: str, *, scheduled: bool = False) -> str:
    """Three tasks that hand values on; with a schedule that is not due before 2099."""
    return ORDINARY.format(dag_id=dag_id, schedule="@daily" if scheduled else None)
