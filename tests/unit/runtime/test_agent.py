"""The agent with real zygote, templates and children."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.runtime.conftest import Worker, wait_gone, wait_until

from tradewind.wire.execution import (
    Claim,
    ConnectionFacts,
    GetConnection,
    Go,
    Heartbeat,
    Hello,
    Report,
    Stop,
    Stops,
    XComValue,
)
from tradewind.wire.states import CauseOfDeath, Isolation, TaskInstanceState

FAILED, SUCCESS = TaskInstanceState.FAILED, TaskInstanceState.SUCCESS
EVERY = [Isolation.FORK, Isolation.SPAWN, Isolation.REUSE]


@pytest.mark.parametrize("isolation", EVERY)
def test_success_with_value_inputs_and_log(worker: Worker, isolation: Isolation) -> None:
    worker.write(
        "flow.py",
        """
        import logging, os, sys
        def work(workload, client, inputs):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            logging.getLogger("my.logger").warning("logged %s", 7)
            os.system("echo from a program; echo its error >&2")
            return inputs["up"].data.decode()
        """,
    )
    worker.face.answer = lambda m: Go({"up": XComValue(data=b"[1]", size=3)}) if isinstance(m, Claim) else None
    workload = worker.submit("work", isolation=isolation, inputs=("up",))
    outcome = worker.face.outcome(workload.token)
    assert outcome.state is SUCCESS
    assert outcome.xcoms[0].value.data == b"[1]"
    assert outcome.max_rss_bytes is not None
    assert outcome.max_rss_bytes > 1 << 20
    assert worker.face.claims(workload.token)[0].inputs == ("up",)
    lines = worker.log(workload)
    assert [(line["l"], line["s"], line["m"]) for line in lines if line["s"] != "agent"] == [
        ("info", "stdout", "to stdout"),
        ("error", "stderr", "to stderr"),
        ("warning", "log", "logged 7"),
        ("info", "stdout", "from a program"),
        ("error", "stderr", "its error"),
    ]
    assert "attempt 1 of flow/" in lines[0]["m"]
    assert lines[0]["m"].split("pid ")[1].isdigit()
    assert lines[-1]["m"] == "attempt 1 ended: success"
    assert next(line["n"] for line in lines if line["s"] == "log") == "my.logger"


def test_each_attempt_is_a_process_of_its_own(worker: Worker) -> None:
    worker.write("flow.py", "import os\ndef who(workload, client, inputs): return os.getpid()")
    pids = {worker.run("who").xcoms[0].value.data for _ in range(5)}
    assert len(pids) == 5


@pytest.mark.parametrize(
    ("code", "cause", "part"),
    [
        ("raise ValueError('no good')", CauseOfDeath.EXCEPTION, "ValueError: no good"),
        ("import sys; sys.exit(4)", CauseOfDeath.EXCEPTION, "SystemExit: 4"),
        ("import os; os._exit(3)", CauseOfDeath.EXIT_CODE, "exit code 3"),
        ("import os; os._exit(0)", CauseOfDeath.EXIT_CODE, "exit code 0 before"),
        ("import ctypes; ctypes.string_at(0)", CauseOfDeath.SIGNAL, "SIGSEGV"),
        ("import os; os.abort()", CauseOfDeath.SIGNAL, "SIGABRT"),
        ("import os; os.kill(os.getpid(), 9)", CauseOfDeath.KILLED, "SIGKILL"),
    ],
)
def test_causes_of_death(worker: Worker, code: str, cause: CauseOfDeath, part: str) -> None:
    worker.write("flow.py", f"def work(workload, client, inputs):\n print('so far')\n {code}")
    workload = worker.submit("work")
    outcome = worker.face.outcome(workload.token)
    assert (outcome.state, outcome.cause) == (FAILED, cause)
    assert part in outcome.reason
    texts = worker.texts(workload)
    assert "so far" in texts
    assert part in texts[-1]
    if cause is CauseOfDeath.SIGNAL:
        assert outcome.signal
        assert any("Current thread" in text for text in texts)  # the stack, thanks to faulthandler


def test_exit_code_of_a_fresh_interpreter(worker: Worker) -> None:
    worker.write("flow.py", "import os\ndef work(workload, client, inputs): os._exit(3)")
    outcome = worker.run("work", isolation=Isolation.SPAWN)
    assert (outcome.cause, outcome.exit_code) == (CauseOfDeath.EXIT_CODE, 3)


def test_killed_child_whose_verdict_was_said_keeps_it(worker: Worker) -> None:
    """Only one report, whatever the order of verdict and end."""
    workload = worker.submit()
    worker.face.outcome(workload.token)
    worker.face.wait_heartbeats()
    assert len(worker.face.reports(workload.token)) == 1


def test_zygote_killed_ends_attempts_as_lost_and_the_next_ones_run(worker: Worker, tmp_path: Path) -> None:
    begun = worker.fifo("begun")
    worker.write(
        "flow.py",
        f"""
        import signal
        def work(workload, client, inputs):
            open({str(begun)!r}, "w").close()
            signal.pause()
        def nothing(workload, client, inputs): pass
        """,
    )
    workload = worker.submit("work")
    begun.open().close()
    zygote = worker.status().zygote_pid
    assert zygote
    os.kill(zygote, signal.SIGKILL)
    outcome = worker.face.outcome(workload.token)
    assert outcome.cause is CauseOfDeath.LOST
    assert "zygote" in outcome.reason
    assert worker.run("nothing").state is SUCCESS


def test_template_killed_ends_its_attempts_as_lost(worker: Worker) -> None:
    begun = worker.fifo("begun")
    worker.write(
        "flow.py",
        f"""
        import signal
        def work(workload, client, inputs):
            open({str(begun)!r}, "w").close()
            signal.pause()
        """,
    )
    workload = worker.submit("work")
    begun.open().close()
    os.kill(worker.status().templates["flow.py"], signal.SIGKILL)
    assert worker.face.outcome(workload.token).cause is CauseOfDeath.LOST
    assert worker.run("nothing", file="flow.py").cause is CauseOfDeath.EXCEPTION  # no such function: it ran


@pytest.mark.parametrize("source", ["raise RuntimeError('broken')", "import sys; sys.exit(1)", "def (", "import nope"])
def test_a_file_that_does_not_load(worker: Worker, source: str) -> None:
    worker.write("broken.py", source)
    workload = worker.submit("work", file="broken.py")
    outcome = worker.face.outcome(workload.token)
    assert (outcome.state, outcome.cause) == (FAILED, CauseOfDeath.LAUNCH)
    assert "broken.py cannot be loaded" in outcome.reason
    told = worker.texts(workload)
    assert told[0].startswith(outcome.reason)
    assert "broken.py" in told[0].partition("\n")[2]
    # What was missing may be there next time.
    worker.write("broken.py", "def work(workload, client, inputs): pass")
    assert worker.run("work", file="broken.py").state is SUCCESS


def test_a_file_that_kills_its_process_while_it_loads(worker: Worker) -> None:
    worker.write("dies.py", "import os; os.abort()")
    outcome = worker.run("work", file="dies.py")
    assert outcome.cause is CauseOfDeath.LAUNCH
    assert "signal 6" in outcome.reason


def test_a_file_that_loads_for_ever(make_worker: Any) -> None:
    worker = make_worker(import_seconds_max=0.3)
    worker.write("slow.py", "while True: pass")
    outcome = worker.run("work", file="slow.py")
    assert outcome.cause is CauseOfDeath.LAUNCH
    assert "longer than 0.3 s" in outcome.reason


def test_a_file_that_does_not_load_in_a_fresh_interpreter(worker: Worker) -> None:
    worker.write("broken.py", "raise RuntimeError('broken')")
    workload = worker.submit("work", file="broken.py", isolation=Isolation.SPAWN)
    assert worker.face.outcome(workload.token).cause is CauseOfDeath.LAUNCH
    assert any("Traceback" in text for text in worker.texts(workload))


def test_threads_after_import_lead_to_fresh_processes(worker: Worker) -> None:
    worker.write(
        "threads.py",
        """
        import os, threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        def work(workload, client, inputs): return os.getppid()
        """,
    )
    for _ in range(2):
        outcome = worker.run("work", file="threads.py")
        assert outcome.state is SUCCESS
        # The parent is the agent, which runs in this process.
        assert outcome.xcoms[0].value.data == str(os.getpid()).encode()


def test_import_happens_once(worker: Worker, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    worker.write("flow.py", f"open({str(marks)!r}, 'a').write('x')\ndef nothing(workload, client, inputs): pass")
    workloads = [worker.submit() for _ in range(20)]
    for workload in workloads:
        assert worker.face.outcome(workload.token).state is SUCCESS
    assert marks.read_text() == "x"


def test_templates_are_dropped_above_the_memory_bound(make_worker: Any) -> None:
    worker = make_worker(template_memory_bytes_max=1)
    worker.write("other.py", "def nothing(workload, client, inputs): pass")
    assert worker.run().state is SUCCESS
    assert worker.run(file="other.py").state is SUCCESS
    assert worker.run().state is SUCCESS
    worker.face.wait_heartbeats(3)
    assert worker.status().templates == {}


# --- ending from outside ----------------------------------------------------------------------------------------


def _waiting_task(worker: Worker, extra: str = "") -> tuple[Path, str]:
    begun = worker.fifo("begun")
    return (
        begun,
        f"""
