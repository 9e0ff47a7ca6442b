"""The oracle: what must follow in a run, recomputed from scratch from the document and the rows, by definition and
without any thought of cost.

Shares nothing with the planner but the wire. One pass over tasks and groups in topological order; each is judged when
everything above it has settled.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tradewind.wire.document import Concatenated, DagDocument, FromTask, LengthSource, Literal, Mapping, TaskDocument
from tradewind.wire.states import TERMINAL_STATES, DagRunState, TriggerRule
from tradewind.wire.states import TaskInstanceState as S

Path = tuple[int, ...]
Key = tuple[str, Path]

LIVE = {S.QUEUED, S.RUNNING, S.RESTARTING, S.DEFERRED, S.AWAITING_INPUT}
BAD = {S.FAILED, S.UPSTREAM_FAILED}
WAIT, READY, SKIP, FAIL, GONE = "wait", "ready", "skip", "fail", "gone"
_ORDER = [READY, WAIT, SKIP, FAIL]


@dataclass(frozen=True)
class Row:
    state: S | None = None
    length: int | None = None
    skips: tuple[str, ...] = ()
    due: bool = False
    """The state is up_for_retry or up_for_reschedule, and its time has come."""


@dataclass
class World:
    rows: dict[Key, Row] = field(default_factory=dict)
    gates: dict[Key, bool] = field(default_factory=dict)
    finished: DagRunState | None = None
    asked: DagRunState | None = None
    """How the run is to end when its teardowns are done."""

    def copy(self) -> World:
        return World(dict(self.rows), dict(self.gates), self.finished, self.asked)


class NoLength(Exception):
    pass


class Oracle:
    def __init__(self, document: DagDocument) -> None:
        self.document = document
        self.tasks = {task.task_id: task for task in document.tasks}
        self.groups = {group.group_id: group for group in document.groups}
        self.chain = {task.task_id: self.mapped_groups(task.group_id) for task in document.tasks}
        self.upstream = {task.task_id: {*task.upstream, *task.setups} for task in document.tasks}
        self.downstream = {t: {d for d in self.tasks if t in self.upstream[d]} for t in self.tasks}
        self.guards = {t: self.guarding_setups(t) for t in self.tasks}
        self.order = self.topological()

    # --- structure

    def mapped_groups(self, group_id: str | None) -> tuple[str, ...]:
        chain: list[str] = []
        while group_id is not None:
            group = self.groups[group_id]
            if group.mapping is not None:
                chain.insert(0, group_id)
            group_id = group.parent_id
        return tuple(chain)

    def outer_chain(self, group_id: str) -> tuple[str, ...]:
        return self.mapped_groups(self.groups[group_id].parent_id)

    def below(self, task_id: str, edges: dict[str, set[str]]) -> set[str]:
        found: set[str] = set()
        todo = [task_id]
        while todo:
            for other in edges[todo.pop()]:
                if other not in found:
                    found.add(other)
                    todo.append(other)
        return found

    def guarding_setups(self, task_id: str) -> set[str]:
        task = self.tasks[task_id]
        if task.is_teardown or task.trigger_rule is TriggerRule.ALWAYS:
            return set()
        above, under = self.below(task_id, self.upstream), self.below(task_id, self.downstream)
        guards = set()
        for setup in above - self.upstream[task_id]:
            if self.tasks[setup].is_setup:
                teardowns = {t for t in self.downstream[setup] if self.tasks[t].is_teardown}
                if not teardowns or teardowns & under:
                    guards.add(setup)
        return guards

    def sources(self, mapping: Mapping) -> set[str]:
        def walk(source: LengthSource) -> set[str]:
            if isinstance(source, FromTask):
                return {source.task_id}
            if isinstance(source, Literal):
                return set()
            return set().union(*(walk(part) for part in source.sources))

        return set().union(*(walk(source) for _, source in mapping.arguments))

    def topological(self) -> list[str]:
        """Tasks and mapped groups, so that everything comes after what it depends on; a group ("*" before its name)
        before its members."""
        needs: dict[str, set[str]] = {}
        for task_id in self.tasks:
            needs[task_id] = self.upstream[task_id] | {f"*{g}" for g in self.chain[task_id]}
        for group in self.groups.values():
            if group.mapping is not None:
                needs[f"*{group.group_id}"] = self.sources(group.mapping) | {
                    f"*{g}" for g in self.outer_chain(group.group_id)
                }
        order: list[str] = []
        while needs:
            free = sorted(item for item, wanted in needs.items() if not wanted & needs.keys())
            assert free, "cycle"
            for item in free:
                del needs[item]
            order += free
        return order

    def common(self, one: tuple[str, ...], other: tuple[str, ...]) -> int:
        n = 0
        while n < min(len(one), len(other)) and one[n] == other[n]:
            n += 1
        return n

    def seen(self, world: World, upstream: str, chain: tuple[str, ...], path: Path) -> dict[Key, Row]:
        """Instances of `upstream` that share the reader's scopes."""
        scope = path[: self.common(self.chain[upstream], chain)]
        return {
            key: row
            for key, row in world.rows.items()
            if key[0] == upstream and key[1][: len(scope)] == scope and row.state != S.REMOVED
        }

    # --- expansion

    def expansion(self, world: World, mapping: Mapping, chain: tuple[str, ...], scope: Path) -> tuple[str, int]:
        """(verdict of the inputs, width when ready)."""
        states: list[S | None] = []
        for upstream in self.sources(mapping):
            deep = self.is_deep(upstream, chain)
            for (task_id, path), row in self.seen(world, upstream, chain, scope).items():
                real = len(path) == len(self.chain[task_id]) + (self.tasks[task_id].mapping is not None)
                done = row.state in TERMINAL_STATES
                states.append(S.SUCCESS if deep and real and done else row.state)
        if any(state in BAD for state in states):
            return FAIL, 0
        if S.SKIPPED in states:
            return SKIP, 0
        if any(state != S.SUCCESS for state in states):
            return WAIT, 0
        try:
            width = 1
            for _, source in mapping.arguments:
                width *= self.length(world, source, chain, scope)
        except NoLength:
            return FAIL, 0
        return READY, width

    def is_deep(self, upstream: str, chain: tuple[str, ...]) -> bool:
        return self.tasks[upstream].mapping is not None or len(self.chain[upstream]) > self.common(
            self.chain[upstream], chain
        )

    def length(self, world: World, source: LengthSource, chain: tuple[str, ...], scope: Path) -> int:
        if isinstance(source, Literal):
            return source.length
        if isinstance(source, Concatenated):
            return sum(self.length(world, part, chain, scope) for part in source.sources)
        if not isinstance(source, FromTask):
            parts = [self.length(world, part, chain, scope) for part in source.sources]
            return max(parts) if source.fill else min(parts)
        shared = self.common(self.chain[source.task_id], chain)
        keys = [k for k in world.rows if k[0] == source.task_id and k[1][:shared] == scope[:shared]]
        if self.is_deep(source.task_id, chain) and keys != [(source.task_id, scope[:shared])]:
            return sum(world.rows[k].state == S.SUCCESS for k in keys)
        length = world.rows[keys[0]].length
        if length is None or source.key != "return_value":
            raise NoLength
        return length

    def gone(self, world: World, chain: tuple[str, ...], path: Path) -> bool:
        """Whether a scope around does not exist any more."""
        for depth, group_id in enumerate(chain[: len(path)]):
            mapping = self.groups[group_id].mapping
            assert mapping is not None
            verdict, width = self.expansion(world, mapping, chain[:depth], path[:depth])
            if verdict == READY and path[depth] >= max(width, 1):
                return True
        return False

    def expand_group(self, world: World, group_id: str) -> None:
        mapping, outer = self.groups[group_id].mapping, self.outer_chain(group_id)
        assert mapping is not None
        level = len(outer)
        members = {t for t in self.tasks if group_id in self.chain[t]}
        for scope in sorted(
            {path[:level] for task_id, path in world.rows if task_id in members and len(path) >= level}
        ):
            if self.gone(world, outer, scope):
                continue
            verdict, width = self.expansion(world, mapping, outer, scope)
            if verdict != READY:
                continue
            inside = [key for key in world.rows if key[0] in members and key[1][:level] == scope]
            have = max((path[level] + 1 for _, path in inside if len(path) > level), default=0)
            if not have:
                for task_id, path in inside * bool(width):
                    world.rows[task_id, (*path, 0)] = world.rows.pop((task_id, path))
                have = bool(width)
            else:
                self.fit(world, inside, level, width)
            for index in range(have, width):
                for task_id in members:
                    world.rows[task_id, (*scope, index)] = Row()

    def expand_task(self, world: World, task: TaskDocument, scope: Path, width: int) -> None:
        """More or fewer indexes for a task that has expanded already."""
        level = len(scope)
        indexes = [k for k in world.rows if k[0] == task.task_id and k[1][:level] == scope and len(k[1]) > level]
        if indexes:
            self.fit(world, indexes, level, width)
            for index in range(max(path[level] for _, path in indexes) + 1, width):
                world.rows[task.task_id, (*scope, index)] = Row()

    def fit(self, world: World, keys: list[Key], level: int, width: int) -> None:
        for key in keys:
            row, index = world.rows[key], key[1][level]
            if row.state == S.REMOVED and self.exists(world, key):
                world.rows[key] = replace(row, state=None, due=False)
            elif index >= max(width, 1) and row.state not in LIVE:
                world.rows[key] = replace(row, state=S.REMOVED, due=False)

    def exists(self, world: World, key: Key) -> bool:
        """Whether every expansion around is settled and has the index."""
        (task_id, path), chain = key, self.chain[key[0]]
        mappings = [self.groups[group_id].mapping for group_id in chain] + [self.tasks[task_id].mapping]
        for depth, index in enumerate(path):
            mapping = mappings[depth]
            assert mapping is not None
            verdict, width = self.expansion(world, mapping, chain[:depth], path[:depth])
            if verdict != READY or index >= max(width, 1):
                return False
        return True

    # --- verdicts

    def rule(self, world: World, task: TaskDocument, path: Path) -> str:
        states: list[S | None] = []
        setups: list[S | None] = []
        for upstream in self.upstream[task.task_id]:
            found = [row.state for row in self.seen(world, upstream, self.chain[task.task_id], path).values()]
            states += found
            setups += found if self.tasks[upstream].is_setup else []
        if not states:
            return READY
        some = set(states)
        done = some <= TERMINAL_STATES
        failed = bool(some & BAD)
        match task.trigger_rule:
            case TriggerRule.ALWAYS:
                return READY
            case TriggerRule.ALL_SUCCESS:
                return FAIL if failed else SKIP if S.SKIPPED in some else READY if done else WAIT
            case TriggerRule.ALL_FAILED:
                return SKIP if some & {S.SUCCESS, S.SKIPPED} else READY if done else WAIT
            case TriggerRule.ALL_DONE:
                return READY if done else WAIT
            case TriggerRule.ALL_DONE_MIN_ONE_SUCCESS:
                return SKIP if S.SKIPPED in some else WAIT if not done else READY if S.SUCCESS in some else FAIL
            case TriggerRule.ALL_DONE_SETUP_SUCCESS:
                if not done:
                    return WAIT
                return READY if not setups or S.SUCCESS in setups else SKIP if set(setups) == {S.SKIPPED} else FAIL
            case TriggerRule.ALL_SKIPPED:
                return SKIP if failed or S.SUCCESS in some else READY if done else WAIT
            case TriggerRule.ONE_SUCCESS:
                return READY if S.SUCCESS in some else WAIT if not done else SKIP if some == {S.SKIPPED} else FAIL
            case TriggerRule.ONE_FAILED:
                return READY if failed else SKIP if done else WAIT
            case TriggerRule.ONE_DONE:
                return READY if some & {S.SUCCESS, S.FAILED} else SKIP if done else WAIT
            case TriggerRule.NONE_FAILED:
                return FAIL if failed else READY if done else WAIT
            case TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS:
                return FAIL if failed else WAIT if not done else READY if S.SUCCESS in some else SKIP
            case TriggerRule.NONE_SKIPPED:
                return SKIP if S.SKIPPED in some else READY if done else WAIT
        raise AssertionError(task.trigger_rule)

    def guard(self, world: World, task: TaskDocument, path: Path) -> str:
        states = {
            row.state
            for setup in self.guards[task.task_id]
            for row in self.seen(world, setup, self.chain[task.task_id], path).values()
        }
        if states & BAD:
            return FAIL
        return SKIP if S.SKIPPED in states else READY if states <= {S.SUCCESS} else WAIT

    def branched(self, world: World, task_id: str, path: Path) -> bool:
        for (other, at), row in world.rows.items():
            if row.state == S.SUCCESS and task_id in row.skips:
                shared = self.common(self.chain[other], self.chain[task_id])
                if at[:shared] == path[:shared]:
                    return True
        return False

    def verdict(self, world: World, key: Key) -> str:
        """What becomes of an undecided instance: wait, ready, expand (as "ready" of a placeholder), skip, fail,
        gone."""
        task, path = self.tasks[key[0]], key[1]
        chain = self.chain[task.task_id]
        level = len(chain)
        if self.gone(world, chain, path):
            return GONE
        verdicts: list[str] = []
        for depth in range(min(len(path), level - 1) + 1 if level else 0):
            mapping = self.groups[chain[depth]].mapping
            assert mapping is not None
            found, width = self.expansion(world, mapping, chain[:depth], path[:depth])
            verdicts.append(SKIP if found == READY and not width else found)
        empty = False
        if len(path) < level:
            verdicts.append(WAIT)
        else:
            if task.mapping is not None:
                found, width = self.expansion(world, task.mapping, chain, path[:level])
                if found == READY and len(path) > level and path[level] >= max(width, 1):
                    return GONE
                verdicts.append(found)
                empty = found == READY and not width
            verdicts.append(self.rule(world, task, path[:level]))
            verdicts.append(self.guard(world, task, path[:level]))
        if world.rows[key].state is None and self.branched(world, task.task_id, path):
            return SKIP
        worst = max(verdicts, key=_ORDER.index)
        return SKIP if worst == READY and empty else worst

    def held_by_past(self, world: World, key: Key, verdict: str) -> bool:
        task = self.tasks[key[0]]
        if not (task.depends_on_past or task.wait_for_downstream) or verdict not in (READY, SKIP):
            return False
        if verdict == SKIP and not task.wait_for_past_depends_before_skipping:
            return False
        return not self.gate(world, key)

    def gate(self, world: World, key: Key) -> bool:
        task_id, path = key
        for length in range(len(path), -1, -1):
            if (task_id, path[:length]) in world.gates:
                return world.gates[task_id, path[:length]]
        return False

    # --- everything that follows

    def settle(self, world: World) -> None:
        if world.finished is not None:
            return
        for item in self.order:
            if item.startswith("*"):
                self.expand_group(world, item[1:])
            else:
                self.settle_task(world, self.tasks[item])
        self.conclude(world)

    def settle_task(self, world: World, task: TaskDocument) -> None:
        level = len(self.chain[task.task_id])
        if task.mapping is not None:
            scopes = {k[1][:level] for k in world.rows if k[0] == task.task_id and len(k[1]) >= level}
            for scope in sorted(scopes):
                found, width = self.expansion(world, task.mapping, self.chain[task.task_id], scope)
                if self.gone(world, self.chain[task.task_id], scope) or found != READY:
                    continue
                self.expand_task(world, task, scope, width)
                key = (task.task_id, scope)
                if width and key in world.rows and world.rows[key].state is None and self.verdict(world, key) == READY:
                    world.rows[task.task_id, (*scope, 0)] = world.rows.pop(key)
                    for index in range(1, width):
                        world.rows[task.task_id, (*scope, index)] = Row()
        for key in sorted(k for k in world.rows if k[0] == task.task_id):
            row = world.rows[key]
            if row.state is not None and not row.due:
                continue
            verdict = self.verdict(world, key)
            if verdict == WAIT or self.held_by_past(world, key, verdict):
                continue
            target = {GONE: S.REMOVED, SKIP: S.SKIPPED, FAIL: S.UPSTREAM_FAILED}.get(verdict)
            world.rows[key] = replace(row, state=target or (S.SUCCESS if task.is_empty else S.SCHEDULED), due=False)

    def conclude(self, world: World) -> None:
        self.conclude_by_itself(world)
        if world.finished is not None and world.asked is not None:
            world.finished, world.asked = world.asked, None

    def conclude_by_itself(self, world: World) -> None:
        undecided = [k for k, row in world.rows.items() if row.state is None or row.due]
        if any(row.state not in TERMINAL_STATES and not (row.state is None or row.due) for row in world.rows.values()):
            return
        if undecided:
            if not any(self.held_by_past(world, key, self.verdict(world, key)) for key in undecided):
                world.finished = DagRunState.FAILED
            return
        leaves = self.leaves()
        failed = any(row.state in BAD for key, row in world.rows.items() if key[0] in leaves)
        if self.document.fail_fast:
            failed = failed or any(
                r.state == S.FAILED and not self.tasks[k[0]].is_teardown for k, r in world.rows.items()
            )
        world.finished = DagRunState.FAILED if failed else DagRunState.SUCCESS

    def leaves(self) -> set[str]:
        def counts(task_id: str) -> bool:
            return not self.tasks[task_id].is_teardown or self.tasks[task_id].on_failure_fail_dagrun

        found = {t for t in self.tasks if counts(t) and not any(counts(d) for d in self.downstream[t])}
        return found or {t for t in self.tasks if not self.downstream[t]}

    # --- events

    def start(self) -> World:
        world = World({(task_id, ()): Row() for task_id in self.tasks})
        self.settle(world)
        return world

    def ended(self, world: World, key: Key, state: S, length: int | None, skips: tuple[str, ...]) -> None:
        world.rows[key] = Row(state, length, skips)
        if world.finished is None:
            if state == S.SUCCESS:
                self.skip_ready(world, key)
            if state == S.FAILED and self.document.fail_fast and not self.tasks[key[0]].is_teardown:
                self.stop(world, S.FAILED, skip=True, spare_teardowns=True)
            self.remove_outgrown(world, key)
        self.settle(world)

    def skip_ready(self, world: World, key: Key) -> None:
        for other, row in list(world.rows.items()):
            if row.state == S.SCHEDULED and other[0] in world.rows[key].skips:
                shared = self.common(self.chain[key[0]], self.chain[other[0]])
                if other[1][:shared] == key[1][:shared]:
                    world.rows[other] = Row(S.SKIPPED)

    def remove_outgrown(self, world: World, key: Key) -> None:
        task = self.tasks[key[0]]
        chain, path = self.chain[task.task_id], key[1]
        gone = self.gone(world, chain, path)
        if task.mapping is not None and len(path) > len(chain):
            found, width = self.expansion(world, task.mapping, chain, path[: len(chain)])
            gone = gone or (found == READY and path[len(chain)] >= max(width, 1))
        if gone:
            world.rows[key] = replace(world.rows[key], state=S.REMOVED)

    def waiting(self, world: World, key: Key, state: S) -> None:
        world.rows[key] = replace(world.rows[key], state=state, due=False)
        if world.finished is None and state not in LIVE:
            self.remove_outgrown(world, key)
        self.settle(world)

    def due(self, world: World, key: Key) -> None:
        row = world.rows[key]
        if world.finished is None and row.state in (S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE):
            world.rows[key] = replace(row, due=True)
        elif world.finished is None and row.state in (S.DEFERRED, S.AWAITING_INPUT):
            world.rows[key] = replace(row, state=S.SCHEDULED)
            self.remove_outgrown(world, key)
        self.settle(world)

    def cleared(self, world: World, keys: tuple[Key, ...]) -> None:
        world.finished = world.asked = None
        for key in keys:
            world.rows[key] = Row()
        self.settle(world)

    def past_gate(self, world: World, key: Key, ok: bool) -> None:
        world.gates[key] = ok
        self.settle(world)

    def stop_run(self, world: World, state: DagRunState, stop_as: S, *, keep_teardowns: bool = False) -> None:
        if world.finished is not None:
            return
        if keep_teardowns and world.asked is None and state is DagRunState.FAILED:
            self.stop(world, stop_as, skip=True, spare_teardowns=True)
            if all(row.state in TERMINAL_STATES for row in world.rows.values()):
                world.finished = state  # no teardown is left to wait for
                return
            world.asked = state
            self.settle(world)
        else:
            world.asked = None
            self.stop(world, stop_as, skip=state is not DagRunState.SUCCESS, spare_teardowns=False)
            world.finished = state

    def stop(self, world: World, stop_as: S, *, skip: bool, spare_teardowns: bool) -> None:
        for key, row in world.rows.items():
            if row.state in TERMINAL_STATES or (spare_teardowns and self.tasks[key[0]].is_teardown):
                continue
            if row.state in LIVE:
                world.rows[key] = replace(row, state=stop_as, due=False)
            elif skip:
                world.rows[key] = replace(row, state=S.SKIPPED, due=False)
