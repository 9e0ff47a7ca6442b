"""The invariants of the engine, each a checker of its own. `ALL` is the list; `checker.py` says when they are asked."""

from tests.simulation.checks.attempts import NothingDoubled, NothingLost, TriesCounted
from tests.simulation.checks.checker import Checker
from tests.simulation.checks.dates import DatesComplete
from tests.simulation.checks.ends import EveryRunEnds
from tests.simulation.checks.limits import CountersTrue, LimitsKept
from tests.simulation.checks.owners import MemoryIsRows, OneOwner
from tests.simulation.checks.reasons import ReasonsTrue
from tests.simulation.checks.rules import RulesObeyed
from tests.simulation.checks.waits import RunsRetried, WaitsTrue

ALL: tuple[type[Checker], ...] = (
    NothingLost,
    NothingDoubled,
    TriesCounted,
    LimitsKept,
    CountersTrue,
    OneOwner,
    MemoryIsRows,
    RulesObeyed,
    ReasonsTrue,
    EveryRunEnds,
    DatesComplete,
    WaitsTrue,
    RunsRetried,
)
__all__ = [
    "ALL",
    "Checker",
    "CountersTrue",
    "DatesComplete",
    "EveryRunEnds",
    "LimitsKept",
    "MemoryIsRows",
    "NothingDoubled",
    "NothingLost",
    "OneOwner",
    "ReasonsTrue",
    "RulesObeyed",
    "RunsRetried",
    "TriesCounted",
    "WaitsTrue",
]
