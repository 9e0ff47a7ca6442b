"""The state stores of the context: what a task instance remembers over its retries, and what assets remember.

    context["task_state_store"].set("job", {"id": 7})
    context["asset_state_store"][orders].get("watermark")

Values are plain JSON. Those of a task are kept for 30 days unless said otherwise, those of an asset for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from tradewind.sdk.attempt import Attempt
from tradewind.sdk.errors import WrongValue
from tradewind.wire.execution import DropState, GetState, PutState, Text


class NeverExpire:
    """Retention of a value that is to be kept for ever."""

    def __repr__(self) -> str:
        return "NEVER_EXPIRE"


NEVER_EXPIRE = NeverExpire()
VALUE_BYTES_MAX = 65_535
"""Of JSON; the control plane refuses more."""
Retention = timedelta | NeverExpire | None


class StateAccessor:
    """Values of one place.

    Parameters:
        attempt: whose channel is used.
        asset: name or URI of the asset; None: of the running task instance.
    """

    def __init__(self, attempt: Attempt, asset: str | None = None) -> None:
        self._attempt = attempt
        self._asset = asset

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or the default."""
        reply = self._attempt.client.ask(GetState(token=self._attempt.token, key=key, asset=self._asset))
        assert isinstance(reply, Text)
        return default if reply.value is None else json.loads(reply.value)

    def set(self, key: str, value: Any, *, retention: Retention = None) -> None:
        """Write or overwrite.

        Parameters:
            retention: timedelta after which it is forgotten; NEVER_EXPIRE; None: the default.

        Raises:
            WrongValue: the value is None, no plain JSON, or too big; or the retention is not positive.
        """
        text = _json(key, value)
        seconds = _seconds(retention)
        message = PutState(token=self._attempt.token, key=key, value=text, asset=self._asset, retention_seconds=seconds)
        self._attempt.client.ask(message)

    def delete(self, key: str) -> None:
        """Forget one value; one that is not there is no error."""
        self._attempt.client.ask(DropState(token=self._attempt.token, key=key, asset=self._asset))

    def clear(self) -> None:
        """Forget all values of this place."""
        self._attempt.client.ask(DropState(token=self._attempt.token, asset=self._asset))

    async def aget(self, key: str, default: Any = None) -> Any:
        """As `get`, without blocking the event loop."""
        return await _in_thread(self.get, key, default)

    async def aset(self, key: str, value: Any, *, retention: Retention = None) -> None:
        """As `set`, without blocking the event loop."""
        await _in_thread(self.set, key, value, retention=retention)

    async def adelete(self, key: str) -> None:
        """As `delete`, without blocking the event loop."""
        await _in_thread(self.delete, key)

    async def aclear(self) -> None:
        """As `clear`, without blocking the event loop."""
        await _in_thread(self.clear)

    def __repr__(self) -> str:
        return f"<state store of {'this task instance' if self._asset is None else f'asset {self._asset!r}'}>"


class AssetStateAccessors(StateAccessor):
    """The state stores of the assets a task reads or makes, by asset. With exactly one of them, its values may be had
    directly.

    Parameters:
        assets: inlets and outlets of the task.
    """

    def __init__(self, attempt: Attempt, assets: Iterable[Any]) -> None:
        super().__init__(attempt)
        self._places = {place: None for asset in assets if (place := asset_place(asset)) is not None}

    def __getitem__(self, asset: Any) -> StateAccessor:
        place = asset_place(asset)
        if place is None or place not in self._places:
            raise KeyError(f"{asset!r} is neither an inlet nor an outlet of this task; it has {self._listed()}")
        return StateAccessor(self._attempt, place)

    def _single(self) -> StateAccessor:
        if len(self._places) != 1:
            raise WrongValue(
                f"this task has {len(self._places)} assets ({self._listed()}): say which, asset_state_store[asset]"
            )
        return StateAccessor(self._attempt, next(iter(self._places)))

    def _listed(self) -> str:
        return ", ".join(map(repr, self._places)) or "none"

    def get(self, key: str, default: Any = None) -> Any:
        return self._single().get(key, default)

    def set(self, key: str, value: Any, *, retention: Retention = None) -> None:
        self._single().set(key, value, retention=retention)

    def delete(self, key: str) -> None:
        self._single().delete(key)

    def clear(self) -> None:
        self._single().clear()

    def __repr__(self) -> str:
        return f"<state stores of {self._listed()}>"


async def _in_thread(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    import asyncio  # heavy, and most tasks need none

    return await asyncio.to_thread(function, *arguments, **named)


def asset_place(asset: Any) -> str | None:
    """What an asset, or a reference to one, is known by here; None for what is none (an alias)."""
    if type(asset).__name__ == "AssetAlias":
        return None
    return getattr(asset, "name", None) or getattr(asset, "uri", None)


def _json(key: str, value: Any) -> str:
    if value is None:
        raise WrongValue(f"state {key!r} cannot be None; delete the key instead")
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise WrongValue(f"state {key!r} must be plain JSON (texts, numbers, lists, dicts): {error}") from None
    if len(text) > VALUE_BYTES_MAX:
        raise WrongValue(
            f"state {key!r} has {len(text)} bytes of JSON; at most {VALUE_BYTES_MAX} are kept: write the data to a "
            "file or table and keep its location"
        )
    return text


def _seconds(retention: Any) -> float | None:
    if retention is None:
        return None
    if isinstance(retention, NeverExpire):
        return -1.0
    if not isinstance(retention, timedelta) or retention <= timedelta(0):
        raise WrongValue(f"retention must be a positive timedelta or NEVER_EXPIRE, not {retention!r}")
    return retention.total_seconds()
