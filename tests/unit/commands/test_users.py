from __future__ import annotations

import pytest
from tests.unit.commands.world import World

from tradewind.commands import users
from tradewind.ports.rows import UserRow
from tradewind.wire.errors import BadInput, Conflict, NotFound, Unauthenticated


class QuickPasswords:
    """Hashes that cost nothing, and count."""

    def __init__(self, version: str = "1") -> None:
        self.version = version
        self.work = 0

    def hash(self, password: str) -> str:
        self.work += 1
        return f"{self.version}:{password[::-1]}"

    def fits(self, hashed: str, password: str) -> bool:
        self.work += 1
        return hashed.partition(":")[2] == password[::-1]

    def is_outdated(self, hashed: str) -> bool:
        return not hashed.startswith(self.version)


def ensure(world: World, password: str = "") -> users.FirstAdmin | None:
    return users.ensure_admin(world.store, QuickPasswords(), world.clock.now(), "admin", password)


def test_the_first_admin_is_made_once_with_a_password_that_is_shown_once(world: World) -> None:
    made = ensure(world)
    assert made is not None
    assert made.generated_password is not None
    assert len(made.generated_password) >= 20
    assert users.sign_in(world.store, QuickPasswords(), "admin", made.generated_password).roles == ("Admin",)
    assert ensure(world) is None


def test_a_given_password_is_used_and_not_shown(world: World) -> None:
    made = ensure(world, "pw")
    assert made == ("admin", None)
    assert users.sign_in(world.store, QuickPasswords(), "admin", "pw").username == "admin"


def test_an_admin_made_by_another_server_meanwhile_stays(world: World) -> None:
    class Late(QuickPasswords):
        def hash(self, password: str) -> str:
            ensure(world, "theirs")
            return super().hash(password)

    assert users.ensure_admin(world.store, Late(), world.clock.now(), "admin", "ours") is None
    users.sign_in(world.store, QuickPasswords(), "admin", "theirs")


def test_wrong_credentials_take_the_same_work_and_say_the_same(world: World) -> None:
    ensure(world, "right")
    said = set()
    for name, password in (("admin", "wrong"), ("nobody", "wrong"), ("x" * 300, "wrong")):
        passwords = QuickPasswords()
        with pytest.raises(Unauthenticated) as refused:
            users.sign_in(world.store, passwords, name, password)
        said.add(str(refused.value))
        assert passwords.work == 1
    assert len(said) == 1


def test_who_is_not_active_cannot_sign_in(world: World) -> None:
    with world.store.begin() as tx:
        tx.user_put(UserRow(username="gone", password_hash="1:wp", roles=("User",), is_active=False))
    with pytest.raises(Unauthenticated):
        users.sign_in(world.store, QuickPasswords(), "gone", "pw")


def test_an_outdated_hash_is_renewed_at_sign_in(world: World) -> None:
    ensure(world, "pw")
    row = users.sign_in(world.store, QuickPasswords("2"), "admin", "pw")
    assert row.password_hash.startswith("2:")
    with world.store.read() as tx:
        assert tx.user_get("admin") == row


def test_a_new_password_ends_old_tokens(world: World) -> None:
    passwords = QuickPasswords()
    with world.store.begin() as tx:
        row = users.create_user(tx, passwords, world.clock.now(), "ann", "old-password", "viewer")
        mark = users.password_mark(row)
        assert users.user_of_token(tx, "ann", mark) == row
        users.set_password(tx, passwords, "ann", "new-password")
        with pytest.raises(Unauthenticated):
            users.user_of_token(tx, "ann", mark)
        with pytest.raises(Unauthenticated):
            users.user_of_token(tx, "nobody", mark)


@pytest.mark.parametrize(
    ("username", "password", "role"),
    [
        ("", "long enough", "user"),
        (" ann", "long enough", "user"),
        ("ann", "short", "user"),
        ("ann", "long enough", "king"),
    ],
)
def test_wrong_facts_are_refused(world: World, username: str, password: str, role: str) -> None:
    with world.store.begin() as tx, pytest.raises(BadInput):
        users.create_user(tx, QuickPasswords(), world.clock.now(), username, password, role)


def test_names_are_unique_and_unknown_ones_said(world: World) -> None:
    with world.store.begin() as tx:
        users.create_user(tx, QuickPasswords(), world.clock.now(), "ann", "long enough", "user")
        with pytest.raises(Conflict, match="'ann'"):
            users.create_user(tx, QuickPasswords(), world.clock.now(), "ann", "long enough", "user")
        with pytest.raises(NotFound, match="'bob'"):
            users.set_password(tx, QuickPasswords(), "bob", "long enough")
