"""What an installation adds: plugins, listeners, cluster policies, links, a backend of values."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tradewind import DAG, BaseOperator, BaseOperatorLink, BaseXCom
from tradewind.sdk import entry_points, lineage, listeners, macros, plugins, policies
from tradewind.sdk.defaults import Defaults, authoring_defaults, use_defaults
from tradewind.sdk.exceptions import AirflowFailException, AirflowSkipException
from tradewind.sdk.loading import load_dag_file
from tradewind.sdk.values import PatternGate, decode_value

PLUGIN = """
from tradewind import BaseOperatorLink
from tradewind.sdk.plugins import AirflowPlugin
import heard

def shout(text):
    return text.upper()

class Docs(BaseOperatorLink):
    name = "Docs"
    def get_link(self, operator, *, ti_key):
        return f"https://docs/{ti_key.task_id}"

class Mine(AirflowPlugin):
    name = "mine"
    macros = [shout]
    listeners = [heard]
    global_operator_extra_links = [Docs()]
"""
HEARD = """
from tradewind.sdk.listeners import hookimpl

SAID = []

@hookimpl
def on_task_instance_running(previous_state, task_instance):
    SAID.append(("running", task_instance.task_id))

@hookimpl
def on_task_instance_success(task_instance):
    SAID.append(("success", task_instance.task_id))

@hookimpl
def on_task_instance_failed(previous_state, task_instance, error):
    SAID.append(("failed", str(error)))
    raise RuntimeError("a listener that is broken")

@hookimpl
def on_task_instance_skipped(task_instance):
    SAID.append(("skipped", task_instance.task_id))

@hookimpl
def on_dag_run_failed(dag_run, msg):
    SAID.append((dag_run.run_id, msg))

def on_dag_run_success(dag_run):
    raise AssertionError("it is not marked")
"""


class Does(BaseOperator):
    template_fields = ("text",)

    def __init__(self, *, does: Callable[[Any], Any] = lambda context: None, text: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.does = does
        self.text = text

    def execute(self, context: Any) -> Any:
        return self.does(context)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    known, path = set(sys.modules), list(sys.path)
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    for folder in ("plugins", "config"):
        (tmp_path / folder).mkdir()
    before = authoring_defaults()
    use_defaults(Defaults())
    plugins.forget_plugins()
    policies.forget_policies()
    yield tmp_path
    use_defaults(before)
    sys.path[:] = path
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]
    plugins.forget_plugins()
    policies.forget_policies()
    if hasattr(macros, "mine"):
        del macros.mine


@pytest.fixture
def plugged(home: Path) -> Path:
    (home / "plugins" / "heard.py").write_text(HEARD)
    (home / "plugins" / "mine.py").write_text(PLUGIN)
    return home


def test_a_plugin_brings_macros_listeners_and_links(plugged: Path, bench: Any) -> None:
    assert plugins.has_sources()
    assert [plugin.name for plugin in plugins.load_plugins().plugins] == ["mine"]
    assert plugins.problems() == {}
    task = Does(task_id="t", text="{{ macros.mine.shout('a') }}", dag=DAG("d"))
    outcome = bench.run(task)
    assert outcome.rendered_fields == {"text": "A"}
    assert [(entry.key, entry.value.data) for entry in outcome.xcoms] == [("_link_Docs", b'"https://docs/t"')]
    assert sys.modules["heard"].SAID == [("running", "t"), ("success", "t")]


def test_listeners_hear_ends_and_may_be_broken(plugged: Path, bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: Any) -> None:
        raise AirflowFailException("no luck")

    def skips(_: Any) -> None:
        raise AirflowSkipException("not today")

    with DAG("d"):
        bench.run(Does(task_id="f", does=fails))
        bench.run(Does(task_id="s", does=skips))
    assert sys.modules["heard"].SAID == [("running", "f"), ("failed", "no luck"), ("running", "s"), ("skipped", "s")]
    assert "listener heard.on_task_instance_failed failed: a listener that is broken" in caplog.text
    assert listeners.implemented() == [
        "on_task_instance_running",
        "on_task_instance_success",
        "on_task_instance_failed",
        "on_task_instance_skipped",
        "on_dag_run_failed",
    ]
    assert listeners.tell_plain("on_dag_run_failed", {"dag_run": {"run_id": "r"}, "msg": "why"}) == 1
    assert sys.modules["heard"].SAID[-1] == ("r", "why")
    assert len(listeners.NAMES) == 15


def test_a_plugin_that_raises_is_named_and_the_rest_goes_on(plugged: Path) -> None:
    broken = plugged / "plugins" / "broken.py"
    broken.write_text("x = 1\nraise ValueError('no')\n")
    nameless = plugged / "plugins" / "nameless.py"
    nameless.write_text("from tradewind.sdk.plugins import AirflowPlugin\nclass N(AirflowPlugin): ...\n")
    twin = plugged / "plugins" / "twin.py"
    twin.write_text("from tradewind.sdk.plugins import AirflowPlugin\nclass T(AirflowPlugin):\n    name = 'mine'\n")
    assert [plugin.name for plugin in plugins.load_plugins().plugins] == ["mine"]
    found = plugins.problems()
    assert found[str(broken)] == "ValueError: no, line 2"
    assert "needs a name" in found[str(nameless)]
    assert "there is a plugin 'mine' already" in found[str(twin)]


def test_nothing_to_load(home: Path) -> None:
    assert not plugins.has_sources()
    assert plugins.load_plugins().plugins == []
    assert plugins.brought("macros") == []
    assert len(plugins.KINDS) == 19


# --- policies --------------------------------------------------------------------------------------------------------

POLICIES = """
from tradewind.sdk.exceptions import AirflowClusterPolicySkipDag, AirflowClusterPolicyViolation

