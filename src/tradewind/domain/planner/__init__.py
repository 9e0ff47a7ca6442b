"""The planner: takes what happened in a run, one event at a time, and says everything that follows, each change with
its reason.

```
graph = Graph.of(document)                  # once per DAG version
plan, changes = RunPlan.start(graph)        # a new run
plan, changes = RunPlan.load(graph, rows)   # take-over of a run
changes = plan.apply(events.Ended(("extract", ()), TaskInstanceState.SUCCESS))
plan.why(("load", ()))                      # one true sentence
```

Pure: no I/O, no clock, no logging. The cost of an event follows the out-degree of what changed. Promises:

- Changes come in the order they must be carried out and are complete: cascades of skips, empty tasks and expansions
  are worked to their end.
- `Ready` is said once per readiness. `FinishRun` is said once, last, when nothing is live, waiting or ready (or the
  run is stopped).
- A plan loaded from rows decides as the plan that wrote them.

Begin reading at `plan`; `graph` is the compiled DAG, `board` the memory of a run, `judgement` the rules, `expansion`
mapping.
"""

from . import changes, events
from .changes import Change
from .events import Event, Key
from .graph import Graph
from .plan import RunPlan
from .takeover import InstanceSnapshot
from .why import Reason, ReasonKind

__all__ = [
    "Graph",
    "RunPlan",
    "InstanceSnapshot",
    "events",
    "changes",
    "Event",
    "Change",
    "Key",
    "Reason",
    "ReasonKind",
]
