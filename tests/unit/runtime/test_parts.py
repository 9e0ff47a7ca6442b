"""The parts of the runtime that need no processes."""

from __future__ import annotations

import os
import signal
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tradewind.kernel.clock import SystemClock
from tradewind.runtime.attempt_log import AttemptLog, LogFlusher, PipeLines
from tradewind.runtime.channel import AgentClient, Channel, ChannelClosed
from tradewind.runtime.death import Ending, OomCounter, death_of
from tradewind.runtime.framing import BrokenStream, FrameReader, FrameStream, LetterBox, frame, read_frame
from tradewind.runtime.log_lines import cut, describe, log_line
from tradewind.runtime.loop import READABLE, Loop
from tradewind.runtime.mask import Masker
from tradewind.runtime.spool import ReportSpool
from tradewind.runtime.values import ValueStore
from tradewind.runtime.words import FromChild, ToChild, decode_ask, encode_reply
from tradewind.wire.errors import InvalidValue, NotFound, StaleAttempt, Unavailable
from tradewind.wire.execution import GetVariable, Outcome, Refused, Report, Stop, Text
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

NOW = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
LONG = 20.0


# --- loop


def test_loop_serves_descriptors_timers_and_threads() -> None:
    loop = Loop()
    seen: list[object] = []
    reader, writer = os.pipe()

    def write() -> None:
        os.write(writer, b"x")

    def read(_events: int) -> None:
        seen.append(os.read(reader, 9))
        loop.remove(reader)

    def finish() -> None:
        seen.append("second")
        loop.stop()

    loop.add(reader, READABLE, read)
    loop.after(0.02, finish)
    loop.after(0.01, lambda: seen.append("first"))
    loop.after(0.005, lambda: seen.append("never")).cancel()
    loop.soon(lambda: seen.append("soon"))
    threading.Thread(target=lambda: loop.call_threadsafe(write)).start()
    loop.run()
    assert sorted(map(str, seen)) == ["b'x'", "first", "second", "soon"]
    assert seen.index("first") < seen.index("second")
    loop.close()
    os.close(reader)
    os.close(writer)


def test_a_handler_removed_in_the_same_turn_is_not_called() -> None:
    loop, called = Loop(), []
    pipes = [os.pipe(), os.pipe()]

    def handler(own: int, other: int) -> None:
        called.append(own)
        loop.remove(other)

    (a, _), (b, _) = pipes
    loop.add(a, READABLE, lambda _: handler(a, b))
    loop.add(b, READABLE, lambda _: handler(b, a))
    for _, writer in pipes:
        os.write(writer, b"x")
    loop.turn()
    assert len(called) == 1
    loop.close()
    for descriptor in (descriptor for pipe in pipes for descriptor in pipe):
        os.close(descriptor)


def test_calls_from_threads_come_to_nothing_once_the_loop_is_closed() -> None:
    """Whoever asks it to stop may be overtaken by its end; the descriptor may be another's by then."""
    loop, called = Loop(), []
    loop.close()
    reader, writer = os.pipe2(os.O_NONBLOCK)
    others = [os.dup(writer) for _ in range(8)]
    loop.call_threadsafe(lambda: called.append("call"))
    assert not called
    with pytest.raises(BlockingIOError):
        os.read(reader, 9)
    for descriptor in (reader, writer, *others):
        os.close(descriptor)


def test_a_signal_that_another_thread_is_given_ends_the_wait() -> None:
    loop, heard = Loop(), []

    def handle(number: int, _frame: object) -> None:
        heard.append(number)
        loop.call_threadsafe(loop.stop)

    def be_given() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handle)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    thread = threading.Thread(target=be_given)
    try:
        loop.heed_signals()
        loop.soon(thread.start)
        loop.run()
    finally:
        loop.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGUSR1, before)
        thread.join()
    assert heard == [signal.SIGUSR1]
    assert signal.set_wakeup_fd(-1) == -1


# --- framing


def test_frames_survive_any_cutting() -> None:
    stream = b"".join(frame(kind, payload) for kind, payload in [(1, b""), (2, b"abc"), (255, b"x" * 1000)])
    for step in (1, 3, 7, len(stream)):
        reader = FrameReader()
        found = [each for at in range(0, len(stream), step) for each in reader.feed(stream[at : at + step])]
        assert found == [(1, b""), (2, b"abc"), (255, b"x" * 1000)]


def test_impossible_frames_are_refused() -> None:
    with pytest.raises(BrokenStream, match="0 bytes"):
        list(FrameReader().feed(b"\0\0\0\0\1"))
    ours, theirs = socket.socketpair()
    theirs.sendall(frame(1, b"whole") + frame(2, b"cut off")[:-1])
    theirs.close()
    assert read_frame(ours) == (1, b"whole")
    with pytest.raises(BrokenStream, match="middle"):
        read_frame(ours)
    ours.close()


