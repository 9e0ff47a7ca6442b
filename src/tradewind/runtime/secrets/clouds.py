"""Secrets of AWS, Google Cloud and Azure, through their own libraries, which are extras (`tradewind[aws]`, ...)."""

from __future__ import annotations

import importlib
from typing import Any

from tradewind.wire.errors import InvalidSetting


class _Cloud:
    """Names are put together from a prefix for each kind, a separator and the name itself."""

    def __init__(
        self,
        connections_prefix: str | None,
        variables_prefix: str | None,
        config_prefix: str | None,
        sep: str,
    ) -> None:
        self._prefixes = {"connection": connections_prefix, "variable": variables_prefix, "config": config_prefix}
        self._sep = sep

    def get_conn_value(self, conn_id: str) -> str | None:
        return self._get("connection", conn_id)

    def get_variable(self, key: str) -> str | None:
        return self._get("variable", key)

    def get_config(self, key: str) -> str | None:
        return self._get("config", key)

    def _get(self, kind: str, name: str) -> str | None:
        prefix = self._prefixes[kind]
        if prefix is None:
            return None
        return self._read(f"{prefix}{self._sep}{name}" if prefix else name)

    def _read(self, name: str) -> str | None:
        raise NotImplementedError


class AwsSecretsManagerBackend(_Cloud):
    """AWS Secrets Manager. `profile_name`, `region_name` and further arguments go to boto3."""

    def __init__(
        self,
        connections_prefix: str | None = "airflow/connections",
        variables_prefix: str | None = "airflow/variables",
        config_prefix: str | None = "airflow/config",
        sep: str = "/",
        profile_name: str | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        **_others: Any,
    ) -> None:
        super().__init__(connections_prefix, variables_prefix, config_prefix, sep)
        session = _library("boto3", "aws").Session(profile_name=profile_name, region_name=region_name)
        self._client = session.client("secretsmanager", endpoint_url=endpoint_url)

    def _read(self, name: str) -> str | None:
        try:
            found: str | None = self._client.get_secret_value(SecretId=name).get("SecretString")
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return found


class AwsParameterStoreBackend(_Cloud):
    """AWS Systems Manager Parameter Store."""

    def __init__(
        self,
        connections_prefix: str | None = "/airflow/connections",
        variables_prefix: str | None = "/airflow/variables",
        config_prefix: str | None = "/airflow/config",
        sep: str = "/",
        profile_name: str | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        **_others: Any,
    ) -> None:
        super().__init__(connections_prefix, variables_prefix, config_prefix, sep)
        session = _library("boto3", "aws").Session(profile_name=profile_name, region_name=region_name)
        self._client = session.client("ssm", endpoint_url=endpoint_url)

    def _read(self, name: str) -> str | None:
        try:
            found = self._client.get_parameter(Name=name, WithDecryption=True)
        except self._client.exceptions.ParameterNotFound:
            return None
        value: str = found["Parameter"]["Value"]
        return value


class GoogleSecretManagerBackend(_Cloud):
    """Google Cloud Secret Manager; newest versions."""

    def __init__(
        self,
        connections_prefix: str | None = "airflow-connections",
        variables_prefix: str | None = "airflow-variables",
        config_prefix: str | None = "airflow-config",
        sep: str = "-",
        project_id: str | None = None,
        **_others: Any,
    ) -> None:
        super().__init__(connections_prefix, variables_prefix, config_prefix, sep)
        if not project_id:
            raise InvalidSetting("the Google backend needs project_id in its backend_kwargs")
        self._project = project_id
        self._client = _library("google.cloud.secretmanager", "gcp").SecretManagerServiceClient()
        self._not_found = _library("google.api_core.exceptions", "gcp").NotFound

    def _read(self, name: str) -> str | None:
        try:
            answer = self._client.access_secret_version(name=f"projects/{self._project}/secrets/{name}/versions/latest")
        except self._not_found:
            return None
        text: str = answer.payload.data.decode()
        return text


class AzureKeyVaultBackend(_Cloud):
    """Azure Key Vault; underscores of names become dashes, as its names have none."""

    def __init__(
        self,
        connections_prefix: str | None = "airflow-connections",
        variables_prefix: str | None = "airflow-variables",
        config_prefix: str | None = "airflow-config",
        sep: str = "-",
        vault_url: str = "",
        **_others: Any,
    ) -> None:
        super().__init__(connections_prefix, variables_prefix, config_prefix, sep)
        if not vault_url:
            raise InvalidSetting("the Azure backend needs vault_url in its backend_kwargs")
        credential = _library("azure.identity", "azure").DefaultAzureCredential()
        secrets = _library("azure.keyvault.secrets", "azure")
        self._client = secrets.SecretClient(vault_url=vault_url, credential=credential)
        self._not_found = _library("azure.core.exceptions", "azure").ResourceNotFoundError

    def _read(self, name: str) -> str | None:
        try:
            found: str | None = self._client.get_secret(name.replace("_", "-")).value
        except self._not_found:
            return None
        return found


def _library(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InvalidSetting(
            f"this secrets backend needs the Python package of {module}: pip install 'tradewind[{extra}]'"
        ) from error
