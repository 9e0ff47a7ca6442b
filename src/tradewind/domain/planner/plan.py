"""The plan of one run: takes an event, returns every change that follows from it. See the package for how to use it.

The order is the promise: what an event wakes is judged in topological order, so a place is judged when everything
above it has come to rest, and simultaneous consequences never race (a failure that arrives with a skip outweighs it,
always).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from tradewind.domain.trigger_rules import Decision, UpstreamCounts, explain
from tradewind.wire.states import DagRunState, TaskInstanceState, TriggerRule

from . import counters as c
from . import events as ev
from . import status as st
from .board import Board, Handle
from .changes import Change, Create, FailUpstream, FinishRun, Ready, Remove, Skip, Stop, SucceedEmpty
from .ending import run_end
from .events import Event, Key
from .expansion import expand_task, settle
from .graph import EMPTY, EXPANDER, GATED, INVOLVED, PAST_BEFORE_SKIP, SOURCE, TEARDOWN, Graph
from .judgement import (
    Gone,
    Judgement,
    branch_skip,
    empty_sentence,
    gone,
    is_outgrown,
    judge,
    judge_rule,
    name,
    own_width,
    past_gate,
)
from .takeover import InstanceSnapshot, place_rows, undecided_places
from .why import Reason, explain_instance


class RunPlan:
    """One run in memory. Not thread-safe: its owner feeds it events one by one."""

    __slots__ = ("graph", "_asked", "_awaits_clear", "_board", "_finished")

    def __init__(self, graph: Graph) -> None:
        """Use `start` or `load`."""
        self.graph = graph
        self._board = Board(graph)
        self._finished = False
        self._asked: tuple[DagRunState, str] | None = None
        self._awaits_clear = False
        """Stopped, but a clear follows: what was woken is judged after it."""

    @classmethod
    def start(cls, graph: Graph) -> tuple[RunPlan, list[Change]]:
        """A new run: creates every instance, then says what is ready or decided at once."""
        plan = cls(graph)
        board = plan._board
        reason = "the run begins"
        out: list[Change] = [
            Create((task_id, ()), reason) for node, task_id in enumerate(graph.ids) if not graph.flags[node] & EXPANDER
        ]
        counts = board.counts
        board.wakes = [
            (node, node, -1, -1)
            for node in range(graph.size)
            if not counts[(node << c.SHIFT) + c.OPEN]
            or graph.flags[node] & (INVOLVED | EXPANDER)
            or graph.rule_names[node] is TriggerRule.ALWAYS
        ]
        plan._settle(out)
        return plan, out

    @classmethod
    def load(
        cls, graph: Graph, instances: Iterable[InstanceSnapshot], asked: tuple[DagRunState, str] | None = None
    ) -> tuple[RunPlan, list[Change]]:
        """Take over a run from its rows. Returns what follows from them and was not written yet; every instance that
        is ready and in nobody's hands (scheduled rows included) is said to be `Ready`, because the queue of its
        former owner is gone. Events not yet consumed may be applied afterwards.

        Parameters:
            asked: as the former owner's plan told it.
        """
        plan = cls(graph)
        plan._asked = asked
        out: list[Change] = []
        board = plan._board
        rows = place_rows(board, instances, out)
        for handle, skips in rows.skips:
            board.remember_skips(handle, skips)
        out.extend(Ready(board.key(*handle), "was ready when the run was taken over") for handle in rows.scheduled)
        board.wakes = [(board.node(place), place, -1, -1) for place in undecided_places(board)]
        heapify(board.wakes)
        plan._settle(out)
        return plan, out

    def apply(self, event: Event) -> list[Change]:
        """Take one event to its end. Raises `NotFound` for an instance that is not part of the run."""
        out: list[Change] = []
        match event:
            case ev.Ended():
                self._ended(event, out)
            case ev.Admitted(key):
                self._swap(key, (st.NONE, st.SCHEDULED, *_RESTING), st.QUEUED)
                return out
            case ev.Started(key):
                self._swap(key, (st.NONE, st.SCHEDULED, st.QUEUED, *_RESTING), st.RUNNING)
                return out
            case ev.Requeued(key):
                self._swap(key, (st.QUEUED,), st.SCHEDULED)
                return out
            case ev.Waiting():
                self._waiting(event, out)
            case ev.Due(key):
                self._due(key, out)
            case ev.Cleared(keys):
                self._cleared(keys)
            case ev.PastGate():
                self._past_gate(event)
            case ev.StopRun():
                self._stop_run(event, out)
                return out
        self._settle(out)
        return out

    def state(self, key: Key) -> TaskInstanceState | None:
        """State of an instance as the plan knows it; a ready one is scheduled until `Admitted`. Raises `NotFound`."""
        return st.STATE_OF[self._board.code(self._board.find(key))]

    def keys(self) -> Iterator[Key]:
        """Every instance of the run, in topological order."""
        board, graph = self._board, self.graph
        for node in range(graph.size):
            if not graph.flags[node] & EXPANDER:
                for handle in board.handles(node):
                    yield board.key(*handle)

    def counts(self) -> dict[TaskInstanceState | None, int]:
        """Number of instances by state; states without any are left out."""
        numbers: dict[TaskInstanceState | None, int] = {}
        for code, number in enumerate(self._board.tally):
            if number:
                state = st.STATE_OF[code]
                numbers[state] = numbers.get(state, 0) + number
        return numbers

    @property
    def finished(self) -> bool:
        """Whether `FinishRun` was said (and nothing was cleared since)."""
        return self._finished

    @property
    def asked(self) -> tuple[DagRunState, str] | None:
        """How the run is to end, and why, when its teardowns are done: somebody stopped it."""
        return self._asked

    def why(self, key: Key) -> Reason:
        """Why an instance is (not) running, as far as the run itself knows. Raises `NotFound`."""
        return explain_instance(self._board, self._board.find(key), finished=self._finished)

    # --- events

    def _ended(self, event: ev.Ended, out: list[Change]) -> None:
        board = self._board
        place, index = handle = board.find(event.key)
        code = st.CODE_OF[event.state]
        if code < st.FIRST_TERMINAL:
            raise ValueError(f"Ended takes a terminal state, not '{event.state}' (of {name(board, *handle)})")
        flags = self.graph.flags[board.node(place)]
        if board.gated:
            board.gated.pop(handle, None)
        if flags & SOURCE:
            self._note_length(handle, event.length)
        board.move(place, index, code)
        if handle in board.skipped_by:
            board.forget_skips(handle)
        if event.skips:
            board.remember_skips(handle, event.skips)
            if code == st.SUCCESS and not self._finished:
                self._skip_ready(handle, out)
        if code == st.FAILED and self.graph.fail_fast and not flags & TEARDOWN and not self._finished:
            self._fail_fast(handle, out)
        self._remove_outgrown(handle, out)

    def _note_length(self, handle: Handle, length: int | None) -> None:
        """A changed length matters even when the state stays: the expanders settle again."""
        board = self._board
        if board.lengths.get(handle) == length:
            return
        if length is None:
            del board.lengths[handle]
        else:
            board.lengths[handle] = length
        self._wake_expanders(handle[0])

    def _wake_expanders(self, place: int) -> None:
        board, graph = self._board, self.graph
        node, scope = board.node(place), board.scope(place)
        for edge in range(graph.out_start[node], graph.out_start[node + 1]):
            info = graph.out_info[edge]
            if info & c.KIND_MASK >= c.INPUT and info >> c.DEPTH_SHIFT <= len(board.scope_path[scope]):
                outer = board.outer(scope, info >> c.DEPTH_SHIFT)
                board.wake(board.scope_base[outer] + graph.out_offset[edge])

    def _skip_ready(self, handle: Handle, out: list[Change]) -> None:
        """A branch also takes back what was ready and has not started (rules that do not wait for the branch)."""
        board = self._board
        for place in board.skipped_by.get(handle, ()):
            for target in list(board.handles(place)):
                if board.code(target) == st.SCHEDULED:
                    board.move(*target, st.SKIPPED)
                    out.append(Skip(board.key(*target), f"skipped by the choice of {name(board, *handle)}"))

    def _fail_fast(self, failed: Handle, out: list[Change]) -> None:
        self._stop_everything(
            st.FAILED,
            f"{name(self._board, *failed)} failed and the DAG fails fast",
            out,
            skip=True,
            spare_teardowns=True,
        )

    def _remove_outgrown(self, handle: Handle, out: list[Change]) -> None:
        """An index that does not exist any more, but was live when it went, ended now."""
        board, (place, index) = self._board, handle
        node = board.node(place)
        if not board.widths or not self.graph.flags[node] & INVOLVED or self._finished:
            return
        sentence = gone(board, place, index)
        if sentence is not None and board.code(handle) != st.REMOVED:
            board.move(place, index, st.REMOVED)
            out.append(Remove(board.key(place, index), sentence))

    def _waiting(self, event: ev.Waiting, out: list[Change]) -> None:
        board = self._board
        handle = board.find(event.key)
        code = st.CODE_OF[event.state]
        if code not in _AT_REST:
            raise ValueError(f"Waiting takes a waiting state, not '{event.state}' (of {name(board, *handle)})")
        board.gated.pop(handle, None)
        board.move(*handle, code)
        board.due_at[handle] = event.due_at
        if code not in st.LIVE:
            self._remove_outgrown(handle, out)

    def _due(self, key: Key, out: list[Change]) -> None:
        board = self._board
        place, index = handle = board.find(key)
        code = board.code(handle)
        if code not in _AT_REST or self._finished:
            return
        board.due_at.pop(handle, None)
        if code in _RESTING:
            board.move(place, index, st.RETRY_DUE if code == st.UP_FOR_RETRY else st.RESCHEDULE_DUE)
            heappush(board.wakes, (board.node(place), place, index, -1))
        else:
            board.move(place, index, st.SCHEDULED)
            self._remove_outgrown(handle, out)
            if board.code(handle) == st.SCHEDULED:
                out.append(Ready(key, "what it waited for has come"))

    def _cleared(self, keys: tuple[Key, ...]) -> None:
        board = self._board
        self._asked = None
        self._awaits_clear = False
        if self._finished:
            # What changed in a finished run woke nobody: look at everything once, settled expansions too, as after a
            # take-over.
            self._finished = False
            for expander in board.widths:
                board.status[expander] = st.NONE
            board.widths.clear()
            board.wakes = [(board.node(place), place, -1, -1) for place in undecided_places(board)]
            heapify(board.wakes)
        handles = [board.find(key) for key in keys]
        for handle in handles:
            place, index = handle
            board.gated.pop(handle, None)
            board.due_at.pop(handle, None)
            if handle in board.skipped_by:
                board.forget_skips(handle)
            board.lengths.pop(handle, None)
            board.move(place, index, st.NONE)
            heappush(board.wakes, (board.node(place), place, index, -1))

    def _past_gate(self, event: ev.PastGate) -> None:
        board = self._board
        place, index = handle = board.find(event.key)
        board.gates[handle] = (event.ok, event.reason)
        heappush(board.wakes, (board.node(place), place, index, -1))

    def _stop_run(self, event: ev.StopRun, out: list[Change]) -> None:
        if self._finished:
            return
        self._board.wakes.clear()
        spare = event.keep_teardowns and self._asked is None and event.state is DagRunState.FAILED
        self._stop_everything(
            st.CODE_OF[event.stop_as],
            event.reason,
            out,
            skip=event.state is not DagRunState.SUCCESS,
            spare_teardowns=spare,
        )
        if spare and self._has_open_teardowns():
            self._asked = (event.state, event.reason)
            self._awaits_clear = event.reopened
            self._settle(out)
            return
        self._asked = None
        self._board.wakes.clear()
        self._finish(event.state, event.reason, out, asked=True)

    def _has_open_teardowns(self) -> bool:
        board, graph = self._board, self.graph
        return any(
            board.code(handle) < st.FIRST_TERMINAL
            for node in range(graph.size)
            if graph.flags[node] & TEARDOWN and not graph.flags[node] & EXPANDER
            for handle in board.handles(node)
        )

    def _stop_everything(
        self, stop_as: int, reason: str, out: list[Change], *, skip: bool, spare_teardowns: bool
    ) -> None:
        board, graph = self._board, self.graph
        as_state = st.STATE_OF[stop_as]
        assert as_state is not None
        for node in range(graph.size):
            flags = graph.flags[node]
            if flags & EXPANDER or (spare_teardowns and flags & TEARDOWN):
                continue
            for handle in list(board.handles(node)):
                code = board.code(handle)
                if code >= st.FIRST_TERMINAL:
                    continue
                if code in st.LIVE:
                    board.move(*handle, stop_as)
                    out.append(Stop(board.key(*handle), as_state, reason))
                elif skip:
                    board.move(*handle, st.SKIPPED)
                    out.append(Skip(board.key(*handle), reason))
                else:
                    continue  # left as it is: a clear of something else may open the run again
                board.gated.pop(handle, None)
                board.due_at.pop(handle, None)

    def _swap(self, key: Key, origins: tuple[int, ...], target: int) -> None:
        board = self._board
        handle = board.find(key)
        if board.code(handle) in origins:
            board.move(*handle, target)

    # --- consequences

    def _settle(self, out: list[Change]) -> None:
        """Judge what was woken until nothing is left, then see whether the run is over."""
        board, graph = self._board, self.graph
        wakes, flags_of = board.wakes, graph.flags
        if self._finished:
            wakes.clear()
            return
        if self._awaits_clear:
            return
        while wakes:
            node, place, index, cause = heappop(wakes)
            flags = flags_of[node]
            if flags & EXPANDER:
                settle(board, place, out)
            elif flags & INVOLVED or index >= 0 or board.skippers:
                self._judge_involved(node, place, index, cause, out)
            else:
                self._judge_plain(node, flags, cause, out)
        end = run_end(board)
        if end is not None and self._asked is not None:
            end, self._asked = self._asked, None
            self._finish(*end, out, asked=True)
        elif end is not None:
            self._finish(*end, out)

    def _judge_plain(self, node: int, flags: int, cause: int, out: list[Change]) -> None:
        """The common case, kept short: one instance, nothing but its trigger rule."""
        board, graph = self._board, self.graph
        if board.status[node] not in st.UNDECIDED:
            return
        block = node << c.SHIFT
        s, f, k, u, left, ss, sf, sk, su, s_left = board.counts[block : block + 10]
        total = s + f + k + u + left
        setups = ss + sf + sk + su + s_left
        decision = graph.rules[node](s, f, k, u, total, ss, sk, setups) if total else Decision.READY
        if decision is Decision.WAIT:
            return
        if decision is Decision.READY:
            counts = UpstreamCounts(s, f, k, u, total, ss, sk, setups)
            self._go(node, -1, flags, explain(graph.rule_names[node], decision, counts), out)
        else:
            self._end(node, -1, decision, judge_rule(board, node, node, cause).sentence, out)

    def _judge_involved(self, node: int, place: int, index: int, cause: int, out: list[Change]) -> None:
        """Everything else: mapped, inside mapped groups, gated, guarded, or under a branch's choice."""
        board = self._board
        fan = board.fans.get(place)
        if index < 0 and fan is not None:
            indexes = [i for i, code in enumerate(fan) if code in st.UNDECIDED]
        else:
            indexes = [index] if board.code((place, index)) in st.UNDECIDED else []
        if not indexes:
            return
        verdict = judge(board, place, cause)
        chosen = branch_skip(board, place)
        for i in indexes:
            self._decide(node, (place, i), verdict, chosen, out)

    def _decide(
        self, node: int, handle: Handle, verdict: Judgement | Gone, chosen: str | None, out: list[Change]
    ) -> None:
        """Carry out a judgement on one instance."""
        board, (place, index) = self._board, handle
        flags = self.graph.flags[node]
        board.gated.pop(handle, None)
        width = own_width(board, node, place)
        if isinstance(verdict, Gone) or is_outgrown(index, width):
            sentence = (
                verdict.sentence if isinstance(verdict, Gone) else f"'{self.graph.ids[node]}' expands to {width} now"
            )
            board.move(place, index, st.REMOVED)
            out.append(Remove(board.key(place, index), sentence))
            return
        decision, sentence = verdict.decision, verdict.sentence
        if chosen is not None and board.code(handle) == st.NONE:
            decision, sentence = Decision.SKIP, chosen
        elif decision is Decision.READY and width == 0:
            decision, sentence = Decision.SKIP, empty_sentence(board, self._own_expander(node, place))
        if decision is Decision.WAIT:
            return
        if decision is Decision.READY and width and index < 0:
            expand_task(board, place, width, out)
            board.wake(place)
        elif self._held_by_past(flags, handle, decision):
            board.gated[handle] = None
        elif decision is Decision.READY:
            self._go(place, index, flags, sentence, out)
        else:
            self._end(place, index, decision, sentence, out)

    def _held_by_past(self, flags: int, handle: Handle, decision: Decision) -> bool:
        """Only a start waits for the run before; a skip does when the task asks for it."""
        if not flags & GATED or decision is Decision.FAIL_UPSTREAM:
            return False
        if decision is Decision.SKIP and not flags & PAST_BEFORE_SKIP:
            return False
        gate = past_gate(self._board, *handle)
        return gate is None or not gate[0]

    def _own_expander(self, node: int, place: int) -> int:
        return self._board.place(self._board.scope(place), self.graph.own_expander[node])

    def _go(self, place: int, index: int, flags: int, reason: str, out: list[Change]) -> None:
        board = self._board
        if flags & EMPTY:
            board.move(place, index, st.SUCCESS)
            out.append(SucceedEmpty(board.key(place, index), reason))
        else:
            board.move(place, index, st.SCHEDULED)
            out.append(Ready(board.key(place, index), reason))

    def _end(self, place: int, index: int, decision: Decision, reason: str, out: list[Change]) -> None:
        board = self._board
        if decision is Decision.SKIP:
            board.move(place, index, st.SKIPPED)
            out.append(Skip(board.key(place, index), reason))
        else:
            board.move(place, index, st.UPSTREAM_FAILED)
            out.append(FailUpstream(board.key(place, index), reason))

    def _finish(self, state: DagRunState, reason: str, out: list[Change], *, asked: bool = False) -> None:
        self._finished = True
        out.append(FinishRun(state, reason, asked))


_AT_REST = frozenset({st.UP_FOR_RETRY, st.UP_FOR_RESCHEDULE, st.DEFERRED, st.AWAITING_INPUT})
_RESTING = (st.UP_FOR_RETRY, st.UP_FOR_RESCHEDULE, st.RETRY_DUE, st.RESCHEDULE_DUE)
