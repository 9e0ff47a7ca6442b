"""`BaseNotifier`: a message to people, usable wherever a callback is."""

from __future__ import annotations

import copy
import logging
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from .awaiting import run_to_end
from .errors import WrongArgument


class BaseNotifier:
    """Subclasses implement `notify(context)`, or `async_notify(context)`, or both, and list the attributes that are
    templates in `template_fields`.

    An instance is a callback: it is called with the context of a task or run. Rendering happens on a copy, so that one
    notifier may serve many tasks at once. It may be awaited too, with the context given at its making.

    Parameters:
        context: variables for templates, where nobody calls it with a context.
    """

    template_fields: Sequence[str] = ()
    template_ext: Sequence[str] = ()

    def __init__(self, context: Mapping[str, Any] | None = None) -> None:
        self.context: Mapping[str, Any] = context or {}

    @property
    def log(self) -> logging.Logger:
        """The logger of the task."""
        return logging.getLogger(f"tradewind.task.notifier.{type(self).__qualname__}")

    def notify(self, context: Any) -> None:
        """Send it. Raises what goes wrong."""
        raise NotImplementedError(f"{type(self).__name__} does not implement notify(context)")

    async def async_notify(self, context: Any) -> None:
        """Send it from an event loop. Raises what goes wrong."""
        raise NotImplementedError(f"{type(self).__name__} does not implement async_notify(context)")

    def __call__(self, *arguments: Any) -> None:
        """Render the templates and send.

        Raises:
            TemplateRenderingError: a template cannot be rendered.
            Exception: whatever sending raises.
        """
        if len(arguments) == 4:
            names = ("dag", "task_list", "blocking_task_list", "blocking_tis")
            context: Any = dict(zip(names, arguments, strict=True))
        elif len(arguments) == 1:
            context = arguments[0]
        else:
            raise WrongArgument(
                f"{type(self).__name__} is called with the context, not with {len(arguments)} arguments"
            )
        self.deliver(context)

    def deliver(self, context: Any) -> None:
        """Render and send, by whichever of the two ways is implemented."""
        ready = self.rendered(context)
        try:
            if _overridden(ready, "notify") or not _overridden(ready, "async_notify"):
                send: Any = ready.notify
            else:
                send = ready.async_notify
            run_to_end(send(context))
        except Exception as error:
            self.log.error("notification of %s failed: %s", type(self).__name__, error)
            raise

    def __await__(self) -> Generator[Any, None, None]:
        return self._deliver_async().__await__()

    async def _deliver_async(self) -> None:
        ready = self.rendered(self.context)
        try:
            await ready.async_notify(self.context)
        except Exception as error:
            self.log.error("notification of %s failed: %s", type(self).__name__, error)
            raise

    def rendered(self, context: Any) -> BaseNotifier:
        """A copy with its templates rendered; attributes that are templates can be used in one another as variables."""
        from .template_owner import render_object

        ready = copy.copy(self)
        variables = {**_plain(context), **{name: getattr(self, name) for name in self.template_fields}}
        render_object(ready, self.template_fields, variables, ext=self.template_ext, dag=_plain(context).get("dag"))
        return ready

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:  # noqa: ARG002 # Airflow's signature
        """Render the templates in place."""
        self.__dict__.update(self.rendered(context).__dict__)


def _overridden(notifier: BaseNotifier, method: str) -> bool:
    return getattr(type(notifier), method) is not getattr(BaseNotifier, method)


def _plain(context: Any) -> Mapping[str, Any]:
    return context if isinstance(context, Mapping) else {}
