"""`airflow.utils.net`, `airflow.utils.platform`: this machine and this user."""

from __future__ import annotations

import getpass
import os
import platform
import socket
import sys

IS_WINDOWS = platform.system() == "Windows"


def getfqdn(name: str = "") -> str:
    """The full name of a host; of this one by default."""
    return socket.getfqdn(name)


def get_host_ip_address() -> str:
    """The address of this host."""
    return socket.gethostbyname(getfqdn())


def get_hostname() -> str:
    """The name of this host."""
    return getfqdn()


def getuser() -> str:
    """The name of the user of this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def is_tty() -> bool:
    """Whether the output goes to a terminal."""
    return bool(getattr(sys.stdout, "isatty", None)) and sys.stdout.isatty()
