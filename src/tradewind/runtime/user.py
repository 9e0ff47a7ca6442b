"""Becoming another user of the machine: `run_as_user`. Only a process that runs as root can; there is no way back."""

from __future__ import annotations

import os
import pwd

from tradewind.kernel.process import die_with_parent


class CannotBecome(Exception):
    """The process cannot become that user; the message says why and what would help."""


def become_user(name: str) -> None:
    """From now on this process belongs to `name`, with its groups and home. Nothing happens when it does already.

    Raises:
        CannotBecome: there is no such user, or this process does not run as root.
    """
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise CannotBecome(
            f"run_as_user={name!r}: this machine has no such user; make it, or correct the name"
        ) from None
    if os.geteuid() == user.pw_uid:
        return
    if os.geteuid() != 0:
        own = pwd.getpwuid(os.geteuid()).pw_name
        raise CannotBecome(f"run_as_user={name!r}: the agent runs as {own!r}; only an agent that runs as root can")
    os.initgroups(name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.environ.update(HOME=user.pw_dir, USER=name, LOGNAME=name)
    # Changing the user made the kernel forget this.
    die_with_parent(os.getppid())
