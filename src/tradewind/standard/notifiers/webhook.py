"""A request to any address as a notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tradewind.sdk.connections import Connection, find_connection
from tradewind.sdk.errors import WrongArgument
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.notifier import BaseNotifier

TIMEOUT_SECONDS = 30.0
_FACTS = {
    "dag_id": "{{ dag.dag_id }}",
    "run_id": "{{ run_id }}",
    "task_id": "{{ ti.task_id if ti is defined and ti else '' }}",
    "reason": "{{ reason | default('') }}",
    "exception": "{{ exception | default('') }}",
}


class WebhookNotifier(BaseNotifier):
    """Sends JSON to an address.

    Parameters:
        url: the address; templated. Without it the connection has it.
        conn_id: connection of type `http`: host (with protocol), its password or `token` of its extra as bearer token,
            further fields of its extra as headers.
        payload: what is sent, templated; default: DAG, run, task, reason and exception.
        method: HTTP method.
        headers: further headers, templated.
        timeout: seconds.

    Raises:
        WrongArgument: there is neither url nor conn_id.
    """

    template_fields: Sequence[str] = ("url", "payload", "headers")

    def __init__(
        self,
        url: str | None = None,
        *,
        conn_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(context=context)
        if url is None and conn_id is None:
            raise WrongArgument(f"{type(self).__name__} needs url= or conn_id=")
        self.url = url
        self.conn_id = conn_id
        self.payload = dict(_FACTS if payload is None else payload)
        self.method = method
        self.headers = dict(headers or {})
        self.timeout = timeout

    def notify(self, context: Any) -> None:  # noqa: ARG002 # rendered already
        """Send it. Raises `AirflowException` naming the answer when it is refused."""
        with httpx.Client(timeout=self.timeout) as client:
            self.check(client.send(self.request()))

    async def async_notify(self, context: Any) -> None:  # noqa: ARG002 # rendered already
        """Send it, without blocking the event loop."""
        async with httpx.AsyncClient(timeout=self.timeout) as client:
            self.check(await client.send(self.request()))

    def request(self) -> httpx.Request:
        """What is sent."""
        url, headers = self.url, dict(self.headers)
        if self.conn_id is not None:
            connection = find_connection(self.conn_id)
            url = url or address_of(connection)
            token = connection.extra_dejson.get("token") or connection.password
            if token:
                headers.setdefault("Authorization", f"Bearer {token}")
        return httpx.Request(self.method, url or "", json=self.payload, headers=headers)

    def check(self, response: httpx.Response) -> None:
        """Raises `AirflowException` for an answer that is no success; the address, which may be a secret, is not
        shown."""
        if not response.is_success:
            raise AirflowException(
                f"the webhook at {response.request.url.host} answered {response.status_code} "
                f"{response.reason_phrase}: {response.text[:200]}"
            )


def address_of(connection: Connection) -> str:
    """The address a connection holds. Raises `AirflowException` when it has no host."""
    host = connection.host or ""
    if not host:
        raise AirflowException(
            f"connection {connection.conn_id!r} needs a host, such as https://hooks.example.org/path"
        )
    if "://" not in host:
        host = f"{connection.schema or 'https'}://{host}"
    if connection.port and f":{connection.port}" not in host:
        scheme, _, rest = host.partition("://")
        place, slash, path = rest.partition("/")
        host = f"{scheme}://{place}:{connection.port}{slash}{path}"
    return host
