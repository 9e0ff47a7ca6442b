"""What authors write must check: tasks, references as arguments, groups, mapping, operators."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, assert_type

from tradewind import (
    DAG,
    NEVER_EXPIRE,
    BaseNotifier,
    BaseOperator,
    Label,
    ObjectStoragePath,
    Param,
    ResumableJobMixin,
    TaskGroup,
    XComArg,
    chain,
    dag,
    setup,
    task,
    task_group,
    teardown,
)
from tradewind.sdk.mapped import MappedOperator
from tradewind.sdk.taskflow import TaskDecorator
from tradewind.standard.notifiers import SmtpNotifier


@task
def extract(day: str, limit: int = 10) -> list[int]:
    return [limit]


@task(retries=2, retry_delay=timedelta(minutes=1))
def transform(rows: list[int], ti: Any = None) -> dict[str, int]:
    return {"rows": len(rows)}


@task.branch
def choose(rows: dict[str, int]) -> str:
    return "many" if rows["rows"] > 5 else "few"


@task.sensor(poke_interval=30, mode="reschedule")
def ready() -> bool:
    return True


@setup
def start() -> str:
    return "cluster"


@teardown
def stop(cluster: str) -> None: ...


@task.run_if(lambda context: True)
@task
def sometimes(x: int) -> int:
    return x


decorated: TaskDecorator[..., list[int]] = extract


@task_group
def both(day: str) -> Any:
    return transform(extract(day))


@task_group(group_id="named", tooltip="t")
def named(x: int) -> None:
    sometimes(x)


@dag(schedule="@daily", start_date=datetime(2024, 1, 1), params={"n": Param(3, type="integer")})
def pipeline(n: int = 3) -> None:
    rows = extract("2024-01-01")
    assert_type(rows, XComArg)
    counted = transform(rows)  # a reference stands for its value
    ready() >> rows
    choose(counted) >> Label("found") >> [both("x"), both.override(group_id="again")("y")]
    transform.expand(rows=extract.partial(limit=5).expand(day=["a", "b"]))
    transform.override(task_id="other", retries=5)(rows)
    both.expand(day=["a", "b"]) >> named.partial().expand(x=rows)
    with stop(start()):
        sometimes(rows.map(lambda row: row + 1))
    chain(rows, [counted, counted], named(1))


made: DAG = pipeline(n=5)
made.test(run_conf={"n": 1})


class Copy(BaseOperator):
    template_fields = ("source",)

    def __init__(self, *, source: str, target: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.target = target

    def execute(self, context: Any) -> str:
        return self.target


with DAG("d", tags=["a"], catchup=False) as written:
    with TaskGroup("g", tooltip="t") as group:
        copy = Copy(task_id="c", source="a", target="b", retries=3, trigger_rule="all_done")
    Copy(task_id="e", source=copy.output, target=extract("x"))
    assert_type(Copy.partial(task_id="m", target="t").expand(source=["a", "b"]), MappedOperator)
    group >> copy.as_teardown(setups=copy)


# Other interpreters, notices, memory, paths.
@task.external_python(python="/usr/bin/python3")
def elsewhere(n: int) -> list[int]:
    return [n]


@task.virtualenv(requirements=["rich"], venv_cache_path="/tmp/venvs")
def isolated() -> str:
    return ""


@task.stub(queue="java")
def in_java() -> None: ...


class Told(BaseNotifier):
    def notify(self, context: Any) -> None: ...


class Job(ResumableJobMixin, BaseOperator):
    def execute(self, context: Any) -> Any:
        context["task_state_store"].set("k", 1, retention=NEVER_EXPIRE)
        return self.execute_resumable(context)

    def submit_job(self, context: Any) -> str:
        return "job"

    def get_job_status(self, external_id: Any, context: Any) -> str:
        return "done"

    def is_job_active(self, status: str) -> bool:
        return False

    def is_job_succeeded(self, status: str) -> bool:
        return True

    def poll_until_complete(self, external_id: Any, context: Any) -> None: ...

    def get_job_result(self, external_id: Any, context: Any) -> int:
        return 1


with DAG("other", on_failure_callback=[Told(), SmtpNotifier(to="a@example.org")], access_control={"Ops": {"can_read"}}):
    elsewhere(isolated())
    in_java()
    Job(task_id="j", weight_rule="upstream", on_success_callback=Told(), durable=True)

assert_type(ObjectStoragePath("s3://bucket") / "key", ObjectStoragePath)
assert_type((ObjectStoragePath("file:///tmp") / "x").read_text(), str)
