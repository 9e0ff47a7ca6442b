"""Whatever lies in the DAGs folder beside it, a healthy DAG runs; each broken file is named with what is wrong in it;
and a task that fails says why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.scenario.installation import Installation

pytestmark = pytest.mark.scenario

HEALTHY = """
from tradewind import dag, task

@dag(schedule=None, params={"size": 1})
def healthy():
    @task
    def give(): return [1, 2, 3]

    @task
    def take(values): print(f"the sum is {sum(values)}")

    take(give())

healthy()
"""


class Broken(NamedTuple):
    """A file, and words of the message that names its trouble."""

    source: str | bytes
    words: tuple[str, ...]


def _dag(body: str, arguments: str = "") -> str:
    """A file with one DAG of this body."""
    head = (
        "from tradewind import DAG, task\n"
        "from tradewind.standard import BashOperator, EmptyOperator\n\n"
        f"with DAG('broken', schedule=None{arguments}) as dag:\n"
    )
    return head + textwrap.indent(textwrap.dedent(body), "    ")


BROKEN: dict[str, Broken] = {
    "cycle": Broken(
        _dag(
            """
            a, b, c = (EmptyOperator(task_id=name) for name in "abc")
            a >> b >> c >> a
            """
        ),
        ("cycle", "a", "b", "c"),
    ),
    "duplicate_task": Broken(
        _dag("EmptyOperator(task_id='twin')\nEmptyOperator(task_id='twin')\n"), ("'broken'", "'twin' already")
    ),
    "unknown_upstream": Broken(
        _dag("EmptyOperator(task_id='a').set_upstream(dag.get_task('nobody'))\n"), ("'nobody'", "'broken'")
    ),
    "missing_argument": Broken(_dag("BashOperator(task_id='shell')\n"), ("'shell'", "'bash_command'")),
    "unknown_argument": Broken(
        _dag("BashOperator(task_id='shell', bash_command='true', retrys=1)\n"), ("'shell'", "'retrys'", "'retries'")
    ),
    "syntax_error": Broken("from tradewind import dag\n\ndef f(:\n", ("SyntaxError", "line 3")),
    "runs_for_ever": Broken("import tradewind  # a dag\nwhile True:\n    pass\n", ("longer than 8 s", "parse_timeout")),
    "exits": Broken("import sys, tradewind  # a dag\nsys.exit(3)\n", ("sys.exit(3)",)),
    "exits_at_once": Broken("import os, tradewind  # a dag\nos._exit(0)\n", ("exit code 0",)),
    "eats_memory": Broken(
        "import tradewind  # a dag\neaten = []\nwhile True:\n    eaten.append(bytearray(1 << 20))\n",
        ("256 MiB of memory",),
    ),
    "crashes": Broken("import ctypes, tradewind  # a dag\nctypes.string_at(0)\n", ("SIGSEGV",)),
    "binary": Broken(b"\x00\x01\x02\xff\xfe tradewind dag", ("SyntaxError",)),
    "not_utf8": Broken(b"import tradewind  # a dag\nx = '\xff\xfe'\n", ("SyntaxError", "utf-8")),
    "odd_dag_id": Broken("from tradewind import DAG\n\nDAG('odd id!')\n", ("'odd id!'", "' '")),
    "invalid_cron": Broken("from tradewind import DAG\n\nDAG('d1', schedule='61 * * * *')\n", ("'d1'", "minute", "61")),
    "no_cron": Broken("from tradewind import DAG\n\nDAG('d2', schedule='now and then')\n", ("'d2'", "now and then")),
    "unknown_zone": Broken(
        "import pendulum\nfrom tradewind import DAG\n\n"
        "DAG('d3', start_date=pendulum.datetime(2024, 1, 1, tz='Mars/Olympus'))\n",
        ("Mars/Olympus",),
    ),
    "unknown_trigger_rule": Broken(
        _dag("EmptyOperator(task_id='a', trigger_rule='all_sucess')\n"), ("'all_sucess'", "all_success")
    ),
    "missing_module": Broken("import no_such_module, tradewind  # a dag\n", ("No module named 'no_such_module'",)),
    "raises": Broken("import tradewind  # a dag\nraise ValueError('on purpose')\n", ("ValueError: on purpose",)),
    "same_dag_id": Broken(
        "from tradewind import DAG\n\nother = DAG('healthy', schedule=None)\n", ("'healthy'", "healthy.py")
    ),
}

WELL: dict[str, str] = {
    "forks": """
        import os, time
        from tradewind import DAG

        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)
            os._exit(0)
        os.fork()
        dag = DAG("forks", schedule=None)
        """,
    "prints": """
        from tradewind import DAG

        for number in range(20_000):
            print("x" * 99)
        dag = DAG("prints", schedule=None)
        """,
}
"""Files that behave badly, and load."""

PARSE_LIMITS = {
    "PROCESSOR__PARSE_TIMEOUT_SECONDS": "8",
    "PROCESSOR__PARSE_MEMORY_BYTES_MAX": "256MiB",
    "VALUES__BYTES_MAX": "1MiB",
}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with a folder full of broken files and a healthy one, all loaded."""
    made = Installation(tmp_path_factory.mktemp("crowded"), None, **PARSE_LIMITS)
    try:
        made.dags.mkdir(parents=True)
        made.start()
        made.save("healthy.py", HEALTHY)
        made.wait_for_dag("healthy")
        for name, broken in BROKEN.items():
            source = broken.source.encode() if isinstance(broken.source, str) else broken.source
            (made.dags / f".{name}.draft").write_bytes(source)
        for name in BROKEN:
            (made.dags / f".{name}.draft").replace(made.dags / f"{name}.py")
        for name, text in WELL.items():
            made.save(f"{name}.py", textwrap.dedent(text))
        made.wait_for(lambda: len(made.json("dags", "errors")) >= len(BROKEN), "all errors are told", 90.0)
        yield made
        assert made.stop() == 0, made.story()
    finally:
        made.abandon()


