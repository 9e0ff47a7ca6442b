"""DAG documents by version, decoded once: versions are immutable, so a bounded cache is always right."""

from __future__ import annotations

from collections import OrderedDict

from tradewind.ports.store import DagTx
from tradewind.wire.document import DagDocument, TaskDocument, decode_document
from tradewind.wire.errors import NotFound


class VersionedDag:
    """A document with its tasks by id and where its code lies."""

    __slots__ = ("bundle", "bundle_version", "document", "file", "tasks", "version_id")

    def __init__(self, version_id: str, document: DagDocument, bundle: str, bundle_version: str, file: str) -> None:
        self.version_id = version_id
        self.document = document
        self.tasks: dict[str, TaskDocument] = {task.task_id: task for task in document.tasks}
        self.bundle = bundle
        self.bundle_version = bundle_version
        self.file = file


class Documents:
    """The cache. One per service; not for several threads at once.

    `size_max`: how many versions are kept, least recently used ones dropped first.
    """

    def __init__(self, size_max: int = 512) -> None:
        self._size_max = size_max
        self._kept: OrderedDict[str, VersionedDag] = OrderedDict()

    def get(self, tx: DagTx, version_id: str) -> VersionedDag:
        """Raises `NotFound` for an unknown version, `InvalidDag` for a document of a newer format."""
        found = self._kept.get(version_id)
        if found is not None:
            self._kept.move_to_end(version_id)
            return found
        row = tx.version_get(version_id)
        if row is None:
            raise NotFound(f"DAG version {version_id} does not exist")
        found = VersionedDag(version_id, decode_document(row.document), row.bundle, row.bundle_version, row.file)
        self._kept[version_id] = found
        if len(self._kept) > self._size_max:
            self._kept.popitem(last=False)
        return found
