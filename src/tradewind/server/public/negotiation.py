"""Which form of an answer somebody takes, and whether what he knew of a thing is still so."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import Header

from tradewind.server.problems import NotAcceptable, PreconditionFailed

Accept = Annotated[str, Header(json_schema_extra={"enum": ["application/json", "text/plain", "*/*"]})]
AcceptLines = Annotated[str, Header(json_schema_extra={"enum": ["application/json", "application/x-ndjson", "*/*"]})]
IfMatch = Annotated[str | None, Header()]


def wanted_type(accept: str, *offers: str) -> str:
    """The offered type that suits `accept` best; the first where all are equal. Raises `NotAcceptable`."""
    best, best_weight = "", 0.0
    for offer in offers:
        weight = max((_weight(part, offer) for part in accept.split(",")), default=0.0)
        if weight > best_weight:
            best, best_weight = offer, weight
    if not best:
        raise NotAcceptable(f"this is given as {' or '.join(offers)}, not as {accept!r}")
    return best


def _weight(part: str, offer: str) -> float:
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    if kind.lower() not in (offer, "*/*", f"{offer.partition('/')[0]}/*"):
        return 0.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def etag(*facts: Any) -> str:
    """A tag that changes whenever one of the facts does."""
    raw = msgspec.json.encode(facts, order="deterministic")
    return f'"{hashlib.sha256(raw).hexdigest()[:32]}"'


def check_match(if_match: str | None, current: str) -> None:
    """Return when the caller wants to change what he has seen. Raises `PreconditionFailed`."""
    if if_match is None or if_match.strip() == "*":
        return
    if current not in (tag.strip().removeprefix("W/") for tag in if_match.split(",")):
        raise PreconditionFailed("somebody has changed this since you read it: read it again, then change it")
