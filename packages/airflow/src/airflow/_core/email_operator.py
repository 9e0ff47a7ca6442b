"""`airflow.operators.email`: a task that sends a mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow._core.email import get_email_address_list, send_email
from tradewind.sdk import BaseOperator


class EmailOperator(BaseOperator):
    """Sends a mail.

    Parameters:
        to, cc, bcc: addresses; subject, html_content: templated; files: paths of what is attached.
        mime_subtype, mime_charset, conn_id, custom_headers: as `airflow.utils.email.send_email`.
    """

    template_fields: Sequence[str] = ("to", "subject", "html_content", "files")
    template_fields_renderers: ClassVar[dict[str, str]] = {"html_content": "html"}
    template_ext: Sequence[str] = (".html",)
    ui_color = "#e6faf9"

    def __init__(
        self,
        *,
        to: list[str] | str,
        subject: str,
        html_content: str,
        files: list[Any] | None = None,
        cc: list[str] | str | None = None,
        bcc: list[str] | str | None = None,
        mime_subtype: str = "mixed",
        mime_charset: str = "utf-8",
        conn_id: str | None = None,
        custom_headers: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.subject = subject
        self.html_content = html_content
        self.files = files or []
        self.cc = cc
        self.bcc = bcc
        self.mime_subtype = mime_subtype
        self.mime_charset = mime_charset
        self.conn_id = conn_id
        self.custom_headers = custom_headers

    def execute(self, context: Any) -> None:  # noqa: ARG002
        """Send it."""
        send_email(
            get_email_address_list(self.to),
            self.subject,
            self.html_content,
            files=self.files,
            cc=self.cc,
            bcc=self.bcc,
            mime_subtype=self.mime_subtype,
            mime_charset=self.mime_charset,
            conn_id=self.conn_id,
            custom_headers=self.custom_headers,
        )
