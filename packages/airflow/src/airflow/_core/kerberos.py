"""`airflow.security.kerberos`, `airflow.security.utils`."""

from __future__ import annotations

import re
import socket
from typing import Any


def get_components(principal: str | None) -> list[str] | None:
    """Service, instance and realm of a principal."""
    return re.split(r"[/@]", str(principal)) if principal else None


def get_fqdn(hostname_or_ip: str | None = None) -> str:
    """The full name of a host, in small letters."""
    return socket.getfqdn(hostname_or_ip or "").lower()


def get_hostname() -> str:
    """The name of this host."""
    return socket.gethostname()


def replace_hostname_pattern(components: list[str], host: str | None = None) -> str:
    """The principal with the host where `_HOST` stands."""
    name = get_fqdn(host or get_hostname())
    return f"{components[0]}/{name}@{components[2]}"


def principal_from_username(username: str, realm: str | None) -> str:
    """The principal of a user."""
    return f"{username}@{realm}" if "@" not in username and realm else username


def get_kerberos_principle(principal: str | None) -> str:
    """The principal with this host."""
    from airflow._core.configuration import conf

    wanted = principal or str(conf.get("kerberos", "principal"))
    return wanted.replace("_HOST", get_fqdn())


def renew_from_kt(*_: Any, **__: Any) -> int:
    """Raises NotImplementedError."""
    raise NotImplementedError("renewing Kerberos tickets is left to k5start or a sidecar")
