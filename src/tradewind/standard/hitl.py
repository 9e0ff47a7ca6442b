"""Human in the loop: tasks that ask a person and wait for the answer without a process (state `awaiting_input`).

    approve = ApprovalOperator(task_id="approve", subject="Publish {{ ds }}?", response_timeout=timedelta(hours=4))

The answer comes over UI or API; nobody who answers in time means the defaults, or failure without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn, TypedDict
from urllib.parse import urlencode, urlsplit, urlunsplit

from tradewind.sdk import BaseOperator
from tradewind.sdk.asking import Question, ask
from tradewind.sdk.branching import BranchMixIn, SkipMixin
from tradewind.sdk.configuration import conf
from tradewind.sdk.errors import WrongValue
from tradewind.sdk.exceptions import AirflowException, TaskDeferralError, TaskDeferralTimeout
from tradewind.sdk.params import ParamsDict

__all__ = [
    "ApprovalOperator",
    "HITLBranchOperator",
    "HITLEntryOperator",
    "HITLOperator",
    "HITLRejectException",
    "HITLTimeoutError",
    "HITLTriggerEventError",
    "HITLUser",
]


class HITLTriggerEventError(AirflowException):
    """The answer did not reach the task."""


class HITLTimeoutError(HITLTriggerEventError):
    """Nobody answered in time, and the question has no defaults."""


class HITLRejectException(AirflowException):
    """A person rejected."""


class HITLUser(TypedDict):
    """Somebody who may answer."""

    id: str
    name: str


class HITLOperator(BaseOperator):
    """Ask a person. The output is a dict: `chosen_options`, `params_input`, `responded_at`, `responded_by_user`.

    Parameters:
        subject: the question in one line.
        options: what can be chosen.
        body: more about it, Markdown.
        defaults: option or options taken when nobody answers in time.
        multiple: several options may be chosen.
        params: a form to fill in besides: name → value or `Param`.
        notifiers: called when the question is asked.
        assigned_users: who may answer, {"id", "name"} each; default: everybody who may.
        response_timeout: how long to wait; default: execution_timeout, else without end.

    Raises:
        WrongValue: naming the task and what is wrong.
    """

    template_fields: Sequence[str] = ("subject", "body")
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        subject: str,
        options: Sequence[str],
        body: str | None = None,
        defaults: str | Sequence[str] | None = None,
        multiple: bool = False,
        params: ParamsDict | Mapping[str, Any] | None = None,
        notifiers: Any = None,
        assigned_users: HITLUser | Sequence[HITLUser] | None = None,
        response_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.subject = subject
        self.body = body
        self.options = list(options)
        self.defaults = [defaults] if isinstance(defaults, str) else None if defaults is None else list(defaults)
        self.multiple = multiple
        self.form = ParamsDict(params or {})
        self.notifiers = _listed(notifiers)
        self.assigned_users = [assigned_users] if isinstance(assigned_users, dict) else list(assigned_users or ())
        self.response_timeout = response_timeout
        self._check()

    def _check(self) -> None:
        who = f"task {self.task_id!r}"
        if not self.options:
            raise WrongValue(f"{who}: options must not be empty")
        if len(set(self.options)) != len(self.options):
            raise WrongValue(f"{who}: options are given twice: {self.options}")
        if "_options" in self.form:
            raise WrongValue(f"{who}: the name '_options' in params is taken")
        if self.defaults is None:
            return
        if strangers := sorted(set(self.defaults) - set(self.options)):
            raise WrongValue(f"{who}: default {strangers[0]!r} is not among the options {self.options}")
        if len(self.defaults) > 1 and not self.multiple:
            raise WrongValue(f"{who}: several defaults need multiple=True")

    def execute(self, context: Any) -> NoReturn:
        """Ask, and give the process back.

        Raises:
            TaskAwaitsInput: always; it is not to be caught.
        """
        for notifier in self.notifiers:
            try:
                notifier(context)
            except Exception as error:
                # The question stands whether somebody was told of it or not.
                self.log.error("notifier %s failed", type(notifier).__name__, exc_info=error)
        users = {str(user["id"]): str(user["name"]) for user in self.assigned_users}
        ask(
            Question(
                subject=self.subject,
                options=self.options,
                body=self.body,
                defaults=self.defaults,
                multiple=self.multiple,
                params={name: self.form.get_param(name).dump() for name in self.form},
                assigned_users=users,
                timeout=self.response_timeout or self.execution_timeout,
            ),
            "execute_complete",
        )

    def generate_link_to_ui(
        self,
        *,
        task_instance: Any,
        base_url: str | None = None,
        options: str | Sequence[str] | None = None,
        params_input: Mapping[str, Any] | None = None,
    ) -> str:
        """Where a person answers, for messages.

        Parameters:
            base_url: of the web UI; default: api.base_url.
            options: chosen beforehand.
            params_input: filled in beforehand.

        Raises:
            ValueError: an option or a field that the question does not have, or no address is known.
        """
        chosen = [options] if isinstance(options, str) else list(options or ())
        if strangers := sorted(set(chosen) - set(self.options)):
            raise ValueError(f"options {strangers} are not valid options of task {self.task_id!r}: {self.options}")
        if strangers := sorted(set(params_input or {}) - set(self.form)):
            raise ValueError(f"params {strangers} are not valid params of task {self.task_id!r}: {sorted(self.form)}")
        base_url = base_url or conf.get("api", "base_url", fallback=None)
        if not base_url:
            raise ValueError("no address of the web UI is known: give base_url, or set api.base_url")
        query: dict[str, Any] = {"_options": chosen} if chosen else {}
        query |= {**(params_input or {}), "map_index": task_instance.map_index}
        ti = task_instance
        path = f"/dags/{ti.dag_id}/runs/{ti.run_id}/tasks/{ti.task_id}/required_actions"
        address = urlsplit(base_url)
        return urlunsplit((address.scheme, address.netloc, path, urlencode(query), ""))

    @staticmethod
    def generate_link_to_ui_from_context(
        *,
        context: Any,
        base_url: str | None = None,
        options: Sequence[str] | None = None,
        params_input: Mapping[str, Any] | None = None,
    ) -> str:
        """The same for a notifier or callback. Raises `ValueError` when the context is not that of such a task."""
        task = context["task"]
        if not isinstance(task, HITLOperator):
            raise ValueError(f"{type(task).__name__} asks nobody: only HITLOperator and those derived from it do")
        return task.generate_link_to_ui(
            task_instance=context["ti"], base_url=base_url, options=options, params_input=params_input
        )

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Go on with the answer.

        Raises:
            HITLTimeoutError: nobody answered in time.
            HITLTriggerEventError: the answer did not come through.
        """
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout as error:
            raise HITLTimeoutError(f"nobody answered {self.subject!r} in time, and it has no defaults") from error
        except TaskDeferralError as error:
            raise HITLTriggerEventError(str(error)) from error

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:  # noqa: ARG002 - the signature is Airflow's
        """The answer as the task's output."""
        by = event.get("responded_by_user")
        who = by["name"] if by else "nobody in time: the defaults"
        self.log.info("answered by %s: %s", who, ", ".join(event["chosen_options"]) or "no option")
        return {
            "chosen_options": event["chosen_options"],
            "params_input": event["params_input"],
            "responded_at": event["responded_at"],
            "responded_by_user": by,
        }


