"""`airflow.api.common.trigger_dag`: start a run from inside a task."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tradewind.sdk.attempt import attempt_at_hand
from tradewind.sdk.exceptions import AirflowException


def trigger_dag(
    dag_id: str,
    run_id: str | None = None,
    conf: dict[str, Any] | str | None = None,
    logical_date: datetime | None = None,
    execution_date: datetime | None = None,
    replace_microseconds: bool = True,  # noqa: ARG001
    **more: Any,
) -> Any:
    """Start a run of another DAG.

    Raises:
        AirflowException: called outside a running task.
    """
    attempt = attempt_at_hand()
    if attempt is None:
        raise AirflowException(
            f"cannot trigger DAG {dag_id!r} from here: trigger_dag() works inside a running task; elsewhere use "
            "`tradewind dags trigger` or the REST API"
        )
    from tradewind.wire.execution import TriggerRun

    given = json.loads(conf) if isinstance(conf, str) else dict(conf or {})
    wanted: dict[str, Any] = {
        "token": attempt.token,
        "dag_id": dag_id,
        "run_id": run_id,
        "conf": given,
        "logical_date": logical_date or execution_date,
        "run_after": more.get("run_after"),
    }
    known = set(TriggerRun.__struct_fields__)
    return attempt.client.ask(TriggerRun(**{k: v for k, v in wanted.items() if k in known and v is not None}))
