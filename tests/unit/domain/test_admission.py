"""Admission: a blocked demand never hides a free one, limits are never exceeded, order is weight with age."""

from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.admission import AGE_SECONDS_PER_POINT, LAST_CLASS_LAG_POINTS, AdmissionQueue, Demand


def demand(name, *draws, weight=1, ready_at=0.0, ordinal=0.0, last_class=False):
    return Demand(name, tuple(draws), weight, ready_at, ordinal, last_class)


def granted(queue, room, at_most=100):
    return [d.ti_id for d in queue.grant(room, at_most)]


def test_order_is_weight_then_age_then_ordinal_then_entry():
    queue = AdmissionQueue()
    queue.add(demand("light", ("p", 1), weight=1))
    queue.add(demand("heavy", ("p", 1), weight=5))
    queue.add(demand("later run", ("p", 1), weight=1, ordinal=2))
    queue.add(demand("backfill", ("p", 1), weight=100, last_class=True))
    assert granted(queue, {"p": 10}) == ["heavy", "light", "later run", "backfill"]


def test_age_breaks_starvation():
    queue = AdmissionQueue()
    queue.add(demand("old", ("p", 1), weight=1, ready_at=0.0))
    queue.add(demand("new", ("p", 1), weight=5, ready_at=AGE_SECONDS_PER_POINT * 5))
    assert granted(queue, {"p": 1}) == ["old"]


def test_the_last_class_is_not_starved_by_what_keeps_coming():
    queue = AdmissionQueue()
    queue.add(demand("backfill", ("p", 1), weight=9, ready_at=0.0, last_class=True))
    for minute in range(1, 30):
        queue.add(demand(f"daily{minute}", ("p", 1), weight=1, ready_at=60.0 * minute))
    order = granted(queue, {"p": 100})
    assert order.index("backfill") in (LAST_CLASS_LAG_POINTS, LAST_CLASS_LAG_POINTS + 1)


def test_a_full_pool_does_not_hide_a_free_one():
    queue = AdmissionQueue()
    for n in range(100):
        queue.add(demand(f"blocked{n}", ("pool:full", 1), weight=1000))
    queue.add(demand("free", ("pool:free", 1)))
    assert granted(queue, {"pool:full": 0, "pool:free": 1}) == ["free"]
    assert queue.blocked_by("blocked0") == "pool:full"
    assert granted(queue, {"pool:full": 1}) == []  # parked until told
    queue.freed(["pool:full"])
    assert granted(queue, {"pool:full": 2}) == ["blocked0", "blocked1"]


def test_a_demand_that_needs_many_slots_is_parked_apart_from_small_ones():
    queue = AdmissionQueue()
    queue.add(demand("big", ("p", 3), weight=10))
    queue.add(demand("small", ("p", 1)))
    assert granted(queue, {"p": 2}) == ["small"]
    queue.freed(["p"])
    assert granted(queue, {"p": 3}) == ["big"]


def test_discarded_demands_are_not_granted_and_may_come_again():
    queue = AdmissionQueue()
    queue.add(demand("a", ("p", 1), weight=3))
    queue.add(demand("b", ("p", 1), weight=2))
    queue.discard("a")
    queue.add(demand("a", ("p", 1), weight=1))
    assert granted(queue, {"p": 5}) == ["b", "a"]
    assert len(queue) == 0


LIMITS = ["x", "y", "z"]


@st.composite
def scripts(draw):
    demands = draw(
        st.lists(
            st.tuples(
                st.lists(st.sampled_from(LIMITS), unique=True, min_size=1),
                st.integers(1, 3),
                st.integers(-3, 9),
            ),
            max_size=25,
        )
    )
    capacity = {key: draw(st.integers(0, 6)) for key in LIMITS}
    return demands, capacity, draw(st.integers(1, 5)), draw(st.randoms(use_true_random=False))


@given(scripts())
def test_limits_hold_and_nothing_free_is_left_waiting(script):
    demands, capacity, batch, random = script
    queue = AdmissionQueue()
    alive: dict[str, Demand] = {}
    used = dict.fromkeys(LIMITS, 0)
    running: list[Demand] = []
    for number, (keys, cost, weight) in enumerate(demands):
        d = Demand(f"t{number}", tuple((k, cost) for k in sorted(keys)), weight, float(number))
        queue.add(d)
        alive[d.ti_id] = d
        if random.random() < 0.2:
            queue.discard(d.ti_id)
            del alive[d.ti_id]
    while True:
        room = {k: capacity[k] - used[k] for k in LIMITS}
        taken = queue.grant(room, batch)
        for d in taken:
            assert alive.pop(d.ti_id) is d
            running.append(d)
            for key, cost in d.draws:
                used[key] += cost
        assert all(used[k] <= capacity[k] for k in LIMITS)
        if len(taken) < batch:  # the queue says nothing else fits: check by brute force
            for d in alive.values():
                assert any(capacity[k] - used[k] < c for k, c in d.draws), f"{d.ti_id} is free but waits"
        if not running and not taken:
            break
        if running:
            done = running.pop(random.randrange(len(running)))
            for key, cost in done.draws:
                used[key] -= cost
            queue.freed(key for key, _ in done.draws)
    for d in alive.values():
        assert any(capacity[k] < c for k, c in d.draws)