class ApprovalOperator(HITLOperator, SkipMixin):
    """Ask whether to go on. Rejection skips what comes after.

    Parameters:
        ignore_downstream_trigger_rules: skip all tasks downstream; False: the direct ones, the rest follow their rules.
        fail_on_reject: fail instead of skipping.

    Raises:
        WrongValue: with options or multiple, which are given.
    """

    APPROVE = "Approve"
    REJECT = "Reject"

    def __init__(
        self, *, ignore_downstream_trigger_rules: bool = False, fail_on_reject: bool = False, **kwargs: Any
    ) -> None:
        for given in ("options", "multiple"):
            if given in kwargs:
                raise WrongValue(f"task {kwargs.get('task_id')!r}: ApprovalOperator takes no {given}")
        super().__init__(options=[self.APPROVE, self.REJECT], multiple=False, **kwargs)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules
        self.fail_on_reject = fail_on_reject

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """As `HITLOperator`; skips, or raises `HITLRejectException`, when it was rejected."""
        answer = super().execute_complete(context, event)
        if answer["chosen_options"][0] == self.APPROVE:
            self.log.info("approved: going on")
            return answer
        if self.fail_on_reject:
            raise HITLRejectException("rejected")
        dag = context["dag"]
        ids: Iterable[str] = self.downstream_task_ids
        if self.ignore_downstream_trigger_rules:
            ids = self.get_flat_relative_ids(upstream=False)
        self.skip(context["ti"], sorted(task_id for task_id in ids if not dag.get_task(task_id).is_teardown))
        return answer


class HITLBranchOperator(HITLOperator, BranchMixIn):
    """The chosen options are the tasks (or groups) that are followed.

    Parameters:
        options_mapping: option → task id, for options that are not task ids themselves.
    """

    def __init__(self, *, options_mapping: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.options_mapping = dict(options_mapping or {})
        if strangers := sorted(set(self.options_mapping) - set(self.options)):
            raise WrongValue(
                f"task {self.task_id!r}: options_mapping names {strangers[0]!r}, which is not among the options"
            )

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """As `HITLOperator`; follows what was chosen."""
        answer = super().execute_complete(context, event)
        self.do_branch(context, [self.options_mapping.get(option, option) for option in answer["chosen_options"]])
        return answer


class HITLEntryOperator(HITLOperator):
    """Ask a person to fill in a form."""

    OK = "OK"

    def __init__(self, **kwargs: Any) -> None:
        if "options" not in kwargs:
            kwargs["options"] = [self.OK]
            kwargs.setdefault("defaults", [self.OK])
        super().__init__(**kwargs)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) else [value]
