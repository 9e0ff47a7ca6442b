"""Becoming another user, in a process that is thrown away afterwards."""

from __future__ import annotations

import os
import pwd

import pytest

from tradewind.runtime.user import CannotBecome, become_user

_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")


def _in_child(work: str) -> str:
    import subprocess
    import sys

    code = f"import os\nfrom tradewind.runtime.user import become_user\n{work}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout


@_root
def test_a_process_of_root_becomes_somebody() -> None:
    name = "nobody"
    said = _in_child(f"become_user({name!r})\nprint(os.getuid(), os.geteuid(), os.environ['USER'])")
    uid = pwd.getpwnam(name).pw_uid
    assert said.split() == [str(uid), str(uid), name]


@_root
def test_there_is_no_way_back_and_no_way_on() -> None:
    said = _in_child("become_user('nobody')\ntry:\n    become_user('root')\nexcept Exception as e:\n    print(e)")
    assert "the agent runs as 'nobody'; only an agent that runs as root can" in said


def test_nobody_of_that_name() -> None:
    with pytest.raises(CannotBecome, match="this machine has no such user"):
        become_user("no-such-user-here")


def test_who_one_is_already() -> None:
    become_user(pwd.getpwuid(os.geteuid()).pw_name)
