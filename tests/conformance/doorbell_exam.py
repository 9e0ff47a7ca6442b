"""The exam every doorbell passes. A plug's test module subclasses it:

    class TestMyDoorbell(DoorbellExam):
        @pytest.fixture
        def doorbells(self) -> tuple[Doorbell, Doorbell]:
            return MyDoorbell(...), MyDoorbell(...)   # two objects on one medium, as two processes would have

Waits that must succeed have a long timeout, which costs nothing when they do. That something is *not* heard is never
shown by waiting for nothing, but by what a later ring brings.
"""

from __future__ import annotations

import select
import threading

import pytest

from tradewind.kernel.doorbell import Doorbell, Listener

LONG = 20.0


def heard(listener: Listener, *wanted: str) -> frozenset[str]:
    """All topics heard until `wanted` are among them; plugs may deliver two rings in two waits."""
    rung: set[str] = set()
    while not rung >= set(wanted):
        got = listener.wait(LONG)
        assert got, f"only {sorted(rung)} of {wanted} rang"
        rung |= got
    return frozenset(rung)


class DoorbellExam:
    """What a doorbell promises (tradewind.kernel.doorbell)."""

    @pytest.fixture
    def doorbells(self) -> tuple[Doorbell, Doorbell]:
        raise NotImplementedError("a plug's test gives two doorbells on one medium")

    @pytest.fixture
    def near(self, doorbells: tuple[Doorbell, Doorbell]) -> Doorbell:
        return doorbells[0]

    @pytest.fixture
    def far(self, doorbells: tuple[Doorbell, Doorbell]) -> Doorbell:
        return doorbells[1]

    def test_a_ring_wakes_a_listener(self, near: Doorbell, far: Doorbell) -> None:
        with near.listen(["inbox"]) as listener:
            far.ring(["inbox"])
            assert listener.wait(LONG) == {"inbox"}

    def test_a_ring_wakes_a_thread_that_waits_already(self, near: Doorbell, far: Doorbell) -> None:
        with near.listen(["inbox", "begin"]) as listener:
            got: list[frozenset[str]] = []
            began = threading.Event()

            def wait() -> None:
                began.set()
                got.append(listener.wait(LONG))

            thread = threading.Thread(target=wait)
            thread.start()
            began.wait(LONG)
            far.ring(["inbox"])
            thread.join(LONG)
            assert got == [frozenset({"inbox"})]

    def test_the_one_who_rings_hears_it_too(self, near: Doorbell) -> None:
        with near.listen(["inbox"]) as listener:
            near.ring(["inbox"])
            assert listener.wait(LONG) == {"inbox"}

    def test_a_ring_before_the_wait_is_kept(self, near: Doorbell, far: Doorbell) -> None:
        with near.listen(["first", "second"]) as listener:
            far.ring(["first"])
            far.ring(["second"])
            assert heard(listener, "first", "second") == {"first", "second"}

    def test_a_wait_uses_the_rings_up(self, near: Doorbell, far: Doorbell) -> None:
        with near.listen(["inbox", "end"]) as listener:
            far.ring(["inbox"])
            assert heard(listener, "inbox") == {"inbox"}
            far.ring(["end"])
            assert heard(listener, "end") == {"end"}

    def test_a_ring_before_listening_is_not_heard(self, near: Doorbell, far: Doorbell) -> None:
        with far.listen(["early"]) as witness:
            far.ring(["early"])
            heard(witness, "early")  # it has gone through the medium
        with near.listen(["early", "late"]) as listener:
            far.ring(["late"])
            assert heard(listener, "late") == {"late"}

    def test_topics_of_others_do_not_end_the_wait(self, near: Doorbell, far: Doorbell) -> None:
        with near.listen(["mine"]) as listener:
            far.ring(["foreign"])
            far.ring(["foreign", "mine"])
            assert listener.wait(LONG) == {"mine"}

    def test_every_listener_hears(self, near: Doorbell, far: Doorbell) -> None:
        with near.listen(["a", "b"]) as one, near.listen(["a"]) as two, far.listen(["b"]) as three:
            far.ring(["a", "b"])
            assert heard(one, "a", "b") == {"a", "b"}
            assert two.wait(LONG) == {"a"}
            assert three.wait(LONG) == {"b"}

    def test_ringing_nobody_is_fine(self, near: Doorbell) -> None:
        near.ring(["inbox"])
        near.ring([])

    def test_nothing_rung_is_empty_after_the_timeout(self, near: Doorbell) -> None:
        with near.listen(["inbox"]) as listener:
            assert listener.wait(0) == frozenset()
            assert listener.wait(0.01) == frozenset()

    def test_no_topic_is_lost_when_nobody_reads(self, near: Doorbell, far: Doorbell) -> None:
        """However many rings of one topic are unread: a topic rung once after them is heard."""
        with near.listen(["noise", "rare"]) as listener:
            for _ in range(2_000):
                far.ring(["noise"])
            far.ring(["rare"])
            assert heard(listener, "noise", "rare") == {"noise", "rare"}

    def test_a_listener_that_does_not_read_takes_nothing_from_the_others(self, near: Doorbell, far: Doorbell) -> None:
        with near.listen(["inbox"]), near.listen(["inbox"]) as reader:
            for _ in range(500):
                far.ring(["inbox"])
                assert reader.wait(LONG) == {"inbox"}

    def test_many_topics_in_one_ring(self, near: Doorbell, far: Doorbell) -> None:
        topics = [f"run:{number:06}" for number in range(3_000)]
        with near.listen(["run:000042", "run:002999"]) as listener:
            far.ring(topics)
            assert heard(listener, "run:000042", "run:002999") == {"run:000042", "run:002999"}

    def test_topics_of_any_script(self, near: Doorbell, far: Doorbell) -> None:
        topic = "dag:größe-日本 'quoted' \"x\""
        with near.listen([topic]) as listener:
            far.ring([topic])
            assert listener.wait(LONG) == {topic}

    def test_threads_ring_at_once(self, near: Doorbell, far: Doorbell) -> None:
        topics = [f"t{number}" for number in range(8)]
        with near.listen(topics) as listener:
            threads = [threading.Thread(target=far.ring, args=([topic],)) for topic in topics]
            for thread in threads:
                thread.start()
            assert heard(listener, *topics) == set(topics)
            for thread in threads:
                thread.join(LONG)

    def test_interrupt_ends_the_wait(self, near: Doorbell) -> None:
        with near.listen(["inbox"]) as listener:
            thread = threading.Thread(target=listener.interrupt)
            thread.start()
            assert listener.wait(LONG) == frozenset()
            thread.join(LONG)

    def test_an_interrupt_before_the_wait_is_kept_once(self, near: Doorbell, far: Doorbell) -> None:
        with near.listen(["inbox"]) as listener:
            listener.interrupt()
            listener.interrupt()
            assert listener.wait(LONG) == frozenset()
            far.ring(["inbox"])
            assert listener.wait(LONG) == {"inbox"}

    def test_the_descriptor_tells_when_something_rang(self, near: Doorbell, far: Doorbell) -> None:
        with near.listen(["inbox"]) as listener:
            assert select.select([listener], [], [], 0)[0] == []
            far.ring(["inbox"])
            assert select.select([listener], [], [], LONG)[0] == [listener]
            assert heard(listener, "inbox") == {"inbox"}
            assert listener.wait(0) == frozenset()
            assert select.select([listener], [], [], 0)[0] == []
            listener.interrupt()
            assert select.select([listener], [], [], LONG)[0] == [listener]

    def test_closing(self, near: Doorbell, far: Doorbell) -> None:
        listener = near.listen(["inbox"])
        listener.close()
        listener.close()
        listener.interrupt()
        far.ring(["inbox"])
        with pytest.raises(ValueError, match="closed"):
            listener.wait(0)
        with pytest.raises(ValueError, match="closed"):
            listener.fileno()

    def test_wrong_arguments(self, near: Doorbell) -> None:
        with pytest.raises(ValueError, match="at least one topic"):
            near.listen([])
        for wrong in ("", "two\nlines"):
            with pytest.raises(ValueError, match="on one line"):
                near.listen([wrong])
            with pytest.raises(ValueError, match="on one line"):
                near.ring([wrong])
        with near.listen(["inbox"]) as listener, pytest.raises(ValueError, match="-1"):
            listener.wait(-1)
