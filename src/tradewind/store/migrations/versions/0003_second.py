"""What authoring, scheduling and people need beside the first schema; a function per subject."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Everything may be NULL or has a default: programs of the schema before go on writing their rows."""