def test_frame_stream_keeps_what_the_other_side_does_not_take() -> None:
    loop, ended = Loop(), []
    ours, theirs = socket.socketpair()
    stream = FrameStream(loop, ours, lambda *_: None, lambda: ended.append(True))
    big = os.urandom(4 << 20)
    stream.send(1, big)
    stream.send(2, b"after")
    got: list[tuple[int, bytes] | None] = []

    def read() -> None:
        got.extend([read_frame(theirs), read_frame(theirs)])
        theirs.close()

    thread = threading.Thread(target=read)
    thread.start()
    while not ended:
        loop.turn()
    thread.join()
    assert got == [(1, big), (2, b"after")]
    loop.close()


def test_letters_carry_descriptors() -> None:
    loop, got = Loop(), []
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ended: list[bool] = []
    box = LetterBox(loop, ours, lambda letter, fds: got.append((letter, fds)), lambda: ended.append(True))
    other = LetterBox(loop, theirs, lambda *_: None, lambda: None)
    reader, writer = os.pipe()
    for number in range(500):  # more than the socket holds at once
        other.send(b"%d" % number * 500, [writer] if number == 300 else [])
    while len(got) < 500:
        loop.turn()
    assert [letter for letter, _ in got] == [b"%d" % number * 500 for number in range(500)]
    (passed,) = got[300][1]
    os.write(passed, b"hello")
    assert os.read(reader, 9) == b"hello"
    other.close()
    while not ended:
        loop.turn()
    box.close()
    loop.close()
    for descriptor in (reader, writer, passed):
        os.close(descriptor)


# --- lines


def test_log_line_is_what_the_port_says() -> None:
    assert msgspec.json.decode(log_line(NOW, "info", "log", "é\ud800", logger="x")) == {
        "t": "2024-05-06T07:08:09.123456Z", "l": "info", "s": "log", "n": "x", "m": "é?",
    }  # fmt: skip


def test_cut_keeps_whole_characters() -> None:
    assert cut("short", 5) == "short"
    assert cut("é" * 10, 5) == "éé… [15 of 20 bytes cut]"


