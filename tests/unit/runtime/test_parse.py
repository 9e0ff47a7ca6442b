"""DAG files in children: every way a file can go wrong is an answer that names the cause, and harms nothing else."""

from __future__ import annotations

import os
import select
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tradewind.kernel.settings import load_settings
from tradewind.runtime.agent_settings import task_environment
from tradewind.runtime.loop import Loop
from tradewind.runtime.parse import ParseHost
from tradewind.runtime.parse_words import ParseAnswer, ParseLimits, ParseOrder
from tradewind.sdk.defaults import Defaults
from tradewind.wire.document import decode_document

LIMITS = ParseLimits(processes_max=2, timeout_seconds=2.0, memory_bytes_max=128 << 20, output_bytes_max=1000)
SECRET = "postgresql://somebody:hidden-word@db/airflow"
PATIENCE_SECONDS = 60.0

DAG_FILE = """
    from tradewind import dag, task

    @dag(schedule="@daily")
    def pipeline():
        @task
        def one():
            return 1
        one()

    pipeline()
    """


class Parser:
    """A parse host with one bundle folder."""

    def __init__(self, tree: Path, environment: dict[str, str], defaults: Defaults) -> None:
        self.loop = Loop()
        self.tree = tree
        self.answers: list[ParseAnswer] = []
        self.ended = False
        self._count = 0
        self.host = ParseHost(
            self.loop,
            environment=environment,
            limits=LIMITS,
            defaults=defaults,
            on_ready=lambda: None,
            on_answer=self.answers.append,
            on_end=self._end,
        )

    def _end(self) -> None:
        self.ended = True

    def submit(self, file: str, *, tree: Path | None = None, urgent: bool = False) -> int:
        self._count += 1
        place = str(tree or self.tree)
        order = ParseOrder(number=self._count, tree=place, file=file, shown_root="DAGS", urgent=urgent)
        self.host.submit(order)
        return self._count

    def until(self, condition: Callable[[], bool]) -> None:
        expired: list[bool] = []
        timer = self.loop.after(PATIENCE_SECONDS, lambda: expired.append(True))
        while not condition():
            assert not expired, "the parse host gave no answer"
            self.loop.turn()
        timer.cancel()

    def answer(self, number: int) -> ParseAnswer:
        self.until(lambda: any(answer.number == number for answer in self.answers))
        return next(answer for answer in self.answers if answer.number == number)

    def load(self, file: str, text: str | bytes | None = None, *, tree: Path | None = None) -> ParseAnswer:
        if text is not None:
            write(tree or self.tree, file, text)
        return self.answer(self.submit(file, tree=tree))


def write(tree: Path, file: str, text: str | bytes) -> Path:
    path = tree / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
    return path


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parser]:
    home = tmp_path_factory.mktemp("home")
    outside = {**os.environ, "TRADEWIND__DATABASE__URL": SECRET, "TRADEWIND__AUTH__ADMIN_PASSWORD": SECRET}
    settings = load_settings({"TRADEWIND__CORE__DEFAULT_TIMEZONE": "Europe/Berlin"}, home)
    made = Parser(tmp_path_factory.mktemp("tree"), task_environment(home, outside), Defaults.of(settings.core))
    yield made
    made.host.close()
    made.loop.close()


def only_problem(answer: ParseAnswer) -> str:
    (problem,) = answer.problems
    assert "\n" not in problem.message
    return problem.message


# --- what a good file gives ------------------------------------------------------------------------------------------


def test_a_file_gives_its_dags_as_documents(parser: Parser) -> None:
    answer = parser.load("good.py", DAG_FILE)
    (dag,) = answer.dags
    document = decode_document(dag.document)
    assert (document.dag_id, document.file, dag.origin) == ("pipeline", "good.py", None)
    assert [task.task_id for task in document.tasks] == ["one"]
    assert document.timezone == "Europe/Berlin", "authoring defaults are those of the installation"
    assert answer.problems == ()
    assert answer.seconds > 0


def test_a_file_without_dags_is_fine(parser: Parser) -> None:
    answer = parser.load("nothing.py", "x = 1")
    assert (answer.dags, answer.problems) == ((), ())


def test_one_wrong_dag_does_not_hide_the_others(parser: Parser) -> None:
    answer = parser.load(
        "half.py",
        """
        from tradewind import DAG
        from tradewind.standard import EmptyOperator

        with DAG("good_one"):
            EmptyOperator(task_id="a")
        with DAG("wrong_one"):
            a, b = EmptyOperator(task_id="a"), EmptyOperator(task_id="b")
            a >> b >> a
        """,
    )
    assert [dag.dag_id for dag in answer.dags] == ["good_one"]
    (problem,) = answer.problems
    assert problem.dag_id == "wrong_one"
    assert "a >> b >> a" in problem.message


