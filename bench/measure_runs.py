"""What runs feel like: hops in a chain, many tasks at once, a backlog, from a person's wish to user code."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import NamedTuple

from bench import dag_files, floors, machine
from bench.installation import Installation, started
from bench.results import Figure, Floor, figure
from bench.stats import percentile, summary
from bench.times import SideFile, hops_ms

ISOLATIONS = ("fork", "reuse")
CHAIN, WIDE = 30, 500
BACKLOG_DAGS, BACKLOG_RUNS, BACKLOG_TASKS = 20, 10, 10
COMMITS_PER_HOP = 2
"""The report and the step of the scheduler: two transactions, because somebody else decides in between. From a wish to
user code likewise: the run, and the step."""
FORKS_AT_A_TIME = 16
"""core.max_active_tasks_per_dag: as many attempts of one DAG run at once."""
FORK_FLOOR_SHARE = 0.6
_SHARE_SHOWN = 0.05


class Effort(NamedTuple):
    """How often everything is measured."""

    chains: int
    wides: int
    mapped: int
    backlogs: int
    triggers: int


FULL = Effort(chains=10, wides=5, mapped=5, backlogs=3, triggers=30)
QUICK = Effort(chains=2, wides=2, mapped=1, backlogs=1, triggers=10)


class RunBenches:
    """One installation with all the DAGs, warm."""

    def __init__(self, kind: str, place: Installation, effort: Effort) -> None:
        self._kind = kind
        self._place = place
        self._effort = effort
        self._sides: dict[str, SideFile] = {}
        self._commits = floors.commits(kind, place.url, place.home)
        self._bell = floors.bell(place.url) if kind == "postgres" else None
        self._publish()

    def _publish(self) -> None:
        files: dict[str, str] = {}
        for isolation in ISOLATIONS:
            for shape, make, count in (("chain", dag_files.chain, CHAIN), ("wide", dag_files.wide, WIDE)):
                dag_id = f"{shape}_{isolation}"
                files[dag_id] = make(dag_id, count, isolation, self._side(dag_id))
            dag_id = f"single_{isolation}"
            files[dag_id] = dag_files.chain(dag_id, 1, isolation, self._side(dag_id))
        files["mapped"] = dag_files.mapped("mapped", WIDE, self._side("mapped"))
        for number in range(BACKLOG_DAGS):
            dag_id = f"backlog_{number:02}"
            files[dag_id] = dag_files.chain(dag_id, BACKLOG_TASKS, "fork", self._side(dag_id))
        self._place.publish({f"{dag_id}.py": text for dag_id, text in files.items()}, list(files))

    def _side(self, dag_id: str) -> SideFile:
        return self._sides.setdefault(dag_id, SideFile(self._place.home / f"{dag_id}.times"))

    def _warm_up(self, *dag_ids: str) -> None:
        """Templates are made once per version of a DAG; that is not what is measured here."""
        self._place.run(*dag_ids)
        for dag_id in dag_ids:
            self._side(dag_id).new_lines()

    def floor_figures(self) -> Iterator[Figure]:
        """The floors themselves."""
        for floor in filter(None, (self._commits, self._bell)):
            yield Figure(
                bench="floors",
                name=floor.name,
                unit=floor.unit,
                value=floor.value,
                database=self._kind,
                better="higher" if floor.unit == "/s" else "lower",
            )

    def _durable_path(self) -> Floor:
        """The least a hop can take when every transition is durable."""
        bell_ms = self._bell.value if self._bell else 0.0
        name = f"{COMMITS_PER_HOP} commits" + (" + bell" if self._bell else "")
        return Floor(name, COMMITS_PER_HOP * 1000 / self._commits.value + bell_ms, "ms")

    def chain(self) -> Iterator[Figure]:
        """Hops."""
        for isolation in ISOLATIONS:
            dag_id = f"chain_{isolation}"
            self._warm_up(dag_id)
            hops: list[float] = []
            medians: list[float] = []
            tails: list[float] = []
            with machine.others_busy(self._place.pid) as busy:
                for _ in range(self._effort.chains):
                    self._place.run(dag_id)
                    found = hops_ms(self._side(dag_id).new_lines())
                    assert len(found) == CHAIN - 1
                    hops += found
                    medians.append(statistics.median(found))
                    tails.append(percentile(found, 95))
            common = {"database": self._kind, "floor": self._durable_path(), "others_busy": busy.share}
            yield figure(
                "chain", f"hop in a chain of {CHAIN}, {isolation}, median", "ms",
                summary(medians)._replace(median=statistics.median(hops)),
                target=10.0 if isolation == "fork" else 4.0, **common,
            )  # fmt: skip
            yield figure(
                "chain", f"hop in a chain of {CHAIN}, {isolation}, p95", "ms",
                summary(tails)._replace(median=percentile(hops, 95)),
                target=25.0 if isolation == "fork" else None, **common,
            )  # fmt: skip

    def wide(self) -> Iterator[Figure]:
        """Independent tasks; the floor of forks takes turns with them."""
        for isolation in ISOLATIONS:
            self._warm_up(f"wide_{isolation}")
        parent_mib = self._template_mib()
        fork_rates = []
        rates: dict[str, list[float]] = {isolation: [] for isolation in ISOLATIONS}
        from_trigger: dict[str, list[float]] = {isolation: [] for isolation in ISOLATIONS}
        cpu_ms: dict[str, list[float]] = {isolation: [] for isolation in ISOLATIONS}
        roles: dict[str, dict[str, float]] = {isolation: {} for isolation in ISOLATIONS}
        with machine.others_busy(self._place.pid) as busy:
            for _ in range(self._effort.wides):
                fork_rates.append(floors.forks(parent_mib, FORKS_AT_A_TIME, WIDE))
                for isolation in ISOLATIONS:
                    used, by_role = machine.cpu_seconds(self._place.pid), machine.cpu_by_role(self._place.pid)
                    trigger, first, last = self._burst(f"wide_{isolation}", WIDE)
                    cpu_ms[isolation].append((machine.cpu_seconds(self._place.pid) - used) * 1000 / WIDE)
                    _add_since(roles[isolation], by_role, machine.cpu_by_role(self._place.pid))
                    rates[isolation].append(WIDE / (last - first))
                    from_trigger[isolation].append(WIDE / (last - trigger))
        floor = Floor(fork_rates[0].name, statistics.median(each.value for each in fork_rates), fork_rates[0].unit)
        for isolation in ISOLATIONS:
            is_fork = isolation == "fork"
            common = {
                "database": self._kind, "better": "higher", "others_busy": busy.share,
                "floor": floor if is_fork else self._commits,
            }  # fmt: skip
            yield figure(
                "wide", f"{WIDE} no-op tasks, {isolation}, first start to last end", "tasks/s",
                summary(rates[isolation]), target=250.0 if is_fork else 700.0,
                enough_of_floor=FORK_FLOOR_SHARE if is_fork else None, **common,
            )  # fmt: skip
            yield figure(
                "wide", f"{WIDE} no-op tasks, {isolation}, trigger to last end", "tasks/s",
                summary(from_trigger[isolation]), **common,
            )  # fmt: skip
            yield figure(
                "wide", f"{WIDE} no-op tasks, {isolation}, CPU of all processes but the database's", "ms/task",
                summary(cpu_ms[isolation]), database=self._kind, others_busy=busy.share,
                note=_shares(roles[isolation], WIDE * self._effort.wides),
            )  # fmt: skip

    def _burst(self, dag_id: str, count: int) -> tuple[float, float, float]:
        """Seconds: asked for, first start, last end."""
        asked = self._place.run(dag_id)
        lines = self._side(dag_id).new_lines()
        assert len(lines) == count, f"{len(lines)} of {count} tasks of {dag_id} wrote their times"
        return asked / 1e9, min(line.began for line in lines) / 1e9, max(line.ended for line in lines) / 1e9

    def _template_mib(self) -> float:
        """Resident size of the largest template: what children are forked from."""
        templates = [process.pid for process in machine.tree(self._place.pid) if process.name == "tradewind-dag"]
        return max(map(machine.resident_mib, templates))

    def mapped(self) -> Iterator[Figure]:
        """One task expanded over a list that came from upstream."""
        self._warm_up("mapped")
        rates = []
        with machine.others_busy(self._place.pid) as busy:
            for _ in range(self._effort.mapped):
                _, first, last = self._burst("mapped", WIDE)
                rates.append(WIDE / (last - first))
        floor = floors.forks(self._template_mib(), FORKS_AT_A_TIME, WIDE)
        yield figure(
            "mapped", f"{WIDE} mapped tasks, fork, first start to last end", "tasks/s", summary(rates),
            database=self._kind, better="higher", floor=floor, others_busy=busy.share,
        )  # fmt: skip

    def backlog(self) -> Iterator[Figure]:
        """Many runs of many DAGs, asked for one by one."""
        dag_ids = [f"backlog_{number:02}" for number in range(BACKLOG_DAGS)]
        self._warm_up(*dag_ids)
        count = BACKLOG_DAGS * BACKLOG_RUNS * BACKLOG_TASKS
        rates = []
        with machine.others_busy(self._place.pid) as busy:
            for _ in range(self._effort.backlogs):
                asked = self._place.run(*dag_ids, times=BACKLOG_RUNS)
                lines = [line for dag_id in dag_ids for line in self._side(dag_id).new_lines()]
                assert len(lines) == count
                rates.append(count / ((max(line.ended for line in lines) - asked) / 1e9))
        floor = floors.forks(self._template_mib(), FORKS_AT_A_TIME, WIDE)
        yield figure(
            "backlog",
            f"{BACKLOG_DAGS} DAGs × {BACKLOG_RUNS} runs × chain of {BACKLOG_TASKS}, fork, first trigger to last end",
            "tasks/s", summary(rates), database=self._kind, better="higher", floor=floor, others_busy=busy.share,
        )  # fmt: skip

    def trigger(self) -> Iterator[Figure]:
        """From the moment somebody asks for a run to the first line of user code."""
        for isolation in ISOLATIONS:
            dag_id = f"single_{isolation}"
            self._warm_up(dag_id)
            times = []
            with machine.others_busy(self._place.pid) as busy:
                for _ in range(self._effort.triggers):
                    asked = self._place.run(dag_id)
                    (line,) = self._side(dag_id).new_lines()
                    times.append((line.began - asked) / 1e6)
            yield figure(
                "trigger", f"trigger → first line of user code, {isolation}", "ms", summary(times),
                database=self._kind, target=30.0, floor=self._durable_path(), others_busy=busy.share,
            )  # fmt: skip


def _add_since(total: dict[str, float], before: dict[str, float], after: dict[str, float]) -> None:
    for role, seconds in after.items():
        total[role] = total.get(role, 0.0) + seconds - before.get(role, 0.0)


def _shares(seconds: dict[str, float], tasks: int) -> str:
    """Milliseconds a task by role, largest first; mean of all rounds."""
    shares = sorted(((used * 1000 / tasks, role) for role, used in seconds.items()), reverse=True)
    return "ms/task: " + ", ".join(f"{role} {share:.2f}" for share, role in shares if share >= _SHARE_SHOWN)


SHAPES = ("chain", "wide", "mapped", "backlog", "trigger")


def measure(kind: str, shapes: list[str], *, quick: bool) -> Iterator[Figure]:
    """Figures of these shapes on one database, as they come."""
    with started(kind) as place:
        benches = RunBenches(kind, place, QUICK if quick else FULL)
        yield from benches.floor_figures()
        for shape in shapes:
            yield from getattr(benches, shape)()
