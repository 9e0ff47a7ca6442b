"""`airflow.configuration.conf`: options by section and name, as code written for Airflow reads them.

An option is looked for in the environment (`AIRFLOW__SECTION__OPTION`, also with `_CMD` for a command that prints it),
in `airflow.cfg` of the Airflow home, in the `config` that installed providers declare, and in the few defaults below
that people's code asks for. What has a meaning for Tradewind itself is taken from Tradewind's settings first.
"""

from __future__ import annotations

import configparser
import json
import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from tradewind.sdk.exceptions import AirflowConfigException

ENV_VAR_PREFIX = "AIRFLOW__"
_UNSET: Any = object()
_TRUE = ("t", "true", "1")
_FALSE = ("f", "false", "0")

_DEFAULTS: dict[str, dict[str, str]] = {
    "core": {
        "executor": "LocalExecutor",
        "load_examples": "False",
        "unit_test_mode": "False",
        "multi_team": "False",
        "enable_xcom_pickling": "False",
        "xcom_backend": "airflow.models.xcom.BaseXCom",
        "default_task_execution_timeout": "",
        "max_map_length": "100000",
        "plugins_folder": "{AIRFLOW_HOME}/plugins",
        "hostname_callable": "airflow.utils.net.getfqdn",
        "default_task_weight_rule": "downstream",
        "default_task_retry_delay": "300",
        "max_task_retry_delay": "86400",
        "dagbag_import_timeout": "30",
        "killed_task_cleanup_time": "60",
        "might_contain_dag_callable": "airflow.utils.file.might_contain_dag_via_default_heuristic",
        "allowed_deserialization_classes": "airflow.*",
        "fernet_key": "",
        "sensitive_var_conn_names": "",
        "hide_sensitive_var_conn_fields": "True",
        "dags_are_paused_at_creation": "True",
        "test_connection": "Disabled",
        "internal_api_url": "",
        "execution_api_server_url": "",
        "security": "",
    },
    "operators": {
        "default_owner": "airflow",
        "default_deferrable": "false",
        "default_queue": "default",
        "default_cpus": "1",
        "default_ram": "512",
        "default_disk": "512",
        "default_gpus": "0",
        "allow_illegal_arguments": "False",
    },
    "logging": {
        "base_log_folder": "{AIRFLOW_HOME}/logs",
        "remote_logging": "False",
        "remote_log_conn_id": "",
        "remote_base_log_folder": "",
        "delete_local_logs": "False",
        "encrypt_s3_logs": "False",
        "google_key_path": "",
        "logging_level": "INFO",
        "log_format": "[%(asctime)s] {%(filename)s:%(lineno)d} %(levelname)s - %(message)s",
        "simple_log_format": "%(asctime)s %(levelname)s - %(message)s",
        "remote_task_handler_kwargs": "",
        "logging_config_class": "",
        "min_length_masked_secret": "5",
        "trigger_log_server_port": "8794",
        "worker_log_server_port": "8793",
        "task_log_reader": "task",
        "log_filename_template": "{{ ti.dag_id }}/{{ ti.run_id }}/{{ ti.task_id }}/{{ try_number }}.log",
    },
    "email": {
        "email_backend": "airflow.utils.email.send_email_smtp",
        "email_conn_id": "smtp_default",
        "default_email_on_retry": "True",
        "default_email_on_failure": "True",
        "ssl_context": "default",
        "from_email": "",
    },
    "smtp": {
        "smtp_host": "localhost",
        "smtp_starttls": "True",
        "smtp_ssl": "False",
        "smtp_port": "25",
        "smtp_mail_from": "airflow@example.com",
        "smtp_timeout": "30",
        "smtp_retry_limit": "5",
    },
    "api": {
        "base_url": "http://localhost:8080",
        "ssl_cert": "",
        "secret_key": "",
        "grid_view_sorting_order": "topological",
    },
    "api_auth": {"jwt_expiration_time": "86400", "jwt_secret": ""},
    "webserver": {"base_url": "http://localhost:8080", "secret_key": "", "default_ui_timezone": "UTC"},
    "database": {"sql_alchemy_conn": "sqlite:////dev/null", "sql_alchemy_schema": "", "max_db_retries": "3"},
    "scheduler": {
        "catchup_by_default": "False",
        "create_cron_data_intervals": "False",
        "create_delta_data_intervals": "False",
        "max_tis_per_query": "16",
        "job_heartbeat_sec": "5",
        "scheduler_heartbeat_sec": "5",
        "min_file_process_interval": "30",
        "child_process_log_directory": "{AIRFLOW_HOME}/logs/scheduler",
        "enable_tracemalloc": "False",
    },
    "secrets": {"backend": "", "backend_kwargs": "", "use_cache": "False", "cache_ttl_seconds": "900"},
    "metrics": {"statsd_on": "False", "statsd_host": "localhost", "statsd_port": "8125", "statsd_prefix": "airflow"},
    "traces": {"otel_on": "False"},
    "sensors": {"default_timeout": "604800"},
    "triggerer": {"default_capacity": "1000"},
    "lineage": {"backend": ""},
    "kerberos": {"ccache": "/tmp/airflow_krb5_ccache", "principal": "airflow", "keytab": "airflow.keytab"},  # noqa: S108
    "dag_processor": {"dag_bundle_storage_path": "", "dagbag_import_timeout": "30"},
    "workers": {"secrets_backend": "", "secrets_backend_kwargs": ""},
    "celery": {"worker_concurrency": "16", "default_queue": "default", "operation_timeout": "1.0"},
}
"""Section → option → what an Airflow that nobody configured says."""

