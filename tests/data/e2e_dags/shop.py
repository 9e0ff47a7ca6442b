"""Orders of the shop: groups, mapping, a task that fails, params of every kind."""

import time
from datetime import datetime, timedelta

from tradewind import Param, TaskGroup, dag, task


@task
def extract():
    for page in range(40):
        print(f"page {page} read")
    return list(range(8))


@task(retries=1, retry_delay=timedelta(seconds=1))
def transform(number: int):
    print("transform", number)
    if number == 5:
        raise ValueError("order 5 has no customer: column 'customer_id' is null")
    return number * 2


@task(trigger_rule="all_done")
def load():
    return {"rows": 7}


@dag(
    schedule=None,
    start_date=datetime(2026, 11, 1),
    tags=["shop", "billing"],
    params={
        "day": Param("2026-11-20", type="string", format="date", title="Day", description="Which day to load"),
        "mode": Param("full", type="string", enum=["full", "delta"], description="**full** reads everything"),
        "limit": Param(100, type="integer", minimum=1, maximum=1000),
        "dry": Param(False, type="boolean", section="Advanced"),
        "stores": Param(["north", "south"], type="array", section="Advanced"),
    },
)
def shop_orders():
    transform.expand(number=extract()) >> load()


@task
def step(seconds: float):
    time.sleep(seconds)
    return seconds


@task
def publish():
    raise ConnectionError("reports.example.org refused the connection (111)")


@dag(schedule=None, start_date=datetime(2026, 11, 1), tags=["reports"])
def weekly_report():
    """Merges sources and publishes them."""
    with TaskGroup("sources"):
        first = step.override(task_id="first")(0.1)
        second = step.override(task_id="second")(0.2)
    merged = step.override(task_id="merge")(0.1)
    [first, second] >> merged >> publish()


@task
def ticking():
    for second in range(60):
        print("tick", second, flush=True)
        time.sleep(0.5)


@dag(schedule=None, start_date=datetime(2026, 11, 1), tags=["ops"])
def slow_poke():
    ticking()


@dag(schedule="@daily", start_date=datetime(2026, 11, 1), catchup=False, tags=["ops"])
def nightly():
    step.override(task_id="first")(0.01) >> step.override(task_id="second")(0.01)


shop_orders()
weekly_report()
slow_poke()
nightly()

from tradewind import DAG  # noqa: E402
from tradewind.standard import ApprovalOperator, EmptyOperator  # noqa: E402

with DAG("release", schedule=None, start_date=datetime(2026, 11, 1), tags=["ops"]):
    approve = ApprovalOperator(task_id="approve", subject="Release the new version?", body="It has **two** changes.")
    approve >> EmptyOperator(task_id="go")
