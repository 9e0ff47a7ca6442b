"""The exam's part on processes of ours. `clock` is the judge the store was made with."""

from __future__ import annotations

from msgspec.structs import replace

from tradewind.kernel.clock import VirtualClock
from tradewind.ports.store import Store

from .seeds import component_row, new_id


class ComponentExam:
    """What a store promises of components and their heartbeats."""

    def test_a_component_comes_back_as_it_was(self, store: Store, clock: VirtualClock) -> None:
        agent = component_row("agent", "host/1", clock.now(), slots=8, executor="local", queues=("default", "gpu"))
        scheduler = component_row("scheduler", "host", clock.now())
        with store.begin() as tx:
            assert tx.component_start(scheduler) == []
            assert tx.component_start(agent) == []
        with store.read() as tx:
            assert tx.component_list("agent") == [agent]
            assert tx.component_list("scheduler") == [scheduler]
            assert tx.component_list("triggerer") == []
            assert sorted(row.id for row in tx.component_list()) == sorted([agent.id, scheduler.id])

    def test_the_judge_says_when_it_began_to_beat(self, store: Store, clock: VirtualClock) -> None:
        row = component_row("agent", "host/1", clock.now())
        clock.advance(3600)
        with store.begin() as tx:
            tx.component_start(row)
        with store.begin() as tx:
            (found,) = tx.component_list("agent")
            assert found.heartbeat_at == clock.now()
            assert found.started_at == row.started_at
            assert tx.component_remove_lost("agent", 10.0) == []

    def test_a_new_incarnation_ends_the_one_before(self, store: Store, clock: VirtualClock) -> None:
        old = component_row("agent", "host/1", clock.now())
        neighbour = component_row("agent", "host/2", clock.now())
        namesake = component_row("triggerer", "host/1", clock.now())
        new = component_row("agent", "host/1", clock.now())
        with store.begin() as tx:
            for row in (old, neighbour, namesake):
                assert tx.component_start(row) == []
        with store.begin() as tx:
            assert tx.component_start(new) == [old]
        with store.begin() as tx:
            assert not tx.component_beat("agent", old.id)
            assert tx.component_beat("agent", new.id)
            assert {row.id for row in tx.component_list()} == {neighbour.id, namesake.id, new.id}

    def test_starting_twice_is_starting_once(self, store: Store, clock: VirtualClock) -> None:
        row = component_row("agent", "host/1", clock.now(), slots=1)
        with store.begin() as tx:
            tx.component_start(row)
        clock.advance(1)
        with store.begin() as tx:
            assert tx.component_start(replace(row, slots=2)) == []
            (found,) = tx.component_list("agent")
        assert (found.slots, found.heartbeat_at) == (2, clock.now())

    def test_a_beat_is_the_judges_time(self, store: Store, clock: VirtualClock) -> None:
        row = component_row("agent", "host/1", clock.now())
        with store.begin() as tx:
            tx.component_start(row)
        clock.advance(5.25)
        with store.begin() as tx:
            assert tx.component_beat("agent", row.id)
            assert not tx.component_beat("scheduler", row.id)
            assert not tx.component_beat("agent", new_id())
        with store.read() as tx:
            (found,) = tx.component_list("agent")
        assert found.heartbeat_at == clock.now()

    def test_stop(self, store: Store, clock: VirtualClock) -> None:
        row = component_row("agent", "host/1", clock.now())
        with store.begin() as tx:
            tx.component_start(row)
        with store.begin() as tx:
            tx.component_stop("agent", row.id)
            tx.component_stop("agent", row.id)
            assert tx.component_list() == []
            assert not tx.component_beat("agent", row.id)

    def test_the_silent_are_lost(self, store: Store, clock: VirtualClock) -> None:
        silent = component_row("agent", "host/1", clock.now())
        beating = component_row("agent", "host/2", clock.now())
        scheduler = component_row("scheduler", "host", clock.now())
        with store.begin() as tx:
            for row in (silent, beating, scheduler):
                tx.component_start(row)
        clock.advance(6)
        with store.begin() as tx:
            tx.component_beat("agent", beating.id)
            assert tx.component_remove_lost("agent", 10.0) == []
        clock.advance(5)
        with store.begin() as tx:
            assert [row.id for row in tx.component_remove_lost("agent", 10.0)] == [silent.id]
            assert tx.component_remove_lost("agent", 10.0) == []
        with store.begin() as tx:
            assert {row.id for row in tx.component_list()} == {beating.id, scheduler.id}
            assert not tx.component_beat("agent", silent.id)

    def test_a_clock_that_jumps_back_loses_nobody(self, store: Store, clock: VirtualClock) -> None:
        row = component_row("agent", "host/1", clock.now())
        with store.begin() as tx:
            tx.component_start(row)
        clock.set_now(clock.now().replace(year=clock.now().year - 1))
        with store.begin() as tx:
            assert tx.component_remove_lost("agent", 10.0) == []
            assert tx.component_beat("agent", row.id)
