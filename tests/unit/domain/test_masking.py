from __future__ import annotations

from collections.abc import Iterator

import pytest

from tradewind.domain.masking import MASK, also_sensitive, is_sensitive, masked, masked_text


@pytest.fixture(autouse=True)
def _only_here() -> Iterator[None]:
    yield
    also_sensitive(())


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWORD", "api-key", "apikey", "AccessToken", "private_key_file", "sentry_dsn", "proxy"]
)
def test_names_that_speak_of_secrets(name: str) -> None:
    assert is_sensitive(name)


@pytest.mark.parametrize("name", ["", "path", "pwd", "username", "tokyo", "note"])
def test_names_that_do_not(name: str) -> None:
    assert not is_sensitive(name)


def test_people_may_add_words() -> None:
    assert not is_sensitive("customer_iban")
    also_sensitive(["IBAN", " pin_code ", ""])
    assert is_sensitive("customer_iban")
    assert is_sensitive("Pin-Code")
    assert not is_sensitive("path")


def test_values_are_masked_however_deep() -> None:
    given = {"host": "h", "auth": {"password": "p", "list": [{"token": ["t"]}]}, "secret": {"a": 1, "b": None}}
    assert masked(given) == {
        "host": "h",
        "auth": {"password": MASK, "list": [{"token": [MASK]}]},
        "secret": {"a": MASK, "b": None},
    }
    assert masked_text('{"password": "p"}') == '{"password": "***"}'
    assert masked_text("plain", "api_key") == MASK
    assert masked_text("plain", "host") == "plain"
