from __future__ import annotations

from argon2 import PasswordHasher

from tradewind.adapters.passwords import Argon2Passwords


def test_a_hash_fits_its_password_only() -> None:
    passwords = Argon2Passwords()
    hashed = passwords.hash("correct horse")
    assert hashed.startswith("$argon2id$")
    assert passwords.fits(hashed, "correct horse")
    assert not passwords.fits(hashed, "wrong horse")
    assert not passwords.fits("no hash at all", "correct horse")
    assert not passwords.is_outdated(hashed)


def test_weaker_hashes_are_outdated() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("pw")
    passwords = Argon2Passwords()
    assert passwords.fits(weak, "pw")
    assert passwords.is_outdated(weak)
