"""Sending e-mail through a connection of type `smtp`: behind `email_on_failure`, the SMTP notifier and the e-mail
operator.

The connection (default `smtp_default`) gives host, port, login and password; its extra may give `from_email`,
`timeout` (seconds), `retry_limit`, `disable_ssl`, `disable_tls`. With SSL (the default for port 465) the whole
conversation is encrypted; else STARTTLS is used unless it is disabled.
"""

from __future__ import annotations

import contextlib
import mimetypes
import smtplib
import ssl
from collections.abc import Iterable, Iterator, Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import WrongValue

if TYPE_CHECKING:
    from .connections import Connection

CONN_ID = "smtp_default"
_TIMEOUT_SECONDS = 30.0
_RETRIES = 5


def addresses(value: str | Iterable[str] | None) -> list[str]:
    """Addresses of a text (separated by `,` or `;`) or a list. Raises `WrongValue` for what is none."""
    if value is None:
        return []
    listed = value.replace(";", ",").split(",") if isinstance(value, str) else list(value)
    found = [one.strip() for one in listed if one.strip()]
    for one in found:
        if "@" not in one or any(sign in one for sign in "\r\n"):
            raise WrongValue(f"{one!r} is not an e-mail address")
    return found


def build_message(
    to: str | Iterable[str],
    subject: str,
    html_content: str,
    *,
    from_email: str,
    files: Iterable[str] | None = None,
    cc: str | Iterable[str] | None = None,
    bcc: str | Iterable[str] | None = None,
    mime_subtype: str = "mixed",  # noqa: ARG001 # Airflow's; the structure follows from the content
    custom_headers: Mapping[str, Any] | None = None,
) -> tuple[EmailMessage, list[str]]:
    """The message, and everybody it goes to (those in `bcc` are in no header)."""
    to_list, cc_list, bcc_list = addresses(to), addresses(cc), addresses(bcc)
    if not (to_list or cc_list or bcc_list):
        raise WrongValue("an e-mail needs at least one address in to, cc or bcc")
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"] = from_email
    message["To"] = ", ".join(to_list)
    if cc_list:
        message["Cc"] = ", ".join(cc_list)
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain="tradewind.local")
    for name, value in (custom_headers or {}).items():
        message[name] = str(value)
    message.set_content(html_content, subtype="html")
    for file in files or ():
        _attach(message, Path(file))
    return message, [*to_list, *cc_list, *bcc_list]


def _attach(message: EmailMessage, file: Path) -> None:
    kind, encoding = mimetypes.guess_type(file.name)
    main, _, sub = (kind if kind and not encoding else "application/octet-stream").partition("/")
    message.add_attachment(file.read_bytes(), maintype=main, subtype=sub, filename=file.name)


def send_email(
    to: str | Iterable[str],
    subject: str,
    html_content: str,
    files: Iterable[str] | None = None,
    dryrun: bool = False,
    cc: str | Iterable[str] | None = None,
    bcc: str | Iterable[str] | None = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",  # noqa: ARG001 # Airflow's; always UTF-8
    conn_id: str | None = None,
    from_email: str | None = None,
    custom_headers: Mapping[str, Any] | None = None,
    **_: Any,
) -> None:
    """Send an e-mail.

    Parameters:
        files: paths of attachments.
        dryrun: build it and send nothing.
        conn_id: connection of type smtp.
        from_email: sender; default: `from_email` of the connection, else its login.

    Raises:
        AirflowNotFoundException: the connection does not exist.
        WrongValue: an address is none.
        OSError, smtplib.SMTPException: the server cannot be reached or refuses.
    """
    from .connections import find_connection

    connection = find_connection(conn_id or CONN_ID)
    extra = connection.extra_dejson
    sender = from_email or extra.get("from_email") or connection.login or "tradewind@localhost"
    message, everybody = build_message(
        to,
        subject,
        html_content,
        from_email=sender,
        files=files,
        cc=cc,
        bcc=bcc,
        mime_subtype=mime_subtype,
        custom_headers=custom_headers,
    )
    if dryrun:
        return
    with server(connection) as smtp:
        smtp.send_message(message, from_addr=sender, to_addrs=everybody)


@contextlib.contextmanager
def server(connection: Connection) -> Iterator[smtplib.SMTP]:
    """A conversation with the server of a connection, signed in where it has a login."""
    extra = connection.extra_dejson
    timeout = float(extra.get("timeout", _TIMEOUT_SECONDS))
    tries = max(1, int(extra.get("retry_limit", _RETRIES)))
    for number in range(1, tries + 1):
        try:
            smtp = _open(connection, extra, timeout)
            break
        except (OSError, smtplib.SMTPServerDisconnected):
            if number == tries:
                raise
    try:
        if connection.login:
            smtp.login(connection.login, connection.password or "")
        yield smtp
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            smtp.quit()


def _open(connection: Connection, extra: Mapping[str, Any], timeout: float) -> smtplib.SMTP:
    host, port = connection.host or "localhost", connection.port or 0
    encrypted = not _flag(extra, "disable_ssl") and port not in (25, 587, 1025, 2525)
    context = ssl.create_default_context()
    if encrypted:
        return smtplib.SMTP_SSL(host, port or 465, timeout=timeout, context=context)
    smtp = smtplib.SMTP(host, port or 25, timeout=timeout)
    if not _flag(extra, "disable_tls"):
        smtp.starttls(context=context)
    return smtp


def _flag(extra: Mapping[str, Any], name: str) -> bool:
    return str(extra.get(name, False)).lower() in ("true", "1", "yes")
