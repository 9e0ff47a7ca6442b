"""Whatever Apprise reaches: some hundred services behind one notifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tradewind.sdk.connections import find_connection
from tradewind.sdk.exceptions import AirflowException, AirflowOptionalProviderFeatureException
from tradewind.sdk.notifier import BaseNotifier

CONN_ID = "apprise_default"


class AppriseNotifier(BaseNotifier):
    """Sends a message with the package `apprise` (extra `tradewind[apprise]`).

    Parameters:
        body, title: templates.
        notify_type: info, success, warning or failure.
        body_format: text, html or markdown.
        tag: which of the services; default all.
        attach: paths or addresses of attachments.
        apprise_conn_id: connection whose extra has `config`: {"path": URL, "tag": ...} or a list of them.
    """

    template_fields: Sequence[str] = ("body", "title", "tag", "attach")

    def __init__(
        self,
        *,
        body: str,
        title: str | None = None,
        notify_type: str = "info",
        body_format: str = "text",
        tag: str | list[str] | None = None,
        attach: Any = None,
        interpret_escapes: bool | None = None,
        config: Any = None,
        apprise_conn_id: str = CONN_ID,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(context=context)
        self.body = body
        self.title = title
        self.notify_type = str(getattr(notify_type, "value", notify_type))
        self.body_format = str(getattr(body_format, "value", body_format))
        self.tag = tag
        self.attach = attach
        self.interpret_escapes = interpret_escapes
        self.config = config
        self.apprise_conn_id = apprise_conn_id

    def notify(self, context: Any) -> None:  # noqa: ARG002 # rendered already
        """Send it. Raises `AirflowException` when a service did not take it."""
        if not self.services().notify(**self._message()):
            raise AirflowException("Apprise could not deliver the message to every service; its log tells which")

    async def async_notify(self, context: Any) -> None:  # noqa: ARG002 # rendered already
        """Send it, without blocking the event loop."""
        if not await self.services().async_notify(**self._message()):
            raise AirflowException("Apprise could not deliver the message to every service; its log tells which")

    def services(self) -> Any:
        """The services of the connection, as an `apprise.Apprise`."""
        try:
            import apprise  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            raise AirflowOptionalProviderFeatureException(
                "AppriseNotifier needs the package apprise; install tradewind[apprise]"
            ) from None
        found = apprise.Apprise()
        config = (
            self.config if self.config is not None else find_connection(self.apprise_conn_id).extra_dejson.get("config")
        )
        for each in [config] if isinstance(config, Mapping) else list(config or ()):
            found.add(each["path"], tag=each.get("tag"))
        return found

    def _message(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            "body": self.body,
            "title": self.title or "",
            "notify_type": self.notify_type,
            "body_format": self.body_format,
            "tag": self.tag or "all",
            "attach": self.attach,
            "interpret_escapes": self.interpret_escapes,
        }
        return {name: value for name, value in message.items() if value is not None}
