"""E-mail as a notice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tradewind.sdk.mail import CONN_ID, send_email
from tradewind.sdk.notifier import BaseNotifier

SUBJECT = (
    "Tradewind: {{ dag.dag_id }}{% if ti is defined and ti %}.{{ ti.task_id }}{% endif %}: {{ reason | default('') }}"
)
BODY = """\
<p>DAG <b>{{ dag.dag_id }}</b>, run {{ run_id }}{% if ti is defined and ti %}, task <b>{{ ti.task_id }}</b>, \
try {{ ti.try_number }}{% endif %}</p>
{% if exception is defined %}<pre>{{ exception | string | e }}</pre>{% endif %}
{% if ti is defined and ti %}<p><a href="{{ ti.log_url }}">Log</a></p>{% endif %}"""


class SmtpNotifier(BaseNotifier):
    """Sends an e-mail through a connection of type `smtp`.

    Parameters:
        to, cc, bcc: addresses, a text or a list.
        from_email: sender; default that of the connection.
        subject, html_content: templates; default: what failed, and where its log is.
        files: paths of attachments.
        custom_headers: further headers.
        smtp_conn_id: the connection.
        template: name of a file with the content, in place of `html_content`.
    """

    template_fields: Sequence[str] = (
        "from_email", "to", "subject", "html_content", "files", "cc", "bcc", "custom_headers",
    )  # fmt: skip

    def __init__(
        self,
        to: str | Iterable[str],
        from_email: str | None = None,
        subject: str | None = None,
        html_content: str | None = None,
        files: list[str] | None = None,
        cc: str | Iterable[str] | None = None,
        bcc: str | Iterable[str] | None = None,
        mime_subtype: str = "mixed",
        mime_charset: str = "utf-8",
        custom_headers: dict[str, Any] | None = None,
        smtp_conn_id: str | None = None,
        auth_type: str = "basic",
        *,
        template: str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(context=context)
        if auth_type != "basic":
            raise NotImplementedError(f"auth_type={auth_type!r} is not available yet; use basic")
        self.to = to if isinstance(to, str) else list(to)
        self.from_email = from_email
        self.subject = subject or SUBJECT
        self.html_content = html_content or (Path(template).read_text("utf-8") if template else BODY)
        self.files = files or []
        self.cc = cc if cc is None or isinstance(cc, str) else list(cc)
        self.bcc = bcc if bcc is None or isinstance(bcc, str) else list(bcc)
        self.mime_subtype = mime_subtype
        self.mime_charset = mime_charset
        self.custom_headers = custom_headers or {}
        self.smtp_conn_id = smtp_conn_id or CONN_ID

    def notify(self, context: Any) -> None:  # noqa: ARG002 # rendered already
        """Send it."""
        send_email(
            self.to,
            self.subject,
            self.html_content,
            files=self.files,
            cc=self.cc,
            bcc=self.bcc,
            mime_subtype=self.mime_subtype,
            conn_id=self.smtp_conn_id,
            from_email=self.from_email,
            custom_headers=self.custom_headers,
        )

    async def async_notify(self, context: Any) -> None:
        """Send it, without blocking the event loop."""
        import asyncio

        await asyncio.to_thread(self.notify, context)


def send_smtp_notification(**arguments: Any) -> SmtpNotifier:
    """The notifier, by its name of Airflow."""
    return SmtpNotifier(**arguments)
