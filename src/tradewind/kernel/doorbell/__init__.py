"""Doorbells: who has committed something rings; who waits for it wakes up and looks in the database.

The bell carries no data, only topics, and is never the truth: listeners keep a slow safety poll beside it. Rules for
every plug (the exam is tests/conformance/doorbell_exam.py):

- A ring after `listen` has returned is heard by the next `wait`, also when nobody waited at that moment.
- Rings between two waits come together: one `wait` returns all topics rung. It may return topics of the listener that
  were not rung (a false alarm), never others; it misses none while its listener is open and the medium works.
- `ring` never blocks on a listener that does not read.
- Every listener hears every ring of its topics.

Plugs here: `SocketDoorbell` (processes of one machine), `LocalDoorbell` (threads of one process, simulation). The one
on PostgreSQL lives in store/dialects.
"""

from tradewind.kernel.doorbell.local import LocalDoorbell
from tradewind.kernel.doorbell.port import Doorbell, Listener
from tradewind.kernel.doorbell.sockets import SocketDoorbell

__all__ = ["Doorbell", "Listener", "SocketDoorbell", "LocalDoorbell"]