@pytest.fixture(scope="module")
def errors(crowded: Installation) -> dict[str, dict[str, Any]]:
    return {row["file"]: row for row in crowded.json("dags", "errors")}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_with_what_is_wrong(name: str, errors: dict[str, dict[str, Any]]) -> None:
    message = errors[f"{name}.py"]["error"]

    assert all(word in message for word in BROKEN[name].words), message
    assert len(message.splitlines()) == 1


def test_no_other_file_is_blamed(errors: dict[str, dict[str, Any]]) -> None:
    assert set(errors) == {f"{name}.py" for name in BROKEN}


def test_a_healthy_dag_runs_beside_them(crowded: Installation) -> None:
    done = crowded.json("dags", "trigger", "healthy", "--run-id", "green", "--wait")

    assert done["state"] == "success"
    assert "the sum is 6" in crowded.run("tasks", "logs", "healthy", "green", "take").stdout


def test_files_that_behave_badly_and_load_are_listed(crowded: Installation) -> None:
    listed = {dag["dag_id"] for dag in crowded.json("dags", "list")}

    assert set(WELL) <= listed
    assert any("dag_file_output" in line and "bytes=2000000" in line for line in crowded.log)
    assert not [pid for pid in crowded.family() if _sleeps_in_vain(pid)], "what a file forked is gone"


def test_a_file_that_is_mended_is_loaded(crowded: Installation, errors: dict[str, dict[str, Any]]) -> None:
    assert "no_cron.py" in errors
    crowded.save("no_cron.py", "from tradewind import DAG\n\ndag = DAG('d2', schedule='@daily')\n")

    crowded.wait_for_dag("d2")

    assert "no_cron.py" not in {row["file"] for row in crowded.json("dags", "errors")}


def _sleeps_in_vain(pid: int) -> bool:
    """The process group of a file being loaded, when nothing is being loaded."""
    try:
        return b"forks.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- wishes that cannot be granted -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("dags", "trigger", "helthy"), 4, ("'helthy'", "did you mean 'healthy'")),
        (("dags", "trigger", "healthy", "--conf", "[1, 2]"), 2, ("conf", "JSON object")),
        (("dags", "trigger", "healthy", "--conf", "{broken"), 2, ("conf", "JSON")),
        (("dags", "trigger", "healthy", "--run-id", "a/b"), 2, ("a/b",)),
        (("dags", "trigger", "healthy", "--logical-date", "soon"), 2, ("soon",)),
        (("dags", "trigger", "invalid_cron"), 4, ("invalid_cron",)),
        (("runs", "show", "healthy", "nothing"), 4, ("nothing",)),
        (("tasks", "logs", "healthy", "nothing", "give"), 4, ("nothing",)),
        (("variables", "get", "nothing"), 4, ("nothing",)),
        (("connections", "get", "nothing"), 4, ("nothing",)),
        (("dags", "next-execution", "nothing"), 4, ("nothing",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) and len(value) > 1 else None,
)
def test_a_wish_that_cannot_be_granted_is_refused_in_one_line(
    crowded: Installation, words: tuple[str, ...], code: int, expected: tuple[str, ...]
) -> None:
    refused = crowded.run(*words, code=code)

    assert all(word in refused.stderr for word in expected), refused.stderr
    assert len(refused.stderr.splitlines()) == 1, refused.stderr


def test_a_run_id_is_used_once(crowded: Installation) -> None:
    crowded.run("dags", "trigger", "healthy", "--run-id", "once")

    refused = crowded.run("dags", "trigger", "healthy", "--run-id", "once", code=5)

    assert "'once' already" in refused.stderr


