"""What an agent must know, taken from the settings of the process."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tradewind.kernel.settings.model import OPTIONS, Settings
from tradewind.sdk.attempt import SENSITIVE_VARIABLE
from tradewind.sdk.defaults import DEFAULTS_VARIABLE, Defaults
from tradewind.sdk.lookups import LOOKUP_VARIABLE
from tradewind.wire.workload import agent_credential

from .secrets.client import SecretsSettings
from .user_code import LOADER

BASE_URL_VARIABLE = "TRADEWIND__API__BASE_URL"
"""Where links in task logs and callbacks lead."""

PRELOAD = (
    "ctypes",
    "tradewind.runtime.template",
    "tradewind.runtime.dag_program",
    "tradewind.runtime.inherited",
    "dateutil.tz",
    "pendulum",
    "pendulum.parser",
    "subprocess",
    "tempfile",
)
"""Imported by the zygote before any DAG file: the SDK, and what nearly every task needs as soon as it runs. What is
missing here is imported in each child anew."""


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an agent is configured by. Times in seconds."""

    name: str
    """Stable over restarts, different for each agent of a host: `host:slot`."""
    hostname: str
    url: str
    key: bytes
    """Opens workloads."""
    credential: str
    """Shown to the execution face."""
    socket: Path
    spool_dir: Path
    spool_bytes_max: int
    logs_folder: Path
    log_level: str
    line_bytes_max: int
    mask_length_min: int
    bundles_root: Path
    values_url: str
    inline_bytes_max: int
    value_bytes_max: int
    slots: int
    waiting_max: int
    """Attempts that may wait for a slot here; more are given back."""
    batch_max: int
    retry_seconds_min: float
    retry_seconds_max: float
    heartbeat_seconds: float
    lost_seconds: float
    cleanup_seconds: float
    """Between SIGTERM and SIGKILL; also what a task that timed out gets to end by itself."""
    stop_seconds: float
    """How long attempts may take to end when the agent stops."""
    import_seconds_max: float
    template_memory_bytes_max: int
    reuse_idle_seconds: float
    restart_seconds_min: float
    restart_seconds_max: float
    secrets: SecretsSettings = SecretsSettings()
    executor: str = "local"
    queues: tuple[str, ...] = ("default",)
    environment: dict[str, str] = {}
    preload: tuple[str, ...] = PRELOAD
    loader: str = LOADER


def agent_settings(
    settings: Settings, key: bytes, environment: Mapping[str, str] | None = None, preload: Sequence[str] = ()
) -> AgentSettings:
    """The agent's settings.

    Parameters:
        key: the execution key (content of execution.key_file).
        environment: what tasks inherit; default: this process's own. Settings that are secret, and the database, are
            taken out: tasks hold no credentials.
        preload: further modules for the zygote (the operators that come in the box).
    """
    hostname = socket.gethostname()
    # The socket is what makes two agents of a host two.
    slot = hashlib.sha256(os.fsencode(settings.agent.socket)).hexdigest()[:8]
    stop_seconds = max(1.0, settings.standalone.stop_seconds * 0.6)
    return AgentSettings(
        name=f"{hostname}:{slot}",
        hostname=hostname,
        url=settings.execution.url,
        key=key,
        credential=agent_credential(key),
        socket=settings.agent.socket,
        spool_dir=settings.agent.spool_dir,
        spool_bytes_max=settings.agent.spool_bytes_max,
        logs_folder=settings.logs.folder,
        log_level=settings.logs.level,
        line_bytes_max=settings.logs.line_bytes_max,
        mask_length_min=settings.secrets.mask_length_min,
        bundles_root=settings.bundles.root,
        values_url=settings.values.url,
        inline_bytes_max=settings.values.inline_bytes_max,
        value_bytes_max=settings.values.bytes_max,
        slots=settings.core.parallelism,
        waiting_max=max(settings.scheduler.batch_max, 4 * settings.core.parallelism),
        batch_max=settings.agent.report_batch_max,
        retry_seconds_min=settings.agent.report_retry_seconds_min,
        retry_seconds_max=settings.agent.report_retry_seconds_max,
        heartbeat_seconds=settings.agent.heartbeat_seconds,
        lost_seconds=settings.agent.lost_seconds,
        cleanup_seconds=settings.core.killed_task_cleanup_seconds,
        stop_seconds=stop_seconds,
        import_seconds_max=settings.processor.parse_timeout_seconds,
        template_memory_bytes_max=settings.agent.template_memory_bytes_max,
        reuse_idle_seconds=settings.agent.reuse_idle_seconds,
        restart_seconds_min=settings.standalone.restart_seconds_min,
        restart_seconds_max=settings.standalone.restart_seconds_max,
        secrets=SecretsSettings(
            settings.secrets.backend, settings.secrets.backend_kwargs, settings.secrets.cache_seconds
        ),
        environment={
            **task_environment(settings.home, os.environ if environment is None else environment),
            DEFAULTS_VARIABLE: Defaults.of(settings.core).as_text(),
            BASE_URL_VARIABLE: settings.api.base_url,
            SENSITIVE_VARIABLE: settings.secrets.sensitive_names,
            LOOKUP_VARIABLE: str(lookup_path(settings.agent.socket)),
        },
        preload=(*PRELOAD, *preload),
    )


def lookup_path(agent_socket: Path) -> Path:
    """Where the agent of this socket answers DAG files that are loaded."""
    return agent_socket.with_name(f"{agent_socket.stem}-lookup.sock")


def task_environment(home: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without settings that are secret, and with the home named."""
    hidden = {option.environment_name for option in OPTIONS.values() if option.secret}
    hidden.add(OPTIONS["database.url"].environment_name)
    kept = {name: value for name, value in environment.items() if name not in hidden}
    return kept | {"TRADEWIND_HOME": str(home)}