def test_exceptions_as_data_with_their_causes() -> None:
    class Rude(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    def fail() -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise Rude from error

    try:
        fail()
    except Rude as caught:
        described = describe(caught)
    assert [each["type"].rpartition(".")[2] for each in described] == ["Rude", "KeyError"]
    assert "cannot be made: RuntimeError" in described[0]["message"]
    assert described[1]["frames"][-1]["text"] == 'raise KeyError("inner")'
    assert [each.get("relation") for each in described] == [None, "cause"]


def test_notes_groups_and_what_was_being_handled() -> None:
    def fail() -> None:
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            noted = ValueError("bad row")
            noted.add_note("in line 7")
            raise ExceptionGroup("two", [noted, OSError("disk")])  # noqa: B904

    with pytest.raises(ExceptionGroup) as caught:
        fail()
    described = describe(caught.value)
    assert [(each["type"], each.get("relation")) for each in described] == [
        ("ExceptionGroup", None),
        ("ValueError", "member"),
        ("OSError", "member"),
        ("ZeroDivisionError", "context"),
    ]
    assert described[1]["notes"] == ["in line 7"]


def test_endless_recursion_is_told_in_bounded_space() -> None:
    def again() -> None:
        again()

    with pytest.raises(RecursionError) as caught:
        again()
    assert len(describe(caught.value)[0]["frames"]) == 50


# --- mask


def test_secrets_are_masked_in_every_form() -> None:
    masker = Masker(5)
    assert masker.empty
    assert not masker.add("1234")
    assert masker.add('pass"wörd')
    assert not masker.add('pass"wörd')
    assert masker.add("line one\nline two")
    assert masker.add("pass") is False
    assert masker.add('pass"wörd and more')
    line = log_line(NOW, "info", "log", 'it is pass"wörd and more, or pass"wörd')
    assert b"rd" not in masker.bytes(line)
    assert msgspec.json.decode(masker.bytes(line))["m"] == "it is ***, or ***"
    nested = log_line(NOW, "info", "log", msgspec.json.encode({"p": 'pass"wörd'}).decode())
    assert msgspec.json.decode(masker.bytes(nested))["m"] == '{"p":"***"}'
    assert masker.text("line two; line one") == "***; ***"


# --- death


def test_ending_of_the_agent_is_the_cause() -> None:
    ending = Ending(CauseOfDeath.TIMEOUT, "too long")
    death = death_of(signal.SIGKILL, ending, out_of_memory=True)
    assert (death.cause, death.reason, death.signal) == (CauseOfDeath.TIMEOUT, "too long", 9)


@pytest.mark.parametrize(
    ("status", "oom", "cause"),
    [
        (3 << 8, False, CauseOfDeath.EXIT_CODE),
        (signal.SIGKILL, False, CauseOfDeath.KILLED),
        (signal.SIGKILL, True, CauseOfDeath.OUT_OF_MEMORY),
        (signal.SIGTERM, True, CauseOfDeath.KILLED),
        (signal.SIGBUS | 0x80, False, CauseOfDeath.SIGNAL),
        (40, False, CauseOfDeath.SIGNAL),
    ],
)
def test_causes(status: int, oom: bool, cause: CauseOfDeath) -> None:
    assert death_of(status, None, out_of_memory=oom).cause is cause


def test_each_kill_for_want_of_memory_is_told_once(tmp_path: Path) -> None:
    events = tmp_path / "memory.events"
    events.write_text("low 0\noom 1\noom_kill 1\n")
    counter = OomCounter([(tmp_path / "absent", "oom_kill"), (events, "oom_kill")])
    assert not counter.take()
    events.write_text("low 0\noom 3\noom_kill 3\n")
    assert [counter.take() for _ in range(3)] == [True, True, False]
    assert not OomCounter([]).take()


# --- log file


def test_lost_lines_are_told_when_the_disk_takes_lines_again(tmp_path: Path) -> None:
    loop = Loop()
    folder = tmp_path / "logs"
    folder.write_text("in the way")
    log = AttemptLog(folder / "a.jsonl", LogFlusher(loop), Masker(5), SystemClock(), 100)
    log.say("info", "lost")
    log.flush()
    folder.unlink()
    log.line("info", "stdout", "x" * 200)
    log.raw(b"x" * 5000)
    log.close()
    texts = [msgspec.json.decode(line)["m"] for line in (folder / "a.jsonl").read_bytes().splitlines()]
    assert texts[0] == "1 lines are missing here: the log could not be written"
    assert texts[1].endswith("[100 of 200 bytes cut]")
    assert "a line of 5000 bytes was dropped" in texts[2]
    loop.close()


def test_lines_are_written_before_long_without_being_asked(tmp_path: Path) -> None:
    loop = Loop()
    log = AttemptLog(tmp_path / "a.jsonl", LogFlusher(loop), Masker(5), SystemClock(), 100)
    log.say("info", "hello")
    loop.turn()
    assert b"hello" in (tmp_path / "a.jsonl").read_bytes()
    loop.close()


def test_a_pipe_gives_lines_and_its_rest(tmp_path: Path) -> None:
    loop = Loop()
    log = AttemptLog(tmp_path / "a.jsonl", LogFlusher(loop), Masker(5), SystemClock(), 100)
    reader, writer = os.pipe()
    lines = PipeLines(loop, reader, "stderr", "error")
    lines.log = log
    os.write(writer, b"one\r\ntw\xffo\nthree")
    lines.drain()
    os.close(writer)
    lines.drain()
    lines.close()
    log.close()
    texts = [msgspec.json.decode(line)["m"] for line in (tmp_path / "a.jsonl").read_bytes().splitlines()]
    assert texts == ["one", "tw\\xffo", "three"]
    loop.close()


# --- spool


def _report(token: str, reason: str = "") -> Report:
    return Report(token, Outcome(state=TaskInstanceState.FAILED, cause=CauseOfDeath.LOST, reason=reason))


def test_spool_keeps_what_it_is_given_until_it_is_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool = ReportSpool(folder, 10_000)
    assert spool.load() == []
    spool.keep(_report("secret-token"))
    spool.keep(_report("secret-token"))
    spool.keep(_report("other"))
    assert "secret" not in " ".join(path.name for path in folder.iterdir())
    (folder / "broken.report").write_bytes(b"\xc1")
    again = ReportSpool(folder, 10_000)
    assert {report.token for report in again.load()} == {"secret-token", "other"}
    assert not (folder / "broken.report").exists()
    again.forget("other")
    again.forget("never kept")
    assert [report.token for report in ReportSpool(folder, 10_000).load()] == ["secret-token"]


def test_spool_has_a_bound_and_bears_a_disk_that_refuses(tmp_path: Path) -> None:
    spool = ReportSpool(tmp_path / "spool", 200)
    spool.keep(_report("big", "x" * 500))
    assert not (tmp_path / "spool").exists()
    (tmp_path / "file").write_text("")
    ReportSpool(tmp_path / "file" / "spool", 10_000).keep(_report("a"))


# --- values


def test_values_are_kept_whole_and_checked(tmp_path: Path) -> None:
    store = ValueStore(f"file://{tmp_path}/values")
    url = store.store(b"data", "dag/run 1/../task/return value")
    assert url.startswith(f"file://{tmp_path}/values/dag/run_1/task/return_value.")
    assert store.store(b"data", "dag/run 1/../task/return value") != url
    assert store.fetch(url, None) == b"data"
    with pytest.raises(InvalidValue, match="was changed"):
        store.fetch(url, "0" * 64)
    with pytest.raises(NotFound, match=r"values\.url"):
        store.fetch(url + "x", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be stored"):
        ValueStore(f"file://{tmp_path}/file").store(b"data", "name")


def test_values_elsewhere_go_through_fsspec() -> None:
    store = ValueStore("memory://values")
    assert store.fetch(store.store(b"data", "a/b"), None) == b"data"


# --- channel


class Ends:
    """A channel and the agent's end of it."""

    def __init__(self) -> None:
        ours, self.agent = socket.socketpair()
        self.channel = Channel(ours)
        self.channel.leave_to_forks()
        self.client = AgentClient(
            self.channel, "t", ValueStore("memory://x"), Masker(5), SystemClock(), patience_seconds=LONG
        )

    def answer(self, *replies: Text | Stop | Refused) -> threading.Thread:
        def serve() -> None:
            for reply in replies:
                found = read_frame(self.agent)
                assert found is not None
                assert found[0] == FromChild.ASK
                number, _ = decode_ask(found[1])
                # An older answer first: it belongs to an ask that was interrupted.
                self.agent.sendall(frame(ToChild.REPLY, encode_reply(number - 1, Text("old"))))
                self.agent.sendall(frame(ToChild.REPLY, encode_reply(number, reply)))

        thread = threading.Thread(target=serve)
        thread.start()
        return thread


def test_ask_gets_its_own_reply_or_the_error_it_names() -> None:
    ends = Ends()
    thread = ends.answer(Text("value"), Stop("cleared"), Refused("NotFound", "no such thing"))
    message = GetVariable("t", "key")
    assert ends.client.ask(message) == Text("value")
    with pytest.raises(StaleAttempt, match="cleared"):
        ends.client.ask(message)
    with pytest.raises(NotFound, match="no such thing"):
        ends.client.ask(message)
    thread.join()
    with pytest.raises(ValueError, match="another token"):
        ends.client.ask(GetVariable("other", "key"))
    ends.agent.close()
    with pytest.raises(Unavailable):
        ends.client.ask(message)


def test_without_an_answer_patience_ends() -> None:
    ours, agent = socket.socketpair()
    client = AgentClient(Channel(ours), "t", ValueStore("memory://x"), Masker(5), SystemClock(), patience_seconds=0.01)
    with pytest.raises(Unavailable, match=r"GetVariable was not answered within 0\.01 s"):
        client.ask(GetVariable("t", "key"))
    agent.close()


def test_a_signal_in_the_middle_of_a_frame_does_not_tear_the_stream() -> None:
    """The handler sends and raises while a large frame is half sent."""
    ends = Ends()

    class Terminated(BaseException):
        pass

    def handler(*_: object) -> None:
        ends.channel.send(FromChild.LOG, b"from the handler")
        ends.channel.raise_soon(Terminated())

    before = signal.signal(signal.SIGUSR1, handler)
    main = threading.main_thread().ident
    assert main
    got: list[tuple[int, bytes] | None] = []

    def agent() -> None:
        # The other side blocks in the middle by now: the buffer is smaller than the frame.
        ends.agent.recv(1, socket.MSG_PEEK)
        signal.pthread_kill(main, signal.SIGUSR1)
        got.extend([read_frame(ends.agent), read_frame(ends.agent)])

    thread = threading.Thread(target=agent)
    thread.start()
    big = os.urandom(8 << 20)
    with pytest.raises(Terminated):
        ends.channel.send(FromChild.TELL, big)
    signal.signal(signal.SIGUSR1, before)
    thread.join(LONG)
    assert got == [(FromChild.TELL, big), (FromChild.LOG, b"from the handler")]


def test_a_forked_process_has_no_channel() -> None:
    ends = Ends()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            ends.channel.send(FromChild.LOG, b"x")
        except ChannelClosed:
            os.write(writer, b"closed")
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 99) == b"closed"
    ends.channel.send(FromChild.LOG, b"still whole")
    assert read_frame(ends.agent) == (FromChild.LOG, b"still whole")
    os.close(reader)
    os.close(writer)
