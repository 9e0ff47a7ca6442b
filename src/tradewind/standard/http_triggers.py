"""Requests that are sent, and repeated, in the triggerer."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from tradewind.sdk.triggers import BaseEventTrigger, BaseTrigger, TriggerEvent

from .http import HttpHook, HttpStatusError


class HttpTrigger(BaseTrigger):
    """Send one request; the payload is the answer (`pack_response`), or what went wrong.

    Parameters:
        http_conn_id: connection of type `http`.
        method, endpoint, headers, data, extra_options, request_kwargs: see `HttpHook.run`.
    """

    def __init__(
        self,
        http_conn_id: str = HttpHook.default_conn_name,
        auth_type: Any = None,
        method: str = "POST",
        endpoint: str | None = None,
        headers: dict[str, str] | None = None,
        data: Any = None,
        extra_options: dict[str, Any] | None = None,
        request_kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.http_conn_id = http_conn_id
        self.auth_type = auth_type
        self.method = method
        self.endpoint = endpoint
        self.headers = headers or {}
        self.data = data
        self.extra_options = extra_options or {}
        self.request_kwargs = request_kwargs or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        names = ("http_conn_id", "method", "endpoint", "headers", "data", "extra_options", "request_kwargs")
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        try:
            response = await asyncio.to_thread(self._send)
        except Exception as error:
            # Whatever it was, the task tells it: a trigger that fails says less.
            yield TriggerEvent({"status": "error", "message": f"{type(error).__name__}: {error}"})
        else:
            yield TriggerEvent({"status": "success", "response": pack_response(response)})

    def _send(self) -> httpx.Response:
        hook = HttpHook(self.method, self.http_conn_id, self.auth_type)
        return hook.run(self.endpoint, self.data, self.headers, self.extra_options, **self.request_kwargs)


class HttpSensorTrigger(HttpTrigger):
    """Send a request again and again until it is answered well.

    Parameters:
        poke_interval: seconds between two requests.
        response_error_codes_allowlist: statuses that mean "not yet".
    """

    def __init__(
        self,
        endpoint: str | None,
        http_conn_id: str = HttpHook.default_conn_name,
        method: str = "GET",
        data: Any = None,
        headers: dict[str, str] | None = None,
        extra_options: dict[str, Any] | None = None,
        poke_interval: float = 5.0,
        response_error_codes_allowlist: list[str] | None = None,
        request_kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(http_conn_id, None, method, endpoint, headers, data, extra_options, request_kwargs)
        self.poke_interval = poke_interval
        self.response_error_codes_allowlist = [str(code) for code in response_error_codes_allowlist or ("404",)]

    def serialize(self) -> tuple[str, dict[str, Any]]:
        path, facts = super().serialize()
        own = ("poke_interval", "response_error_codes_allowlist")
        return path, facts | {name: getattr(self, name) for name in own}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while True:
            try:
                await asyncio.to_thread(self._send)
            except HttpStatusError as error:
                if str(error.status_code) not in self.response_error_codes_allowlist:
                    yield TriggerEvent({"status": "error", "message": str(error)})
                    return
                self.log.info("%s", error)
            except httpx.TransportError as error:
                self.log.info("no answer yet: %s", error)
            else:
                yield TriggerEvent({"status": "success"})
                return
            await asyncio.sleep(self.poke_interval)


class HttpEventTrigger(HttpTrigger, BaseEventTrigger):
    """Send a request again and again; each good answer is an event with the text of the answer. For assets.

    Parameters:
        poll_interval: seconds between two requests.
    """

    def __init__(self, poll_interval: float = 60.0, **kwargs: Any) -> None:
        super().__init__(**{"method": "GET", **kwargs})
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        path, facts = super().serialize()
        return path, facts | {"poll_interval": self.poll_interval}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while True:
            try:
                response = await asyncio.to_thread(self._send)
            except (HttpStatusError, httpx.TransportError) as error:
                self.log.warning("no good answer: %s", error)
            else:
                yield TriggerEvent(response.text)
            await asyncio.sleep(self.poll_interval)


def pack_response(response: httpx.Response) -> dict[str, Any]:
    """An answer as plain data."""
    return {
        "status_code": response.status_code,
        "headers": dict(response.headers),
        "content": base64.b64encode(response.content).decode(),
        "url": str(response.request.url),
        "method": response.request.method,
    }


def unpack_response(packed: Mapping[str, Any]) -> httpx.Response:
    """The answer that was packed."""
    unchanged = {"content-encoding", "content-length", "transfer-encoding"}
    response = httpx.Response(
        packed["status_code"],
        headers={name: value for name, value in packed["headers"].items() if name.lower() not in unchanged},
        content=base64.b64decode(packed["content"]),
        request=httpx.Request(packed["method"], packed["url"]),
    )
    response.ok = response.is_success  # type: ignore[attr-defined] # checks written for the `requests` library ask for it
    return response