def test_a_paused_dag_takes_the_wish_of_a_person(crowded: Installation) -> None:
    crowded.run("dags", "pause", "healthy")
    done = crowded.json("dags", "trigger", "healthy", "--wait")
    crowded.run("dags", "unpause", "healthy")

    assert done["state"] == "success"


# --- failures at run time --------------------------------------------------------------------------------------------

FAILING = """
import ctypes
import os
import signal
import sys
import time
from datetime import timedelta

from tradewind import DAG, task
from tradewind.sdk import BaseHook, Variable
from tradewind.standard import BashOperator

with DAG("failing", schedule=None, default_args={"retries": 0}, max_active_tasks=1000):

    @task
    def raises(): raise ValueError("no luck today")

    @task
    def exits(): sys.exit(4)

    @task
    def exits_at_once(): os._exit(3)

    @task
    def crashes(): ctypes.string_at(0)

    @task
    def aborts(): os.abort()

    @task(execution_timeout=timedelta(seconds=0.5))
    def too_slow(): time.sleep(60)

    @task
    def odd_value(): return {"rows": [1, object()]}

    @task
    def big_value(): return "x" * (2 << 20)

    @task
    def unknown_variable(): return Variable.get("no_such_variable")

    @task
    def unknown_connection(): return BaseHook.get_connection("no_such_connection")

    @task
    def unknown_xcom(ti): return ti.xcom_pull(task_ids="raises")["key"]

    @task
    def deep(): return deep_down(0)

    for made in (raises, exits, exits_at_once, crashes, aborts, too_slow, odd_value, big_value, unknown_variable,
                 unknown_connection, unknown_xcom, deep):
        made()
    BashOperator(task_id="template_undefined", bash_command="one\\n{{ nope }}")
    BashOperator(task_id="template_syntax", bash_command="{% endif %}")
    BashOperator(task_id="template_variable", bash_command="{{ var.value.no_such_variable }}")
    BashOperator(task_id="bash_fails", bash_command="echo to be seen; exit 7")


def deep_down(depth): return deep_down(depth + 1)
"""

CAUSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "raises": ("exception", ("ValueError: no luck today",)),
    "exits": ("exit_code", ("sys.exit(4)",)),
    "exits_at_once": ("exit_code", ("exit code 3",)),
    "crashes": ("signal", ("SIGSEGV",)),
    "aborts": ("signal", ("SIGABRT",)),
    "too_slow": ("timeout", ("0.5 s",)),
    "odd_value": ("exception", ("$.rows[1]", "object")),
    "big_value": ("exception", ("values.bytes_max",)),
    "unknown_variable": ("exception", ("no_such_variable",)),
    "unknown_connection": ("exception", ("no_such_connection",)),
    "unknown_xcom": ("exception", ("TypeError",)),
    "deep": ("exception", ("RecursionError",)),
    "template_undefined": ("exception", ("'template_undefined'", "'bash_command'", "line 2", "'nope' is undefined")),
    "template_syntax": ("exception", ("'template_syntax'", "'bash_command'", "line 1", "endif")),
    "template_variable": ("exception", ("no_such_variable",)),
    "bash_fails": ("exception", ("7",)),
}


@pytest.fixture(scope="module")
def failed(crowded: Installation) -> dict[str, dict[str, Any]]:
    """The tasks of a run in which everything fails, by id."""
    crowded.save("failing.py", FAILING)
    crowded.wait_for_dag("failing")
    crowded.run("dags", "trigger", "failing", "--run-id", "sad", "--wait", code=1)
    shown = crowded.json("runs", "show", "failing", "sad")
    assert shown["state"] == "failed"
    return {row["task_id"]: row for row in shown["tasks"]}


@pytest.mark.parametrize("name", CAUSES)
def test_a_task_that_fails_says_why(name: str, failed: dict[str, dict[str, Any]], crowded: Installation) -> None:
    cause, words = CAUSES[name]
    row = failed[name]

    assert row["state"] == "failed"
    assert row["cause"] == cause
    assert all(word in row["reason"] for word in words), row["reason"]
    log = (crowded.home / "logs").rglob(f"*task_id={name}/*.jsonl")
    text = "".join(path.read_text() for path in log)
    assert all(word.replace('"', '\\"') in text for word in words), text


def test_logs_and_runs_show_name_the_cause(failed: dict[str, dict[str, Any]], crowded: Installation) -> None:
    assert len(failed) == len(CAUSES)
    log = crowded.run("tasks", "logs", "failing", "sad", "bash_fails").stdout
    assert "to be seen" in log
    assert "exit code 7" in log
    shown = crowded.run("runs", "show", "failing", "sad").stdout
    assert "no luck today" in shown
    assert "no luck today" in crowded.run("tasks", "why", "failing", "sad", "raises").stdout