def task_policy(task):
    if task.owner == "nobody":
        raise AirflowClusterPolicyViolation(f"task {task.task_id} needs an owner")
    task.retries = max(task.retries, 2)

def dag_policy(dag):
    if dag.dag_id == "hidden":
        raise AirflowClusterPolicySkipDag("not here")
    dag.tags.add("seen")

def task_instance_mutation_hook(task_instance):
    if task_instance.task_id == "big":
        task_instance.pool = "heavy"

def get_airflow_context_vars(context):
    return {"TEAM": context["dag"].dag_id}

def get_dagbag_import_timeout(path):
    return 1.5 if path.endswith("slow.py") else -1
"""


def _load(folder: Path, text: str) -> Any:
    (folder / "f.py").write_text(f"from tradewind import DAG\nfrom tradewind.standard import EmptyOperator\n{text}")
    return load_dag_file("f.py", bundle_root=folder, module_name="policed")


def test_policies_change_refuse_and_leave_out(home: Path) -> None:
    (home / "config" / "airflow_local_settings.py").write_text(POLICIES)
    loaded = _load(
        home,
        """
with DAG("good"):
    EmptyOperator(task_id="big")
with DAG("bad"):
    EmptyOperator(task_id="t", owner="nobody")
with DAG("hidden"):
    EmptyOperator(task_id="t")
