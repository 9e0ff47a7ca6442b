"""State stores, resumable jobs, asynchronous operators, notifiers, the configuration, variables of Airflow 2."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tradewind import (
    DAG,
    NEVER_EXPIRE,
    BaseAsyncOperator,
    BaseNotifier,
    BaseOperator,
    ResumableJobMixin,
    conf,
)
from tradewind.sdk.defaults import Defaults, use_defaults
from tradewind.sdk.exceptions import AirflowConfigException
from tradewind.wire import execution as ex
from tradewind.wire.states import DagRunType


class Does(BaseOperator):
    def __init__(self, *, does: Callable[[Any], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.does = does

    def execute(self, context: Any) -> Any:
        return self.does(context)


def _run(bench: Any, does: Callable[[Any], Any], **more: Any) -> ex.Outcome:
    outcome: ex.Outcome = bench.run(Does(task_id="t", does=does, dag=DAG("d")), **more)
    assert outcome.state == "success", outcome.reason
    return outcome


# --- state stores ----------------------------------------------------------------------------------------------------


def test_a_task_remembers_from_one_try_to_the_next(bench: Any) -> None:
    def first(context: Any) -> None:
        memory = context["task_state_store"]
        assert memory.get("job", "none") == "none"
        memory.set("job", {"id": [1, 2]})
        memory.set("keep", 1, retention=NEVER_EXPIRE)
        memory.set("short", 1, retention=timedelta(hours=1))
        memory.delete("gone")

    def second(context: Any) -> None:
        memory = context["task_state_store"]
        assert memory.get("job") == {"id": [1, 2]}
        memory.delete("job")
        assert memory.get("job") is None
        memory.clear()
        assert memory.get("keep") is None

    _run(bench, first)
    _run(bench, second, try_number=2)


def test_states_without_blocking_the_loop(bench: Any) -> None:
    async def work(memory: Any) -> list[Any]:
        await memory.aset("a", 1)
        found = await asyncio.gather(memory.aget("a"), memory.aget("b", 2))
        await memory.adelete("a")
        await memory.aclear()
        return [*found, await memory.aget("a")]

    def check(context: Any) -> None:
        assert asyncio.run(work(context["task_state_store"])) == [1, 2, None]

    _run(bench, check)


def test_states_that_cannot_be_kept(bench: Any) -> None:
    def check(context: Any) -> None:
        memory = context["task_state_store"]
        for value, words in (
            (None, "cannot be None"),
            ({1, 2}, "must be plain JSON"),
            (float("nan"), "must be plain JSON"),
            ("x" * 70_000, "has 70002 bytes of JSON; at most 65535"),
        ):
            with pytest.raises(ValueError, match=words):
                memory.set("k", value)
        with pytest.raises(ValueError, match="positive timedelta or NEVER_EXPIRE"):
            memory.set("k", 1, retention=timedelta(0))

    _run(bench, check)


def test_states_of_assets(bench: Any) -> None:
    from tradewind import Asset

    orders, stock = Asset("orders"), Asset("stock")

    def check(context: Any) -> None:
        context["asset_state_store"][orders].set("watermark", 7)
        assert context["asset_state_store"][orders].get("watermark") == 7
        assert context["asset_state_store"][stock].get("watermark") is None
        with pytest.raises(KeyError, match="neither an inlet nor an outlet"):
            context["asset_state_store"][Asset("other")]
        with pytest.raises(ValueError, match="has 2 assets"):
            context["asset_state_store"].get("watermark")

    task = Does(task_id="t", does=check, dag=DAG("d"), inlets=[orders], outlets=[stock])
    outcome = bench.run(task)
    assert outcome.state == "success", outcome.reason

    def single(context: Any) -> None:
        assert context["asset_state_store"].get("watermark") == 7

    outcome = bench.run(Does(task_id="u", does=single, dag=DAG("d"), inlets=[orders]))
    assert outcome.state == "success", outcome.reason


# --- resumable jobs --------------------------------------------------------------------------------------------------


class Job(ResumableJobMixin, BaseOperator):
    jobs: dict[str, str] = {}  # noqa: RUF012 # the other system
    breaks = False

    def execute(self, context: Any) -> Any:
        return self.execute_resumable(context)

    def submit_job(self, context: Any) -> str:
        job = f"job-{len(self.jobs)}"
        self.jobs[job] = "running"
        return job

    def get_job_status(self, external_id: Any, context: Any) -> str:
        return self.jobs[external_id]

    def is_job_active(self, status: str) -> bool:
        return status == "running"

    def is_job_succeeded(self, status: str) -> bool:
        return status == "done"

    def poll_until_complete(self, external_id: Any, context: Any) -> None:
        if Job.breaks:
            raise RuntimeError("the machine is gone")
        self.jobs[external_id] = "done"

    def get_job_result(self, external_id: Any, context: Any) -> str:
        return f"result of {external_id}"


def test_a_job_survives_the_task_that_started_it(bench: Any) -> None:
    Job.jobs, Job.breaks = {}, True
    with DAG("d"):
        task = Job(task_id="j")
        fresh = Job(task_id="f", durable=False)
    assert bench.run(task).state == "failed"
    assert Job.jobs == {"job-0": "running"}
    Job.breaks = False
    assert bench.run(task, try_number=2).xcoms[0].value.data == b'"result of job-0"'
    assert bench.run(task, try_number=3).xcoms[0].value.data == b'"result of job-0"'  # done already
    Job.jobs["job-0"] = "dead"
    assert bench.run(task, try_number=4).xcoms[0].value.data == b'"result of job-1"'
    assert bench.run(fresh).xcoms[0].value.data == b'"result of job-2"'
    assert bench.run(fresh, try_number=2).xcoms[0].value.data == b'"result of job-3"'


# --- asynchronous operators and callbacks ----------------------------------------------------------------------------


def test_an_operator_whose_work_is_a_coroutine(bench: Any) -> None:
    class Sleeps(BaseAsyncOperator):
        async def aexecute(self, context: Any) -> str:
            await asyncio.sleep(0)
            return str(context["ds"])

    assert bench.run(Sleeps(task_id="t", dag=DAG("d"))).xcoms[0].value.data == b'"2024-03-04"'


class Notes(BaseNotifier):
    template_fields = ("text", "who")
    sent: list[str] = []  # noqa: RUF012 # an outbox of the test

    def __init__(self, text: str, who: str = "{{ text }}?") -> None:
        super().__init__()
        self.text = text
        self.who = who

    def notify(self, context: Any) -> None:
        self.sent.append(f"{self.text} {self.who}")


class AsyncNotes(BaseNotifier):
    template_fields = ("text",)
    sent: list[str] = []  # noqa: RUF012

    def __init__(self, text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text = text

    async def async_notify(self, context: Any) -> None:
        self.sent.append(self.text)


def test_notifiers_and_async_functions_are_callbacks(bench: Any) -> None:
    Notes.sent.clear()
    AsyncNotes.sent.clear()
    called: list[str] = []

    async def later(context: Any) -> None:
        await asyncio.sleep(0)
        called.append(context["task"].task_id)

    notes, others = Notes("{{ ti.task_id }} of {{ ds }}"), AsyncNotes("{{ run_id }}")
    with DAG("d"):
        for name in ("a", "b"):
            task = Does(task_id=name, does=lambda context: None, on_success_callback=[notes, others, later])
            bench.run(task)
    assert Notes.sent == [
        "a of 2024-03-04 {{ ti.task_id }} of {{ ds }}?",
        "b of 2024-03-04 {{ ti.task_id }} of {{ ds }}?",
    ]
    assert AsyncNotes.sent == ["run", "run"]
    assert called == ["a", "b"]
    assert notes.text == "{{ ti.task_id }} of {{ ds }}"


def test_a_notifier_may_be_awaited_with_a_context_of_its_own() -> None:
    AsyncNotes.sent.clear()

    async def wait() -> None:
        await AsyncNotes("{{ name }}", context={"name": "x"})

    asyncio.run(wait())
    assert AsyncNotes.sent == ["x"]
    with pytest.raises(NotImplementedError, match="does not implement notify"):
        BaseNotifier()({})


def test_a_notifier_that_raises_is_named_and_the_task_goes_on(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(BaseNotifier):
        def notify(self, context: Any) -> None:
            raise OSError("no network")

    outcome = bench.run(Does(task_id="t", does=lambda context: None, on_success_callback=Broken(), dag=DAG("d")))
    assert outcome.state == "success"
    assert "Broken failed: no network" in caplog.text


# --- e-mail ----------------------------------------------------------------------------------------------------------


def test_mail_about_failures(bench: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr("tradewind.sdk.mail.send_email", lambda to, subject, body: sent.append((to, subject, body)))

    def fails(_: Any) -> None:
        raise ValueError("<no luck>")

    with DAG("d"):
        both = Does(task_id="both", does=fails, email=["a@b.c"])
        quiet = Does(task_id="quiet", does=fails, email="a@b.c", email_on_retry=False)
    bench.run(both, max_tries=1)
    bench.run(both, try_number=2, max_tries=1)
    bench.run(quiet, max_tries=1)
    assert [(to, subject) for to, subject, _ in sent] == [
        (["a@b.c"], "Tradewind: d.both will be tried again"),
        (["a@b.c"], "Tradewind: d.both failed"),
    ]
    assert "ValueError: &lt;no luck&gt;" in sent[0][2]

    def away(*_: Any) -> None:
        raise OSError("no server")

    monkeypatch.setattr("tradewind.sdk.mail.send_email", away)
    assert bench.run(quiet, max_tries=0).reason == "ValueError: <no luck>"
    assert "e-mail about the failure cannot be sent: no server" in caplog.text


# --- configuration ---------------------------------------------------------------------------------------------------


def test_the_configuration_as_tasks_read_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__MINE__NUMBER", "7")
    monkeypatch.setenv("AIRFLOW__MINE__FLAG", "yes")
    monkeypatch.setenv("AIRFLOW__MINE__JS", '{"a": 1}')
    monkeypatch.setenv("AIRFLOW__MINE__LIST", "a, b,,c")
    assert conf.get("core", "dags_folder") == str(tmp_path / "dags")
    assert conf.getint("core", "parallelism") == 32
    assert (conf.getint("mine", "number"), conf.getfloat("mine", "number")) == (7, 7.0)
    assert conf.getboolean("mine", "flag") is True
    assert conf.getjson("mine", "js") == {"a": 1}
    assert conf.getlist("mine", "list") == ["a", "b", "c"]
    assert conf.get("mine", "none", fallback="x") == "x"
    assert conf.getimport("mine", "none", fallback="os.path.join").__name__ == "join"
    assert conf.has_option("core", "executor")
    assert not conf.has_option("mine", "none")
    assert conf.getsection("mine") == {"flag": "yes", "js": '{"a": 1}', "list": "a, b,,c", "number": "7"}
    assert conf.getsection("nobody") is None
    with pytest.raises(AirflowConfigException, match="AIRFLOW__MINE__NONE"):
        conf.get("mine", "none")
    with pytest.raises(ValueError, match="must be a whole number, not 'yes'"):
        conf.getint("mine", "flag")
    assert conf.get("auth", "admin_password", fallback=None) is None
    assert conf.get("database", "url", fallback=None) is None


# --- variables of Airflow 2 ------------------------------------------------------------------------------------------


def test_variables_of_airflow_2_with_a_note(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    def check(c: Any) -> None:
        assert c["execution_date"] == c["logical_date"]
        assert (c["yesterday_ds"], c["tomorrow_ds_nodash"]) == ("2024-03-03", "20240305")
        assert (c["prev_ds"], c["next_ds"]) == ("2024-03-04", "2024-03-04")  # triggered by a person
        assert c["next_execution_date"] == c["logical_date"]
        assert c["conf"] is conf

    _run(bench, check)
    assert caplog.text.count("context variable 'execution_date' is of Airflow 2; write logical_date") == 1
    assert "next_ds_nodash" not in caplog.text


def test_dates_around_a_scheduled_run() -> None:
    from datetime import UTC, datetime

    from tradewind import CronDataIntervalTimetable
    from tradewind.sdk.context import Context, DagRun
    from tradewind.sdk.context_legacy import add_legacy
    from tradewind.wire.workload import RunFacts

    start, end = datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC)
    run = RunFacts(
        run_key="k", dag_id="d", run_id="r", run_type=DagRunType.SCHEDULED, run_after=end,
        logical_date=start, data_interval_start=start, data_interval_end=end,
    )  # fmt: skip
    context = Context()
    add_legacy(context, DagRun.of(run), DAG("d", schedule=CronDataIntervalTimetable("@monthly", timezone="UTC")))
    assert (context["prev_ds"], context["next_ds"]) == ("2024-02-01", "2024-04-01")
    at = RunFacts(
        run_key="k", dag_id="d", run_id="r", run_type=DagRunType.SCHEDULED, run_after=start,
        logical_date=start, data_interval_start=start, data_interval_end=start,
    )  # fmt: skip
    add_legacy(context, DagRun.of(at), DAG("d", schedule="@daily"))
    assert (context["prev_ds"], context["next_ds"]) == ("2024-02-29", "2024-03-02")


def test_they_can_be_left_out(bench: Any) -> None:
    use_defaults(Defaults(airflow2_context=False))
    try:

        def check(c: Any) -> None:
            assert "execution_date" not in c

        _run(bench, check)
    finally:
        use_defaults(Defaults())


# --- callbacks of tasks ----------------------------------------------------------------------------------------------


def test_each_end_of_a_task_has_its_callbacks(bench: Any) -> None:
    from tradewind.sdk.exceptions import AirflowSkipException

    told: list[str] = []

    def tell(kind: str) -> Callable[[Any], None]:
        return lambda context: told.append(f"{kind} {context['task'].task_id}")

    def fails(_: Any) -> None:
        raise ValueError("no")

    def skips(_: Any) -> None:
        raise AirflowSkipException("not today")

    with DAG("d"):
        for name, does in (("good", lambda context: None), ("bad", fails), ("skipped", skips)):
            task = Does(
                task_id=name,
                does=does,
                on_execute_callback=tell("execute"),
                on_success_callback=tell("success"),
                on_failure_callback=[tell("failure"), tell("again")],
                on_retry_callback=tell("retry"),
                on_skipped_callback=tell("skipped"),
            )
            bench.run(task, max_tries=0)
            if name == "bad":
                bench.run(task, max_tries=1)
    assert told == [
        "execute good",
        "success good",
        "execute bad",
        "failure bad",
        "again bad",
        "execute bad",
        "retry bad",
        "execute skipped",
        "skipped skipped",
    ]


def test_mail_only_where_it_is_wanted(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr("tradewind.sdk.mail.send_email", lambda to, subject, body: sent.append(subject))

    def fails(_: Any) -> None:
        raise ValueError("no")

    with DAG("d"):
        bench.run(Does(task_id="a", does=fails, email="x@y.z", email_on_failure=False), max_tries=0)
        bench.run(Does(task_id="b", does=fails), max_tries=0)
    assert sent == []


# --- classes and decorators of the list ------------------------------------------------------------------------------


def test_operators_of_ones_own_choose_skip_and_wait(bench: Any) -> None:
    from tradewind import BaseBranchOperator, BaseSensorOperator, BranchMixIn, PokeReturnValue, SkipMixin

    class Chooses(BaseBranchOperator):
        def choose_branch(self, context: Any) -> str:
            return "a"

    class Follows(BranchMixIn, BaseOperator):
        def execute(self, context: Any) -> Any:
            return self.do_branch(context, "b")

    class Leaves(SkipMixin, BaseOperator):
        def execute(self, context: Any) -> None:
            self.skip(context["dag_run"], self.downstream_list)

    class Waits(BaseSensorOperator):
        def poke(self, context: Any) -> PokeReturnValue:
            return PokeReturnValue(True, "seen")

    with DAG("d"):
        tasks = [Chooses(task_id="chooses"), Follows(task_id="follows"), Leaves(task_id="leaves")]
        waits = Waits(task_id="waits")
        after = [Does(task_id=name, does=lambda context: None) for name in ("a", "b")]
        for task in tasks:
            task >> after
    assert [set(bench.run(task).skips) for task in tasks] == [{"b"}, {"a"}, {"a", "b"}]
    assert bench.run(waits).xcoms[0].value.data == b'"seen"'


def test_python_and_bash_decorators(bench: Any) -> None:
    from tradewind import task

    with DAG("d") as dag:

        @task.python
        def one() -> int:
            return 1

        @task.bash
        def two(ds: str = "") -> str:
            return f"echo {ds}; echo done"

        one()
        two()
    assert bench.run(dag.get_task("one")).xcoms[0].value.data == b"1"
    assert bench.run(dag.get_task("two")).xcoms[0].value.data == b'"done"'


def test_names_of_states_labels_and_instances(bench: Any) -> None:
    from tradewind import AssetAccessControl, EdgeModifier, Label, TaskInstance, TaskInstanceState, literal

    seen: list[Any] = []
    _run(bench, lambda context: seen.append(context["ti"]))
    assert isinstance(seen[0], TaskInstance)
    assert TaskInstanceState("awaiting_input") is TaskInstanceState.AWAITING_INPUT
    assert len(TaskInstanceState) == 13
    assert isinstance(Label("x"), EdgeModifier)
    assert "x" in repr(literal("x"))
    assert AssetAccessControl(producer_teams=["a"]).producer_teams == ["a"]


def test_decorators_that_decide(bench: Any) -> None:
    from tradewind import task

    with DAG("d") as dag:

        @task.branch
        def choose() -> str:
            return "a"

        @task.short_circuit
        def stop() -> bool:
            return False

        @task
        def a() -> None: ...

        @task
        def b() -> None: ...

        after = [a(), b()]
        choose() >> after
        stop() >> after
    assert bench.run(dag.get_task("choose")).skips == ("b",)
    assert set(bench.run(dag.get_task("stop")).skips) == {"a", "b"}


NAMES_OF_THE_CONTEXT = """
conn dag dag_run data_interval_start data_interval_end ds ds_nodash ts ts_nodash ts_nodash_with_tz logical_date run_id
params var macros task task_instance ti task_instance_key_str try_number test_mode map_index_template expanded_ti_count
inlets outlets inlet_events outlet_events triggering_asset_events partition_key prev_data_interval_start_success
prev_data_interval_end_success prev_start_date_success prev_end_date_success templates_dict task_reschedule_count
task_state_store asset_state_store
""".split()  # noqa: SIM905 # read better as words
"""Of the 40 names of the reference; `partition_date` comes with a partition, `exception` and `reason` with an end."""


def test_every_variable_of_the_context_is_there(bench: Any) -> None:
    seen: list[Any] = []

    def fails(context: Any) -> None:
        seen.append([name for name in NAMES_OF_THE_CONTEXT if name not in context])
        raise ValueError("no")

    told: list[Any] = []
    task = Does(
        task_id="t", does=fails, dag=DAG("d"), on_failure_callback=lambda c: told.append((c["exception"], c["reason"]))
    )
    bench.run(task)
    assert seen == [[]]
    assert len(NAMES_OF_THE_CONTEXT) + 3 == 40
    assert (str(told[0][0]), told[0][1]) == ("no", "ValueError: no")


def test_a_mapped_instance_knows_how_many_there_are() -> None:
    from tradewind import task

    with DAG("d") as dag:

        @task
        def count(x: int, expanded_ti_count: int = 0) -> int:
            return expanded_ti_count

        count.expand(x=[1, 2, 3])
    assert dag.test().xcom("count", map_index=1) == 3
