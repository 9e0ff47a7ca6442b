"""Message brokers for tests: those of the machine, or those that the environment names."""

from __future__ import annotations

import os

import pytest

URLS = {
    "redis": ("TRADEWIND_TEST_REDIS_URL", "redis://127.0.0.1:6379/5"),
    "rabbitmq": ("TRADEWIND_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}


def broker_url(kind: str) -> str:
    """URL of a broker that answers. Skips the test when there is none, unless the environment names one."""
    from kombu import Connection

    variable, default = URLS[kind]
    url = os.environ.get(variable, default)
    try:
        with Connection(url, connect_timeout=3) as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
    except Exception as error:
        if variable in os.environ:
            raise
        pytest.skip(f"no {kind} at {default}: {error}")
    return url