""",
    )
    assert list(loaded.dags) == ["good"]
    good = loaded.dags["good"]
    assert (good.tags, good.get_task("big").retries, good.get_task("big").pool) == ({"seen"}, 2, "heavy")
    (error,) = loaded.errors
    assert (error.dag_id, error.message) == ("bad", "AirflowClusterPolicyViolation: task t needs an owner")
    assert policies.import_seconds("/dags/slow.py", 30.0) == 1.5
    assert policies.import_seconds("/dags/f.py", 30.0) == 30.0


def test_a_policy_gives_a_task_its_environment(home: Path, bench: Any) -> None:
    (home / "config" / "tradewind_local_settings.py").write_text(POLICIES)
    seen: list[Any] = []

    def look(_: Any) -> None:
        import os

        seen.append(os.environ["TEAM"])

    bench.run(Does(task_id="t", does=look, dag=DAG("d")))
    assert seen == ["d"]


def test_a_broken_policy_is_an_error_of_the_dag(home: Path) -> None:
    (home / "config" / "airflow_local_settings.py").write_text("def dag_policy(dag):\n    1 / 0\n")
    loaded = _load(home, "with DAG('d'):\n    EmptyOperator(task_id='t')\n")
    assert "a cluster policy failed for DAG 'd': division by zero" in loaded.errors[0].message


# --- links -----------------------------------------------------------------------------------------------------------


class Broken(BaseOperatorLink):
    name = "Broken"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        raise ValueError("no address")


class Own(BaseOperatorLink):
    name = "Own"
    xcom_key = "address"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return f"https://own/{ti_key.run_id}/{ti_key.try_number}"


class Linked(Does):
    operator_extra_links = (Broken(), Own())


def test_addresses_are_kept_beside_the_values_also_of_a_failure(
    home: Path, bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: Any) -> None:
        raise ValueError("no")

    outcome = bench.run(Linked(task_id="t", does=fails, dag=DAG("d")))
    assert [(entry.key, entry.value.data) for entry in outcome.xcoms] == [("address", b'"https://own/run/1"')]
    assert "link 'Broken' of task t has no address: no address" in caplog.text
    assert Broken().xcom_key == "_link_Broken"
    assert Broken() == Broken() != Own()


# --- backend of values -----------------------------------------------------------------------------------------------


class Elsewhere(BaseXCom):
    kept: dict[str, Any] = {}  # noqa: RUF012 # a storage of the test

    @staticmethod
    def serialize_value(value: Any, *, key: Any = None, task_id: Any = None, **where: Any) -> Any:
        place = f"{where['dag_id']}/{where['run_id']}/{task_id}/{where['map_index']}/{key}"
        Elsewhere.kept[place] = value
        return {"place": place}

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        return Elsewhere.kept[result.value["place"]]


@pytest.fixture
def elsewhere() -> Iterator[None]:
    use_defaults(Defaults(xcom_backend=f"{__name__}.Elsewhere"))
    sys.modules.setdefault(__name__, sys.modules[Elsewhere.__module__])
    yield
    use_defaults(Defaults())


def test_a_backend_keeps_values_its_own_way(home: Path, bench: Any, elsewhere: None) -> None:
    outcome = bench.run(Does(task_id="t", does=lambda context: [1, 2], dag=DAG("d")))
    (entry,) = outcome.xcoms
    assert entry.value.data == b'{"$type":"backend","$value":{"place":"d/run/t/-1/return_value"}}'
    assert entry.value.length == 2
    assert decode_value(entry.value, bench.world, PatternGate()) == [1, 2]
    bench.world.put(("t", ""), outcome.xcoms)
    seen: list[Any] = []

    def pull(context: Any) -> None:
        seen.append(context["ti"].xcom_pull(task_ids="t"))
        seen.append(BaseXCom.get_one(key="return_value", dag_id="d", task_id="t", run_id="run"))
        BaseXCom.set("k", 1, dag_id="d", task_id="u", run_id="run")
        with pytest.raises(ValueError, match="leaves its own values only"):
            BaseXCom.set("k", 1, dag_id="d", task_id="t", run_id="run")

    result = bench.run(Does(task_id="u", does=pull, dag=DAG("d")))
    assert result.state == "success", result.reason
    assert seen == [[1, 2], [1, 2]]


# --- lineage ---------------------------------------------------------------------------------------------------------


def test_lineage_is_collected_where_somebody_reads_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "_collector", None)
    nothing = lineage.get_hook_lineage_collector()
    nothing.add_input_asset(None, uri="s3://b/k")
    assert not nothing.has_collected
    collector = lineage.HookLineageCollector()
    hook = object()
    for _ in range(2):
        collector.add_input_asset(hook, uri="s3://b/k", asset_extra={"n": 1})
    collector.add_output_asset(hook, scheme="file", asset_kwargs={"path": "x"})
    collector.add_output_asset(hook)
    collector.add_extra(hook, "query", "select 1")
    collector.add_extra(hook, "", "x")
    found = collector.collected_assets
    assert [(one.asset.uri, one.count) for one in found.inputs] == [("s3://b/k", 2)]
    assert [one.asset.uri for one in found.outputs] == ["file://x"]
    assert [(one.key, one.value) for one in found.extra] == [("query", "select 1")]
    assert collector.has_collected


# --- entry points ----------------------------------------------------------------------------------------------------


def test_a_package_brings_a_plugin_and_a_policy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = home / "site"
    (site / "acme-1.0.dist-info").mkdir(parents=True)
    (site / "acme-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (site / "acme-1.0.dist-info" / "entry_points.txt").write_text(
        "[airflow.plugins]\nacme = acme:Acme\nbroken = acme:Nothing\n\n[airflow.policy]\nrules = acme\n"
    )
    (site / "acme.py").write_text(
        "from tradewind.sdk.plugins import AirflowPlugin\n"
        "class Acme(AirflowPlugin):\n    name = 'acme'\n"
        "def dag_policy(dag):\n    dag.tags.add('acme')\n"
    )
    entry_points.forget()
    monkeypatch.syspath_prepend(str(site))
    try:
        assert entry_points.announced()
        assert [plugin.name for plugin in plugins.load_plugins().plugins] == ["acme"]
        (problem,) = plugins.problems().items()
        assert problem[0] == "acme:Nothing of acme"
        loaded = _load(home, "with DAG('d'):\n    EmptyOperator(task_id='t')\n")
        assert loaded.dags["d"].tags == {"acme"}
    finally:
        entry_points.forget()


def test_without_packages_of_that_kind_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys\nfrom tradewind.sdk import entry_points\nbefore = 'importlib.metadata' in sys.modules\n"
        "entry_points.announced = lambda: False\nassert entry_points.read()['airflow.policy'] == []\n"
        "assert before or 'importlib.metadata' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
