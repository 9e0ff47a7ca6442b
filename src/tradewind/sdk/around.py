"""What an installation and a task's own wishes add around an attempt: policies, listeners, e-mail, links.

Nothing here may undo the work of the task: what fails is logged.
"""

from __future__ import annotations

import html
import logging
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from tradewind.sdk import plugins, policies
from tradewind.sdk.attempt import Attempt
from tradewind.sdk.values import ValueLimits, pack
from tradewind.wire.execution import XComEntry
from tradewind.wire.states import TaskInstanceState

_log = logging.getLogger("tradewind.task")


class TaskInstanceKey(NamedTuple):
    """Names an attempt of a task instance."""

    dag_id: str
    task_id: str
    run_id: str
    try_number: int = 1
    map_index: int = -1


class Around:
    """One attempt, from its first line to its end.

    Parameters:
        ti: the task instance, its context filled when it is asked for.
    """

    def __init__(self, ti: Any) -> None:
        self._ti = ti
        self._added: dict[str, str | None] = {}

    def begins(self, context: Any) -> None:
        """Before `pre_execute`: policies and listeners. Raises what a policy raises."""
        if policies.policies("task_instance_mutation_hook"):
            policies.mutate_instance(self._ti, context["dag_run"])
        if policies.policies("get_airflow_context_vars"):
            for name, value in policies.context_variables(context).items():
                self._added[name] = os.environ.get(name)
                os.environ[name] = value
        if has_listeners():
            from tradewind.sdk.listeners import tell

            tell("on_task_instance_running", previous_state=TaskInstanceState.QUEUED, task_instance=self._ti)

    def ended(self, state: TaskInstanceState, error: BaseException | None, *, operator: Any, retried: bool) -> None:
        """After the callbacks of the end."""
        for name, value in self._added.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if state is TaskInstanceState.FAILED and operator.email:
            wanted = operator.email_on_retry if retried else operator.email_on_failure
            if wanted:
                mail_failure(operator, self._ti, error, retried=retried)
        if has_listeners():
            self._tell_end(state, error)

    def _tell_end(self, state: TaskInstanceState, error: BaseException | None) -> None:
        from tradewind.sdk.listeners import tell

        before = TaskInstanceState.RUNNING
        if state is TaskInstanceState.SUCCESS:
            tell("on_task_instance_success", previous_state=before, task_instance=self._ti)
        elif state is TaskInstanceState.FAILED:
            tell("on_task_instance_failed", previous_state=before, task_instance=self._ti, error=error)
        elif state is TaskInstanceState.SKIPPED:
            tell("on_task_instance_skipped", previous_state=before, task_instance=self._ti)

    def links(self, operator: Any, attempt: Attempt, limits: ValueLimits) -> Iterator[XComEntry]:
        """Addresses of the operator's links, as values beside its own."""
        if not getattr(operator, "operator_extra_links", ()) and not plugins.load_plugins().plugins:
            return
        from tradewind.sdk.operator_links import links_of

        ti = self._ti
        key = TaskInstanceKey(ti.dag_id, ti.task_id, ti.run_id, ti.try_number, ti.map_index)
        for link in links_of(operator):
            try:
                address = link.get_link(operator, ti_key=key)
                if address:
                    yield pack(link.xcom_key, str(address), attempt.client, name=ti.value_name, limits=limits)
            except Exception as error:
                _log.warning("link %r of task %s has no address: %s", link.name, ti.task_id, error)


def has_listeners() -> bool:
    """Whether a plugin of this process has listeners."""
    return any(plugin.listeners for plugin in plugins.load_plugins().plugins)


def mail_failure(operator: Any, ti: Any, error: BaseException | None, *, retried: bool) -> None:
    """Tell the addresses of a task that an attempt failed."""
    from tradewind.sdk.configuration import conf
    from tradewind.sdk.mail import send_email

    what = "will be tried again" if retried else "failed"
    index = f"[{ti.map_index}]" if ti.map_index >= 0 else ""
    subject = f"Tradewind: {ti.dag_id}.{ti.task_id}{index} {what}"
    body = (
        f"<p>Try {ti.try_number} of {ti.max_tries + 1} of task <b>{html.escape(ti.task_id)}{index}</b> of DAG "
        f"<b>{html.escape(ti.dag_id)}</b>, run {html.escape(ti.run_id)}, ended with:</p>"
        f"<pre>{html.escape(f'{type(error).__name__}: {error}' if error is not None else 'unknown')}</pre>"
        f'<p><a href="{html.escape(ti.log_url)}">Log</a> on {html.escape(ti.hostname)}</p>'
    )
    try:
        subject = _rendered(conf.get("email", "subject_template", fallback=""), ti) or subject
        body = _rendered(conf.get("email", "html_content_template", fallback=""), ti) or body
        send_email(operator.email, subject, body)
        _log.info("e-mail sent: %s", subject)
    except Exception as problem:  # a mail that cannot be sent must not hide the failure it is about
        _log.warning("e-mail about the failure cannot be sent: %s", problem)


def _rendered(path: str, ti: Any) -> str:
    """The template file at `path` with the variables of the task; "" without one."""
    if not path:
        return ""
    from tradewind.sdk.templates import engine_for

    with open(path, encoding="utf-8") as file:
        return str(engine_for(ti.task).render_text(file.read(), ti.get_template_context()))
