"""`airflow.utils.email`: sending mail from tasks and callbacks."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formatdate
from pathlib import Path
from typing import Any

from airflow._core.configuration import conf


def send_email(
    to: str | Iterable[str],
    subject: str,
    html_content: str,
    files: list[str] | None = None,
    dryrun: bool = False,
    cc: str | Iterable[str] | None = None,
    bcc: str | Iterable[str] | None = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    conn_id: str | None = None,
    custom_headers: dict[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Send a mail by the function that `[email] email_backend` names."""
    backend = conf.getimport("email", "email_backend") or send_email_smtp
    backend(
        get_email_address_list(to),
        subject,
        html_content,
        files=files,
        dryrun=dryrun,
        cc=cc,
        bcc=bcc,
        mime_subtype=mime_subtype,
        mime_charset=mime_charset,
        conn_id=conn_id or conf.get("email", "email_conn_id", fallback=None),
        from_email=conf.get("email", "from_email", fallback=None) or None,
        custom_headers=custom_headers,
        **kwargs,
    )


def send_email_smtp(
    to: str | Iterable[str],
    subject: str,
    html_content: str,
    files: list[str] | None = None,
    dryrun: bool = False,
    cc: str | Iterable[str] | None = None,
    bcc: str | Iterable[str] | None = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    conn_id: str = "smtp_default",
    from_email: str | None = None,
    custom_headers: dict[str, Any] | None = None,
    **_: Any,
) -> None:
    """Send a mail by SMTP: as the connection `conn_id` says, else as the section `[smtp]` does."""
    sender = from_email or str(conf.get("smtp", "smtp_mail_from"))
    message, recipients = build_mime_message(
        sender, to, subject, html_content, files, cc, bcc, mime_subtype, mime_charset, custom_headers
    )
    send_mime_email(sender, recipients, message, dryrun, conn_id)


def build_mime_message(
    mail_from: str | None,
    to: str | Iterable[str],
    subject: str,
    html_content: str,
    files: list[str] | None = None,
    cc: str | Iterable[str] | None = None,
    bcc: str | Iterable[str] | None = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    custom_headers: dict[str, Any] | None = None,
) -> tuple[MIMEMultipart, list[str]]:
    """(the mail, all its recipients)."""
    to_list = get_email_address_list(to)
    message = MIMEMultipart(mime_subtype)
    message["Subject"], message["To"] = subject, ", ".join(to_list)
    if mail_from:
        message["From"] = mail_from
    recipients = list(to_list)
    if cc:
        message["CC"] = ", ".join(get_email_address_list(cc))
        recipients += get_email_address_list(cc)
    if bcc:
        recipients += get_email_address_list(bcc)
    message["Date"] = formatdate(localtime=True)
    message.attach(MIMEText(html_content, "html", mime_charset))
    for path in map(Path, files or []):
        part = MIMEApplication(path.read_bytes(), Name=path.name)
        part["Content-Disposition"] = f'attachment; filename="{path.name}"'
        message.attach(part)
    for name, value in (custom_headers or {}).items():
        message[name] = value
    return message, recipients


def send_mime_email(
    e_from: str, e_to: str | list[str], mime_msg: MIMEMultipart, dryrun: bool = False, conn_id: str = "smtp_default"
) -> None:
    """Hand a mail to the SMTP server."""
    host, port = str(conf.get("smtp", "smtp_host")), conf.getint("smtp", "smtp_port")
    user, password = conf.get("smtp", "smtp_user", fallback=None), conf.get("smtp", "smtp_password", fallback=None)
    found = _connection(conn_id)
    ssl, starttls = conf.getboolean("smtp", "smtp_ssl"), conf.getboolean("smtp", "smtp_starttls")
    if found is not None:
        host, port = found.host or host, found.port or port
        user, password = found.login or user, found.password or password
        extra = found.extra_dejson
        ssl = not extra.get("disable_ssl", not ssl)
        starttls = not extra.get("disable_tls", not starttls)
    if dryrun:
        return
    with (smtplib.SMTP_SSL if ssl else smtplib.SMTP)(host, port, timeout=conf.getint("smtp", "smtp_timeout")) as smtp:
        if starttls and not ssl:
            smtp.starttls()
        if user and password:
            smtp.login(user, password)
        smtp.sendmail(e_from, e_to, mime_msg.as_string())


def _connection(conn_id: str | None) -> Any:
    from tradewind.sdk.connections import find_connection
    from tradewind.sdk.exceptions import AirflowNotFoundException

    try:
        return find_connection(conn_id) if conn_id else None
    except AirflowNotFoundException:
        return None


def get_email_address_list(addresses: str | Iterable[str]) -> list[str]:
    """Addresses out of a list, or a text with commas or semicolons."""
    if isinstance(addresses, str):
        return [one.strip() for one in addresses.replace(";", ",").split(",") if one.strip()]
    if isinstance(addresses, Iterable):
        listed = list(addresses)
        if not all(isinstance(one, str) for one in listed):
            raise TypeError("The items in your iterable must be strings.")
        return [address for one in listed for address in get_email_address_list(one)]
    raise TypeError(f"Unexpected argument type: Received '{type(addresses).__name__}'.")
