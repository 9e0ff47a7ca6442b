from __future__ import annotations

import jwt
import pytest

from tradewind.adapters.tokens import BearerTokens
from tradewind.kernel.clock import VirtualClock
from tradewind.wire.errors import Unauthenticated

KEY = b"k" * 32


def test_a_token_says_who_it_is_until_it_ends() -> None:
    clock = VirtualClock()
    tokens = BearerTokens(KEY, clock, 60)
    token = tokens.issue("ann", "mark")
    clock.advance(59)
    assert tokens.read(token) == ("ann", "mark")
    clock.advance(1)
    with pytest.raises(Unauthenticated, match="ended at 2024-01-01T00:01:00"):
        tokens.read(token)


def test_what_is_not_ours_is_refused() -> None:
    clock = VirtualClock()
    tokens = BearerTokens(KEY, clock, 60)
    good = tokens.issue("ann", "mark")
    facts = {"sub": "ann", "pwd": "mark", "iss": "tradewind", "iat": clock.now(), "exp": 4102444800}
    wrong = [
        "",
        "x.y.z",
        good[:-4] + "AAAA",
        BearerTokens(b"o" * 32, clock, 60).issue("ann", "mark"),
        jwt.encode(facts, "", algorithm="none"),
        jwt.encode(facts | {"iss": "other"}, KEY),
        jwt.encode({name: value for name, value in facts.items() if name != "exp"}, KEY),
        jwt.encode(facts | {"exp": 10**20}, KEY),
    ]
    for token in wrong:
        with pytest.raises(Unauthenticated):
            tokens.read(token)
    assert tokens.read(jwt.encode(facts, KEY)) == ("ann", "mark")
