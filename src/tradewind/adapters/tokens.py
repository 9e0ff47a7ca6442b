"""Signed bearer tokens for people and scripts (JWT, HS256)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tradewind.kernel.clock import Clock
from tradewind.wire.errors import Unauthenticated

_ALGORITHM = "HS256"
_ISSUER = "tradewind"
_CLAIMS = ["sub", "iat", "exp", "iss", "pwd"]
_REMEDY = "sign in again (POST /auth/token)"


class TokenFacts(NamedTuple):
    """What a valid token says."""

    username: str
    password_mark: str
    """Of the password the user had then (`commands.users.password_mark`): a new password ends old tokens."""


class BearerTokens:
    """Issues tokens and reads them. Safe between threads.

    Parameters:
        key: signs them (`kernel.keys.ensure_key`); all API servers of an installation share it.
        clock: judges when they end.
        seconds: how long one is valid (auth.token_seconds).
    """

    def __init__(self, key: bytes, clock: Clock, seconds: int) -> None:
        self._key = key
        self._clock = clock
        self.seconds = seconds

    def issue(self, username: str, password_mark: str, seconds: int | None = None) -> str:
        """A token. `seconds`: how long it is valid, if not as long as others."""
        import jwt  # with its cryptography it takes 9 MB, and a server may live long before anybody signs in

        now = self._clock.now()
        claims = {
            "sub": username,
            "pwd": password_mark,
            "iss": _ISSUER,
            "iat": now,
            "exp": now + timedelta(seconds=self.seconds if seconds is None else seconds),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> TokenFacts:
        """Raises:
        Unauthenticated: it is not ours, was changed, or is over.
        """
        import jwt

        # Times are judged below, by our clock.
        options = {"verify_exp": False, "verify_iat": False, "require": _CLAIMS}
        try:
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM], issuer=_ISSUER, options=options)  # type: ignore[arg-type]
            ends = datetime.fromtimestamp(claims["exp"], UTC)
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError):
            raise Unauthenticated(f"the bearer token is not valid here; {_REMEDY}") from None
        if ends <= self._clock.now():
            raise Unauthenticated(f"the bearer token ended at {ends.isoformat()}; {_REMEDY}")
        return TokenFacts(claims["sub"], claims["pwd"])