import os, signal, subprocess, time
def on_kill():
    print("on_kill was called")
def work(workload, client, inputs):
    {extra or "pass"}
    with open({str(begun)!r}, "w") as told:
        told.write(str(os.getpid()))
    while True:
        signal.pause()
""",
    )


@pytest.mark.parametrize("isolation", EVERY)
def test_cancel_lets_the_operator_clean_up(worker: Worker, isolation: Isolation) -> None:
    begun, source = _waiting_task(worker)
    worker.write("flow.py", source)
    workload = worker.submit("work", isolation=isolation)
    begun.read_text()
    worker.executor.cancel([workload.token], "somebody wished it")
    outcome = worker.face.outcome(workload.token)
    assert (outcome.state, outcome.cause, outcome.reason) == (FAILED, CauseOfDeath.USER, "somebody wished it")
    texts = worker.texts(workload)
    assert "on_kill was called" in texts
    assert any("ending the attempt: somebody wished it" in text for text in texts)


def test_a_task_that_ignores_sigterm_is_killed_with_all_that_it_started(make_worker: Any, tmp_path: Path) -> None:
    worker = make_worker(cleanup_seconds=0.2)
    pids = worker.fifo("pids")
    worker.write(
        "flow.py",
        f"""
        import os, signal, subprocess
        def work(workload, client, inputs):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            own_session = subprocess.Popen(["sleep", "1000"], start_new_session=True)
            same_group = subprocess.Popen(["sleep", "1000"])
            with open({str(pids)!r}, "w") as told:
                told.write(f"{{os.getpid()}} {{own_session.pid}} {{same_group.pid}}")
            while True:
                signal.pause()
        """,
    )
    workload = worker.submit("work")
    family = [int(pid) for pid in pids.read_text().split()]
    worker.executor.cancel([workload.token], "enough")
    outcome = worker.face.outcome(workload.token)
    assert (outcome.cause, outcome.signal) == (CauseOfDeath.USER, signal.SIGKILL)
    for pid in family:
        wait_gone(pid)
    assert any("SIGKILL" in text for text in worker.texts(workload, "agent"))


def test_what_an_attempt_leaves_behind_ends_with_it(worker: Worker) -> None:
    worker.write(
        "flow.py",
        """
        import subprocess
        def work(workload, client, inputs): return subprocess.Popen(["sleep", "1000"]).pid
        """,
    )
    wait_gone(int(worker.run("work").xcoms[0].value.data))


def test_timeout_of_a_task_that_cannot_end_itself(make_worker: Any) -> None:
    worker = make_worker(cleanup_seconds=0.1)
    begun, source = _waiting_task(worker)
    worker.write("flow.py", source)
    workload = worker.submit("work", execution_timeout_seconds=0.1)
    begun.read_text()
    outcome = worker.face.outcome(workload.token)
    assert (outcome.state, outcome.cause) == (FAILED, CauseOfDeath.TIMEOUT)
    assert "execution_timeout of 0.1 s" in outcome.reason


def test_cancel_before_submit_does_not_start(worker: Worker) -> None:
    workload = worker.workload()
    worker.executor.cancel([workload.token], "never mind")
    worker.executor.submit([workload])
    outcome = worker.face.outcome(workload.token)
    assert (outcome.state, outcome.cause) == (FAILED, CauseOfDeath.USER)
    assert worker.face.claims(workload.token) == []


def test_stop_instead_of_go(worker: Worker) -> None:
    worker.face.answer = lambda m: Stop("cleared") if isinstance(m, Claim) and m.token == "token-1" else None
    stopped = worker.submit()
    assert worker.run().state is SUCCESS
    worker.face.wait_heartbeats()
    assert worker.face.reports(stopped.token) == []
    assert worker.texts(stopped) == [f"attempt 1 of flow/{stopped.run.run_id}/nothing does not start: cleared"]
    assert worker.status().running == 0


def test_stop_by_heartbeat_ends_the_child_without_a_report(worker: Worker) -> None:
    begun, source = _waiting_task(worker)
    worker.write("flow.py", source)
    workload = worker.submit("work")
    pid = int(begun.read_text())
    worker.face.answer = lambda m: Stops(dict.fromkeys(m.tokens, "marked")) if isinstance(m, Heartbeat) else None
    wait_gone(pid)
    worker.face.wait_heartbeats()
    assert worker.face.reports(workload.token) == []
    assert any("marked" in text for text in worker.texts(workload))


# --- control plane ------------------------------------------------------------------------------------------------


def test_first_message_is_hello_with_credential_and_version(worker: Worker) -> None:
    worker.run()
    first = worker.face.exchanges[0]
    assert isinstance(first.messages[0], Hello)
    assert first.agent == "host:test"
    headers = worker.face.headers[0]
    assert headers["Authorization"] == f"Bearer {worker.settings.credential}"
    assert headers["Tradewind-Execution-Version"]
    sequences = [exchange.sequence for exchange in worker.face.exchanges]
    assert sequences == sorted(set(sequences))
    assert sum(isinstance(m, Hello) for m in worker.face.messages()) == 1


def test_control_plane_away_and_back(worker: Worker) -> None:
    begun, end = worker.fifo("begun"), worker.fifo("end")
    worker.write(
        "flow.py",
        f"""
        def work(workload, client, inputs):
            open({str(begun)!r}, "w").close()
            open({str(end)!r}).close()
            return "done meanwhile"
        """,
    )
    workload = worker.submit("work")
    begun.open().close()
    worker.face.stop()
    end.open("w").close()
    wait_for_file(worker.settings.spool_dir)
    worker.face.start()
    assert worker.face.outcome(workload.token).state is SUCCESS
    worker.face.wait_heartbeats()
    assert not list(worker.settings.spool_dir.rglob("*.report"))
    assert isinstance(worker.face.exchanges[-1].messages[0], Heartbeat)


def test_report_survives_the_agent(worker: Worker) -> None:
    worker.run()
    worker.face.status = 503
    workload = worker.workload()
    # The claim is not answered, so cancel: its report cannot be delivered either.
    worker.executor.submit([workload])
    worker.executor.cancel([workload.token], "away")
    wait_for_file(worker.settings.spool_dir)
    worker.stop_agent()
    worker.face.status = 200
    worker.start_agent()
    outcome = worker.face.outcome(workload.token)
    assert outcome.reason == "away"
    reported = Report(workload.token, outcome)
    with_report = next(e for e in worker.face.exchanges if reported in e.messages)
    # In one exchange with Hello: the face takes it before it declares the earlier incarnation's attempts lost.
    assert isinstance(with_report.messages[0], Hello)
    worker.face.wait_heartbeats()
    assert not list(worker.settings.spool_dir.rglob("*.report"))


def test_a_message_that_the_face_cannot_digest_does_not_block_the_others(worker: Worker) -> None:
    worker.write(
        "flow.py",
        """
        def nothing(workload, client, inputs): pass
        def bad(workload, client, inputs): return "indigestible"
        """,
    )
    face = worker.face
    serve = face._serve

    def picky(body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        return (413, b"too big") if b"indigestible" in body else serve(body, headers)

    face._serve = picky  # type: ignore[method-assign]
    bad = worker.submit("bad")
    workloads = [worker.submit() for _ in range(5)]
    for workload in workloads:
        assert face.outcome(workload.token).state is SUCCESS
    outcome = face.outcome(bad.token)
    assert outcome.state is FAILED
    assert "its result was refused" in outcome.reason


def test_doubled_submit_starts_once(worker: Worker) -> None:
    workload = worker.workload()
    worker.executor.submit([workload, workload])
    worker.executor.submit([workload])
    assert worker.face.outcome(workload.token).state is SUCCESS
    worker.executor.submit([workload])
    worker.run()
    assert len(worker.face.claims(workload.token)) == 1


def test_questions_of_the_task_and_secrets(worker: Worker) -> None:
    worker.write(
        "flow.py",
        """
        import os
        from tradewind.wire.execution import GetConnection
        def work(workload, client, inputs):
            facts = client.ask(GetConnection(workload.token, "db"))
            client.mask(facts.extra)
            print("password is", facts.password, "and", facts.extra)
            os.system(f"echo {facts.password}")
            return facts.host
        """,
    )
    facts = ConnectionFacts(conn_id="db", conn_type="pg", host="h", password="swordfish", extra='ex"tra\u00e9')
    worker.face.answer = lambda m: facts if isinstance(m, GetConnection) else None
    workload = worker.submit("work")
    assert worker.face.outcome(workload.token).xcoms[0].value.data == b"h"
    texts = worker.texts(workload)
    assert "password is *** and ***" in texts
    assert "***" in texts
    assert "swordfish" not in worker.log_path(workload).read_text()


def test_slots_bound_what_runs_at_once(make_worker: Any, tmp_path: Path) -> None:
    worker = make_worker(slots=1)
    marks = tmp_path / "marks"
    worker.write(
        "flow.py",
        f"""
        def work(workload, client, inputs):
            with open({str(marks)!r}, "a") as file:
                file.write("(")
                file.flush()
                file.write(")")
        """,
    )
    workloads = [worker.submit("work") for _ in range(10)]
    for workload in workloads:
        assert worker.face.outcome(workload.token).state is SUCCESS
    assert marks.read_text() == "()" * 10


# --- output -------------------------------------------------------------------------------------------------------


def test_megabytes_of_output(worker: Worker) -> None:
    worker.write(
        "flow.py",
        """
        import subprocess, sys
        def work(workload, client, inputs):
            for number in range(20_000):
                print("x" * 100, number)
            subprocess.run("yes " + "y" * 99 + " | head -n 100000", shell=True)
            print("the end", end="")
        """,
    )
    workload = worker.submit("work")
    assert worker.face.outcome(workload.token).state is SUCCESS
    texts = worker.texts(workload, "stdout")
    assert len(texts) == 120_001
    assert texts[19_999].endswith(" 19999")
    assert "the end" in texts


def test_long_lines_are_cut(make_worker: Any) -> None:
    worker = make_worker(line_bytes_max=1024)
    worker.write(
        "flow.py",
        """
        import os
        def work(workload, client, inputs):
            print("é" * 5000)
            os.write(1, b"z" * 5_000_000 + b"\\n")
        """,
    )
    workload = worker.submit("work")
    assert worker.face.outcome(workload.token).state is SUCCESS
    texts = worker.texts(workload, "stdout")
    assert texts[0].startswith("é" * 512 + "… [8976 of 10000 bytes cut]")
    assert all(len(text) < 1200 for text in texts)
    assert "bytes cut" in texts[1]


def test_a_log_that_cannot_be_written_does_not_stop_the_attempt(worker: Worker) -> None:
    worker.settings.logs_folder.parent.mkdir(exist_ok=True)
    worker.settings.logs_folder.write_text("in the way")
    assert worker.run().state is SUCCESS


def test_the_log_of_a_silent_attempt_says_that_it_began(worker: Worker) -> None:
    gate = worker.fifo("gate")
    worker.write("flow.py", f"def work(workload, client, inputs): open({str(gate)!r}).read()")
    workload = worker.submit("work")
    wait_until(lambda: worker.log_now(workload), "a line in the log while the attempt runs")
    (line,) = worker.log_now(workload)
    assert line["m"].startswith("attempt 1 of ")
    assert "starts on host, pid " in line["m"]
    gate.write_text("")
    outcome = worker.face.outcome(workload.token)
    assert outcome.started_at is not None
    assert abs(datetime.fromisoformat(line["t"]) - outcome.started_at) < timedelta(seconds=1)


def test_exceptions_are_logged_as_data(worker: Worker) -> None:
    worker.write(
        "flow.py",
        """
        import logging
        def inner(): raise KeyError("k")
        def work(workload, client, inputs):
            try:
                inner()
            except KeyError as error:
                logging.getLogger("x").exception("it failed")
        """,
    )
    workload = worker.submit("work")
    worker.face.outcome(workload.token)
    line = next(line for line in worker.log(workload) if "e" in line)
    error = line["e"][0]
    assert (line["l"], line["m"], error["type"], error["message"]) == ("error", "it failed", "KeyError", "'k'")
    assert [frame["function"] for frame in error["frames"]] == ["work", "inner"]
    assert error["frames"][1]["text"].startswith("def inner(): raise")


def test_processes_that_user_code_forks_write_to_the_log_too(worker: Worker) -> None:
    worker.write(
        "flow.py",
        """
        import logging, os
        def work(workload, client, inputs):
            pid = os.fork()
            if pid == 0:
                print("from the fork")
                logging.getLogger("x").error("logged in the fork")
                os._exit(0)
            os.waitpid(pid, 0)
        """,
    )
    workload = worker.submit("work")
    assert worker.face.outcome(workload.token).state is SUCCESS
    texts = worker.texts(workload)
    assert "from the fork" in texts
    assert "ERROR x: logged in the fork" in texts


# --- reuse --------------------------------------------------------------------------------------------------------

REUSE_SOURCE = """
import logging, os, signal, sys, threading
def dirty(workload, client, inputs):
    os.environ["LEFT"] = "x"
    os.chdir("/")
    os.umask(0o077)
    sys.argv.append("left"); sys.path.append("left")
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 1000)
    logging.getLogger().handlers.clear()
    logging.getLogger("some").setLevel("CRITICAL")
    sys.stdout = None
    return os.getpid()
