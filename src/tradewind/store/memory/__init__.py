"""The store in memory. It keeps the same promises as the database plugs, proven by the same exam (`tests/conformance`).

Begin reading at `store.MemoryStore`; `tables` has the undo, `tasks` and `runs` the legal changes.
"""

from .store import MemoryStore
from .tables import BrokenRule

__all__ = ["MemoryStore", "BrokenRule"]