_MOVED: dict[tuple[str, str], tuple[str, str]] = {
    ("core", "sql_alchemy_conn"): ("database", "sql_alchemy_conn"),
    ("core", "sql_alchemy_schema"): ("database", "sql_alchemy_schema"),
    ("core", "base_log_folder"): ("logging", "base_log_folder"),
    ("core", "remote_logging"): ("logging", "remote_logging"),
    ("core", "remote_log_conn_id"): ("logging", "remote_log_conn_id"),
    ("core", "remote_base_log_folder"): ("logging", "remote_base_log_folder"),
    ("core", "logging_level"): ("logging", "logging_level"),
    ("core", "log_format"): ("logging", "log_format"),
    ("core", "dag_concurrency"): ("core", "max_active_tasks_per_dag"),
    ("core", "non_pooled_task_slot_count"): ("core", "default_pool_task_slot_count"),
    ("core", "secure_mode"): ("core", "security"),
    ("scheduler", "statsd_on"): ("metrics", "statsd_on"),
    ("scheduler", "statsd_host"): ("metrics", "statsd_host"),
    ("scheduler", "statsd_port"): ("metrics", "statsd_port"),
    ("scheduler", "statsd_prefix"): ("metrics", "statsd_prefix"),
    ("webserver", "base_url"): ("api", "base_url"),
    ("webserver", "secret_key"): ("api", "secret_key"),
}
"""Option of an earlier Airflow → where it is now."""


def get_airflow_home() -> str:
    """The Airflow home: `AIRFLOW_HOME`, else `~/airflow`."""
    return str(Path(os.path.expandvars(os.environ.get("AIRFLOW_HOME", "~/airflow"))).expanduser())


def get_airflow_config(airflow_home: str | None = None) -> str:
    """Path of `airflow.cfg`: `AIRFLOW_CONFIG`, else the one in the home."""
    given = os.environ.get("AIRFLOW_CONFIG")
    if given:
        return str(Path(os.path.expandvars(given)).expanduser())
    return str(Path(airflow_home or get_airflow_home()) / "airflow.cfg")


