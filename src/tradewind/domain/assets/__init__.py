"""When a DAG runs on assets, and of which events. Pure decisions.

Begin with `consumption.decide` (which events one run takes) and `partitions` (keys upstream to keys downstream).
"""

from .conditions import describe, is_met, missing
from .consumption import Taking, Verdict, Waiting, decide
from .cycles import find_cycles

__all__ = ["Taking", "Verdict", "Waiting", "decide", "describe", "find_cycles", "is_met", "missing"]