def test_members_of_archives_are_files(parser: Parser) -> None:
    import zipfile

    with zipfile.ZipFile(parser.tree / "packed.zip", "w") as archive:
        archive.writestr("inner.py", textwrap.dedent(DAG_FILE).replace("pipeline", "packed"))
    answer = parser.load("packed.zip/inner.py")
    assert [dag.dag_id for dag in answer.dags] == ["packed"]
    assert decode_document(answer.dags[0].document).file == "packed.zip/inner.py"


def test_a_dag_that_came_in_by_import_names_its_file(parser: Parser) -> None:
    write(parser.tree, "origin_a.py", DAG_FILE.replace("pipeline()\n", "made = pipeline()\n"))
    answer = parser.load("origin_b.py", "from origin_a import made")
    assert [(dag.dag_id, dag.origin) for dag in answer.dags] == [("pipeline", "origin_a.py")]


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def (:", "SyntaxError"),
        (b"\x00\x01\x02\xff\xfe dag airflow", "SyntaxError"),
        (b"x = '\xff\xfe'", "SyntaxError"),
        ("import sys\nsys.exit(3)", "sys.exit(3)"),
        ("import os\nos._exit(0)", "exit code 0"),
        ("import os\nos.closerange(3, 100)", "could not answer"),
        ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
        ("def f(): f()\nf()", "RecursionError"),
        ("raise ValueError('first line\\nsecond')", "ValueError: first line"),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", "128 MiB of memory"),
        ("while True: pass", "longer than 2 s"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("from tradewind import DAG\nDAG('odd id!')", "odd id!"),
        ("from tradewind import DAG\nDAG('d', schedule='61 * * * *')", "61"),
        ("from tradewind import DAG\nDAG('d', schedule='no cron at all')", "no cron at all"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(parser: Parser, text: str | bytes, expected: str) -> None:
    answer = parser.load("wrong.py", text)
    assert expected in only_problem(answer)
    assert answer.dags == ()
    assert parser.load("good.py", DAG_FILE).dags, "the host goes on"


def test_tracebacks_show_the_authors_frames_under_the_name_of_the_folder(parser: Parser) -> None:
    (problem,) = parser.load("broken.py", "def f():\n    return 1 / 0\n\nf()").problems
    assert 'File "DAGS/broken.py", line 2, in f' in problem.traceback
    assert str(parser.tree) not in problem.traceback
    assert "tradewind/sdk" not in problem.traceback
    assert problem.traceback.endswith("ZeroDivisionError: division by zero")


def test_a_file_that_hangs_shows_where(parser: Parser) -> None:
    (problem,) = parser.load("hangs.py", "import time\n\ndef wait():\n    time.sleep(1000)\n\nwait()").problems
    assert "processor.parse_timeout_seconds" in problem.message
    assert 'File "DAGS/hangs.py", line 4, in wait' in problem.traceback


def test_a_file_that_eats_the_signal_is_killed(parser: Parser) -> None:
    answer = parser.load(
        "stubborn.py", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\nwhile True: pass"
    )
    assert "could not be interrupted" in only_problem(answer)


def test_a_file_that_forks_answers_once_and_leaves_nobody(parser: Parser) -> None:
    report = parser.tree / "daemon.pid"
    answer = parser.load(
        "forks.py",
        f"""
        import os, time
        from tradewind import DAG

        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                open({str(report)!r}, "w").write(str(os.getpid()))
                time.sleep(1000)
            os._exit(0)
        os.wait()
        while not os.path.exists({str(report)!r}) or not open({str(report)!r}).read():
            pass
        os.fork()
        forked = DAG("forked", schedule=None)
        """,
    )
    assert [dag.dag_id for dag in answer.dags] == ["forked"]
    assert [each.number for each in parser.answers].count(answer.number) == 1
    assert _ends(int(report.read_text())), "also a process that left its session ends with its file"


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def _ends(pid: int) -> bool:
    """Whether the process is gone, or goes at once: it was killed, and the kernel takes its time on a busy machine."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10.0)[0])
    finally:
        os.close(descriptor)


def test_a_file_that_prints_megabytes_keeps_the_beginning(parser: Parser) -> None:
    answer = parser.load("prints.py", "for i in range(40_000): print('x' * 50)")
    assert answer.problems == ()
    assert answer.output_bytes == 40_000 * 51
    assert answer.output == ("x" * 50 + "\n") * 19 + "x" * 31


def test_processes_that_a_file_starts_count_for_memory(parser: Parser) -> None:
    answer = parser.load(
        "heavy_child.py",
        """
        import subprocess, sys
        free = "import resource, time; resource.setrlimit(resource.RLIMIT_DATA, (-1, -1)); "
        eat = "x = bytearray(b'x') * (400 << 20); time.sleep(1000)"
        subprocess.run([sys.executable, "-c", free + eat])
        """,
    )
    assert "with the processes it started" in only_problem(answer)


@pytest.mark.parametrize(
    "text",
    [
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()",
        "import os\nos.chdir('/')",
        "import atexit, time\natexit.register(time.sleep, 1000)",
        "import sys\nsys.stdout = sys.stderr = None",
        "import os, tempfile, shutil\nplace = tempfile.mkdtemp()\nos.chdir(place)\nshutil.rmtree(place)",
    ],
    ids=["thread", "folder", "exit handler", "streams", "folder gone"],
)
def test_what_a_file_does_to_its_process_stays_there(parser: Parser, text: str) -> None:
    assert parser.load("odd.py", text).problems == ()


def test_the_environment_holds_no_credentials(parser: Parser) -> None:
    answer = parser.load("environment.py", "import os\nprint(sorted(os.environ.items()))")
    assert "hidden-word" not in answer.output


def test_slow_files_do_not_hold_up_an_urgent_one(parser: Parser) -> None:
    write(parser.tree, "slow.py", "while True: pass")
    write(parser.tree, "quick.py", DAG_FILE)
    slow = [parser.submit("slow.py") for _ in range(4)]
    quick = parser.submit("quick.py", urgent=True)
    parser.answer(quick)
    assert not {answer.number for answer in parser.answers} & set(slow)
    for number in slow:
        parser.answer(number)


def test_warnings_of_the_bundles_code_are_told(parser: Parser) -> None:
    answer = parser.load("warns.py", "import warnings\nwarnings.warn('old way', DeprecationWarning)")
    assert answer.warnings == ("DAGS/warns.py:2: DeprecationWarning: old way",)


def test_a_dag_function_that_is_never_called_is_told(parser: Parser) -> None:
    source = """
        from tradewind import dag

        @dag()
        def forgotten(): ...

        @dag()
        def made(): ...

        made()
    """
    answer = parser.load("forgets.py", source)
    assert [dag.dag_id for dag in answer.dags] == ["made"]
    assert answer.warnings == (
        "DAGS/forgets.py:4: UserWarning: the @dag function 'forgotten' is never called, so that it makes no DAG: "
        "add forgotten() to the file",
    )


# --- what decides about a file besides its text ----------------------------------------------------------------------


def test_dependencies_are_found_however_they_are_used(parser: Parser) -> None:
    for name in ("helper.py", "later/__init__.py", "later/inner.py", "conf/a.yaml", "run.sh", "named/tool.py"):
        write(parser.tree, name, "")
    answer = parser.load(
        "depends.py",
        """
        import glob, os
        import helper
        from tradewind import dag, task
        from tradewind.standard import BashOperator

        here = os.path.dirname(__file__)
        for name in glob.glob(here + "/conf/*.yaml"):
            open(name).close()

        @dag
        def depends():
            @task
            def lazy():
                from later import inner

            lazy() >> BashOperator(task_id="script", bash_command="run.sh")
            BashOperator(task_id="named", bash_command=f"python {here}/named/tool.py --fast")
        depends()
        """,
    )
    assert answer.problems == ()
    assert set(answer.dependencies) == {
        "conf/", "conf/a.yaml", "helper.py", "later/__init__.py", "later/inner.py", "named/tool.py", "run.sh",
    }  # fmt: skip


def test_a_missing_module_is_a_dependency(parser: Parser) -> None:
    answer = parser.load("waits.py", "import not_yet.there")
    assert answer.dependencies == ("not_yet.py", "not_yet/__init__.py")


BY_PATH = """
    import os
    import shared
    from tradewind import DAG
    from tradewind.standard import BashOperator

    with DAG("by_path"):
        BashOperator(task_id="tool", bash_command="python " + os.path.join(os.path.dirname(__file__), "tool.py"))
    """


def test_equal_code_gives_equal_documents_wherever_it_lies(parser: Parser, tmp_path: Path) -> None:
    documents = []
    for name, comment, tool in [("a", "", "1"), ("b", "# a comment\n", "1"), ("c", "", "2")]:
        tree = tmp_path / name
        write(tree, "shared.py", comment + "x = 1")
        write(tree, "tool.py", tool)
        (dag,) = parser.load("by_path.py", BY_PATH, tree=tree).dags
        documents.append(dag.document)
    assert documents[0] == documents[1], "neither the folder of the version nor comments make a new version"
    assert documents[0] != documents[2], "a script that a task names does"
    old, new = map(decode_document, (documents[0], documents[2]))
    assert replace(old, code_digest=new.code_digest) == new


# --- the host --------------------------------------------------------------------------------------------------------


def test_the_end_of_the_host_is_told_and_takes_its_children_along(tmp_path: Path) -> None:
    parser = Parser(tmp_path, dict(os.environ), Defaults())
    write(
        tmp_path,
        "hangs.py",
        f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(99)",
    )
    parser.submit("hangs.py")
    report = tmp_path / "pid"
    while not report.exists() or not report.read_text():
        parser.loop.after(0.01, lambda: None)
        parser.loop.turn()
    child = int(report.read_text())
    os.kill(parser.host.pid, 9)
    parser.until(lambda: parser.ended)
    parser.until(lambda: not _is_alive(child) or parser.loop.after(0.01, lambda: None) is None)
    assert parser.answers == []
    parser.host.close()
    parser.loop.close()
