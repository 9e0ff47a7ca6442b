from __future__ import annotations

import os

from tradewind.sdk.rehearsal import rehearse
from tradewind.wire.states import TaskInstanceState


def test_the_empty_task_succeeds_and_leaves_nothing_behind() -> None:
    before = dict(os.environ)
    outcomes = rehearse(3)
    assert [outcome.state for outcome in outcomes] == [TaskInstanceState.SUCCESS] * 3
    assert dict(os.environ) == before