def look(workload, client, inputs):
    print("printed")
    logging.getLogger("some").info("logged")
    mask = os.umask(0o022)
    clean = (
        "LEFT" not in os.environ and os.getcwd() != "/" and mask != 0o077 and "left" not in sys.argv + sys.path
        and signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL and signal.getitimer(signal.ITIMER_REAL)[0] == 0
    )
    return f"{os.getpid()} {clean}"
def thread(workload, client, inputs):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return os.getpid()
def fails(workload, client, inputs):
    raise ValueError("no")
"""


def test_reuse_runs_one_after_another_in_one_process_put_back_each_time(make_worker: Any) -> None:
    worker = make_worker(slots=1)
    worker.write("flow.py", REUSE_SOURCE)
    dirty = worker.run("dirty", isolation=Isolation.REUSE)
    assert worker.run("fails", isolation=Isolation.REUSE).cause is CauseOfDeath.EXCEPTION
    look = worker.submit("look", isolation=Isolation.REUSE)
    outcome = worker.face.outcome(look.token)
    assert outcome.xcoms[0].value.data == dirty.xcoms[0].value.data + b" True"
    assert worker.texts(look)[1:-1] == ["printed", "logged"]


def test_reuse_ends_a_process_that_cannot_be_put_back(worker: Worker) -> None:
    worker.write("flow.py", REUSE_SOURCE)
    worn = worker.run("thread", isolation=Isolation.REUSE)
    outcome = worker.run("look", isolation=Isolation.REUSE)
    assert outcome.xcoms[0].value.data.split()[0] != worn.xcoms[0].value.data


def test_idle_warm_children_end(make_worker: Any) -> None:
    worker = make_worker(reuse_idle_seconds=0.1)
    worker.write("flow.py", REUSE_SOURCE)
    pid = int(worker.run("dirty", isolation=Isolation.REUSE).xcoms[0].value.data)
    wait_gone(pid)


# --- the agent itself ---------------------------------------------------------------------------------------------


def test_stopping_ends_attempts_reports_them_and_gives_back_the_waiting(make_worker: Any) -> None:
    worker = make_worker(slots=1)
    begun, source = _waiting_task(worker)
    worker.write("flow.py", source)
    running = worker.submit("work")
    begun.read_text()
    waiting = worker.submit("work")
    worker.status()  # both have arrived
    assert worker.agent is not None
    worker.agent.stop()
    outcome = worker.face.outcome(running.token)
    assert (outcome.cause, outcome.reason) == (CauseOfDeath.KILLED, "the agent was stopped")
    worker.thread.join(20)
    assert not worker.thread.is_alive()
    worker.agent = None
    assert worker.woken.wait(10)
    assert [returned.token for returned in worker.executor.events()] == [waiting.token]


def wait_for_file(folder: Path) -> None:
    """Until a report is on disk. The agent gives no signal for it; the file is the signal."""
    wait_until(lambda: any(folder.rglob("*.report")), f"a report in {folder}")
