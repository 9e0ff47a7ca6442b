"""A message in Slack through an incoming webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tradewind.sdk.connections import find_connection

from .webhook import TIMEOUT_SECONDS, WebhookNotifier, address_of

CONN_ID = "slack_default"
TEXT = "{{ dag.dag_id }}{% if ti is defined and ti %}.{{ ti.task_id }}{% endif %}: {{ reason | default('done') }}"


class SlackWebhookNotifier(WebhookNotifier):
    """Posts a message.

    Parameters:
        slack_webhook_conn_id: connection: host is the address of the webhook, or host and the secret part of the path
            as password.
        text: the message, a template.
        blocks, attachments: of Slack, templated.
        unfurl_links, unfurl_media: whether Slack shows previews.
        timeout: seconds.
    """

    template_fields: Sequence[str] = ("text", "blocks", "attachments", "unfurl_links", "unfurl_media")

    def __init__(
        self,
        *,
        slack_webhook_conn_id: str = CONN_ID,
        text: str = TEXT,
        blocks: list[Any] | None = None,
        attachments: list[Any] | None = None,
        unfurl_links: bool | None = None,
        unfurl_media: bool | None = None,
        timeout: float = TIMEOUT_SECONDS,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(conn_id=slack_webhook_conn_id, timeout=timeout, context=context)
        self.text = text
        self.blocks = blocks
        self.attachments = attachments
        self.unfurl_links = unfurl_links
        self.unfurl_media = unfurl_media

    def request(self) -> httpx.Request:
        connection = find_connection(self.conn_id or CONN_ID)
        url = address_of(connection)
        if connection.password:
            url = f"{url.rstrip('/')}/{connection.password.lstrip('/')}"
        fields = ("text", "blocks", "attachments", "unfurl_links", "unfurl_media")
        payload = {name: getattr(self, name) for name in fields if getattr(self, name) is not None}
        return httpx.Request("POST", url, json=payload)