class AirflowConfigParser:
    """Reads options. All lookups take (section, option) and raise `AirflowConfigException` for one that nobody knows,
    unless `fallback=` is given."""

    def __init__(self, config_file: str | None = None) -> None:
        self._config_file = config_file
        self._set: dict[tuple[str, str], str] = {}

    @cached_property
    def _file(self) -> Mapping[str, Mapping[str, str]]:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.optionxform = str.lower  # type: ignore[assignment]
        parser.read(self._config_file or get_airflow_config(), encoding="utf-8")
        return {name.lower(): dict(parser.items(name)) for name in parser.sections()}

    @cached_property
    def _of_providers(self) -> Mapping[str, Mapping[str, str | None]]:
        from airflow._core.providers_manager import provider_options

        return provider_options()

    def get(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> Any:
        """The text of an option."""
        place = section.lower(), key.lower()
        for one in dict.fromkeys((place, _MOVED.get(place, place))):
            found = self._look_up(*one)
            if found is not None:
                return found
        if fallback is not _UNSET:
            return fallback
        for one in dict.fromkeys((place, _MOVED.get(place, place))):
            if key.lower() in self._of_providers.get(one[0], {}):
                return None
        raise AirflowConfigException(f"section/key [{section}/{key}] not found in config")

    def _look_up(self, section: str, key: str) -> str | None:
        if (section, key) in self._set:
            return self._set[section, key]
        name = f"{ENV_VAR_PREFIX}{section.replace('.', '_').upper()}__{key.upper()}"
        if name in os.environ:
            return os.path.expandvars(os.environ[name])
        if command := os.environ.get(f"{name}_CMD"):
            return run_command(command)
        setting = self._setting(section, key)
        if setting is not None:
            return setting
        for source in (self._file, self._of_providers, _DEFAULTS):
            value = source.get(section, {}).get(key)
            if value is not None:
                return value.replace("{AIRFLOW_HOME}", get_airflow_home()) if "{AIRFLOW_HOME}" in value else value
        return None

    def _setting(self, section: str, key: str) -> str | None:
        from tradewind.sdk import configuration as ours

        name = ours._OURS.get((section, key)) if key != "fernet_key" else None
        return os.environ.get(f"TRADEWIND__{name.replace('.', '__').upper()}") if name is not None else None

    def get_mandatory_value(self, section: str, key: str, **kwargs: Any) -> str:
        """The text of an option. Raises ValueError when it is empty."""
        value = self.get(section, key, **kwargs)
        if value is None:
            raise ValueError(f"the value {section}/{key} should be set")
        return str(value)

    def get_mandatory_list_value(self, section: str, key: str, **kwargs: Any) -> list[str]:
        """As `getlist`. Raises ValueError when it is not set."""
        value = self.getlist(section, key, **kwargs)
        if value is None:
            raise ValueError(f"the value {section}/{key} should be set")
        return value

    def getboolean(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> bool:
        """An option as truth value."""
        value = self.get(section, key, fallback=fallback)
        if isinstance(value, bool) or value is None:
            return bool(value)
        text = str(value).split("#")[0].strip().lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise AirflowConfigException(
            f'Failed to convert value to bool. Please check "{key}" key in "{section}" section. '
            f'Current value: "{text}".'
        )

    def getint(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> int:
        """An option as whole number."""
        return self._converted(int, section, key, fallback)  # type: ignore[no-any-return]

    def getfloat(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> float:
        """An option as number."""
        return self._converted(float, section, key, fallback)  # type: ignore[no-any-return]

    def _converted(self, kind: Callable[[Any], Any], section: str, key: str, fallback: Any) -> Any:
        value = self.get(section, key, fallback=fallback)
        if value is None or value is fallback:
            return value
        try:
            return kind(str(value).split("#")[0].strip())
        except ValueError:
            raise AirflowConfigException(
                f"Failed to convert value to {getattr(kind, '__name__', kind)}. Please check {key!r} key in "
                f"{section!r} section. Current value: {value!r}."
            ) from None

    def getlist(self, section: str, key: str, delimiter: str = ",", fallback: Any = _UNSET, **_: Any) -> list[str]:
        """An option as list of texts."""
        value = self.get(section, key, fallback=fallback)
        if value is None or isinstance(value, list):
            return value or []
        return [one.strip() for one in str(value).split(delimiter) if one.strip()]

    def getenum(self, section: str, key: str, enum_class: Any, fallback: Any = _UNSET, **_: Any) -> Any:
        """An option as member of an enumeration."""
        value = self.get(section, key, fallback=fallback)
        if isinstance(value, enum_class):
            return value
        try:
            return enum_class[value]
        except KeyError:
            return enum_class(value)

    def getjson(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> Any:
        """An option as JSON."""
        default = None if fallback is _UNSET else fallback
        value = self.get(section, key, fallback=default)
        if not value:
            return default
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise AirflowConfigException(f"Unable to parse [{section}] {key!r} as valid json") from None

    def gettimedelta(self, section: str, key: str, fallback: Any = None, **_: Any) -> Any:
        """An option in seconds as timedelta."""
        from datetime import timedelta

        value = self.get(section, key, fallback=fallback)
        if not value:
            return fallback
        return value if isinstance(value, timedelta) else timedelta(seconds=float(value))

    def getimport(self, section: str, key: str, **kwargs: Any) -> Any:
        """The object that an option names by its dotted path; None when it is empty."""
        from airflow._core.modules import import_string

        path = self.get(section, key, **kwargs)
        if not path:
            return None
        try:
            return import_string(path)
        except ImportError as error:
            raise AirflowConfigException(
                f'The object could not be loaded. Please check "{key}" key in "{section}" section. '
                f'Current value: "{path}".'
            ) from error

    def has_option(self, section: str, option: str, **_: Any) -> bool:
        """Whether the option has a value."""
        return self.get(section, option, fallback=None) not in (None, "")

    def has_section(self, section: str) -> bool:
        """Whether anybody knows the section."""
        return self.getsection(section) is not None

    def getsection(self, section: str, **_: Any) -> dict[str, Any] | None:
        """All options of a section."""
        name = section.lower()
        merged: dict[str, Any] = {}
        for source in (_DEFAULTS, self._of_providers, self._file):
            merged.update({key: value for key, value in source.get(name, {}).items() if value is not None})
        prefix = f"{ENV_VAR_PREFIX}{name.upper()}__"
        for variable in os.environ:
            if variable.startswith(prefix) and not variable.endswith("_CMD"):
                merged[variable.removeprefix(prefix).lower()] = os.environ[variable]
        merged.update({key: value for (of, key), value in self._set.items() if of == name})
        return {key: _literal(self.get(section, key)) for key in merged} if merged else None

    def options(self, section: str) -> list[str]:
        """Names of the options of a section."""
        return list(self.getsection(section) or ())

    def sections(self) -> list[str]:
        """Names of all sections."""
        return list(dict.fromkeys((*_DEFAULTS, *self._of_providers, *self._file)))

    def as_dict(self, display_sensitive: bool = False, **_: Any) -> dict[str, dict[str, Any]]:
        """All options; secrets hidden unless asked for."""
        from tradewind.sdk.attempt import is_sensitive

        result: dict[str, dict[str, Any]] = {}
        for section in self.sections():
            for key, value in (self.getsection(section) or {}).items():
                hidden = value and not display_sensitive and is_sensitive(key)
                result.setdefault(section, {})[key] = "< hidden >" if hidden else str(value)
        return result

    def set(self, section: str, option: str, value: str | None = None) -> None:
        """Set an option for this process."""
        self._set[section.lower(), option.lower()] = str(value)

    def remove_option(self, section: str, option: str, **_: Any) -> None:
        """Forget an option that was set for this process."""
        self._set.pop((section.lower(), option.lower()), None)

    def load_test_config(self) -> None:
        """Nothing: tests of DAGs need no other configuration."""

    def validate(self) -> None:
        """Nothing: options are checked where they are read."""


def _literal(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.isdigit():
        return int(value)
    return {"true": True, "false": False}.get(value.lower(), value)


def run_command(command: str) -> str:
    """What a command prints. Raises `AirflowConfigException` when it fails."""
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
    if done.returncode:
        raise AirflowConfigException(f"cannot execute {command}: exit code {done.returncode}: {done.stderr}")
    return done.stdout.strip()


def ensure_secrets_loaded(*_: Any, **__: Any) -> list[Any]:
    """The secrets backends that are asked, first to last."""
    from airflow._core.secrets import backends

    return backends()


def initialize_secrets_backends(*_: Any, **__: Any) -> list[Any]:
    """As `ensure_secrets_loaded`."""
    return ensure_secrets_loaded()


def get_custom_secret_backend(*_: Any, **__: Any) -> Any:
    """The secrets backend that the configuration names; None: none."""
    from airflow._core.secrets import custom_backend

    return custom_backend()


def default_config_yaml() -> dict[str, Any]:
    """The options with a default, described as a YAML file would."""
    return {
        section: {"options": {key: {"default": value} for key, value in options.items()}}
        for section, options in _DEFAULTS.items()
    }


def retrieve_configuration_description(*_: Any, **__: Any) -> dict[str, Any]:
    """As `default_config_yaml`."""
    return default_config_yaml()


conf = AirflowConfigParser()


def __getattr__(name: str) -> Any:
    if name == "AIRFLOW_HOME":
        return get_airflow_home()
    if name == "AIRFLOW_CONFIG":
        return get_airflow_config()
    if name == "secrets_backend_list":
        return ensure_secrets_loaded()
    raise AttributeError(f"module 'airflow.configuration' has no attribute {name!r}")
