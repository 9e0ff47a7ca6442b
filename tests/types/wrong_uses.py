"""Wrong uses of the SDK that mypy must refuse; see README.md."""

from __future__ import annotations

from typing import Any

from tradewind import (
    DAG,
    BaseOperator,
    BaseOperatorLink,
    ObjectStoragePath,
    ResumableJobMixin,
    TaskGroup,
    conf,
    dag,
    task,
    task_group,
)
from tradewind.standard.notifiers import SlackWebhookNotifier, SmtpNotifier, WebhookNotifier

from .right_uses import Copy, extract, pipeline, sometimes

# Functions as tasks: names, number and types of arguments.
extract()  # type: ignore[call-arg]
extract("x", 1, 2)  # type: ignore[call-arg]
extract(dya="x")  # type: ignore[call-arg]
extract(5)  # type: ignore[arg-type]
extract("x", limit="many")  # type: ignore[arg-type]
sometimes("x")  # type: ignore[arg-type]
extract.overide(task_id="x")  # type: ignore[attr-defined]
task(5)  # type: ignore[call-overload]


@task_group
def group(x: int) -> None: ...


group()  # type: ignore[call-arg]
group("x")  # type: ignore[arg-type]

# DAGs.
DAG()  # type: ignore[call-arg]
DAG("d", schedule_interval="@daily")  # type: ignore[call-arg]
DAG("d", tags=5)  # type: ignore[arg-type]
DAG("d", dagrun_timeout=60)  # type: ignore[arg-type]
DAG("d").tests()  # type: ignore[attr-defined]
pipeline(n="x")  # type: ignore[arg-type]
pipeline(m=1)  # type: ignore[call-arg]


@dag
def plain() -> None: ...


plain(1)  # type: ignore[call-arg]

# Operators and groups.
BaseOperator()  # type: ignore[call-arg]
BaseOperator(task_id="t", execution_timeout=5)  # type: ignore[arg-type]
BaseOperator(task_id="t", retries="three")  # type: ignore[arg-type]
BaseOperator("t")  # type: ignore[call-arg]
Copy(task_id="t", source="a")  # type: ignore[call-arg]
Copy(task_id="t", source=1, target="b")  # type: ignore[arg-type]
TaskGroup(5)  # type: ignore[arg-type]
TaskGroup("g", tooltipp="x")  # type: ignore[call-arg]


class Returns(BaseOperator):
    def execute(self) -> Any:  # type: ignore[override]
        return None


# Other interpreters, notices, memory, paths.
@task.external_python(serializer="pickle")  # type: ignore[call-arg] # which interpreter?
def elsewhere() -> None: ...


SmtpNotifier()  # type: ignore[call-arg]
WebhookNotifier(5)  # type: ignore[arg-type]
SlackWebhookNotifier("text")  # type: ignore[call-arg]
ObjectStoragePath("s3://bucket") + "key"  # type: ignore[operator]
conf.getint("core")  # type: ignore[call-arg]


class Unfinished(ResumableJobMixin, BaseOperator):
    def submit_job(self, context: Any) -> str:
        return "job"


Unfinished(task_id="t")  # type: ignore[abstract]


class Link(BaseOperatorLink): ...


Link()  # type: ignore[abstract]
