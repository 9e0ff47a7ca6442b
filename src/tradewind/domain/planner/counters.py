"""Layout of the block of counters that belongs to one place (task, scope): sixteen small integers in one flat array.

A block counts the upstream instances that share exactly its scope with the reader. A reader inside mapped groups adds
up the blocks of its place and of the places around it, so an upstream outside a group is counted once, not once per
index.
"""

from __future__ import annotations

from typing import Final

SUCCESS: Final = 0
FAILED: Final = 1
SKIPPED: Final = 2
UPSTREAM_FAILED: Final = 3
"""The first four follow the order of the terminal states in `status`."""
OPEN: Final = 4
"""Upstream instances that are not done. The total is the sum of the five; a removed instance is in none of them."""
SETUP: Final = 5
"""Offset of the same five numbers for those upstreams that are setups (they are in the first five too)."""
GUARD: Final = 10
"""Offset of the same five numbers for setups further up, whose success is needed whatever the trigger rule says."""

SHIFT: Final = 4
STRIDE: Final = 1 << SHIFT

DIRECT: Final = 0
DIRECT_SETUP: Final = 1
DIRECT_GUARD: Final = 2
INPUT: Final = 3
"""Upstream of an expansion, one instance to the reader."""
DEEP_INPUT: Final = 4
"""Upstream of an expansion, mapped relative to the reader: its number of instances counts."""
KIND_MASK: Final = 7
DEPTH_SHIFT: Final = 3
"""Edges carry their kind in the low bits and their common depth above."""
