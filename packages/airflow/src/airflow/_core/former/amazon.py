"""Sensors of Amazon's provider that are gone."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor  # type: ignore[import-not-found,unused-ignore]


class S3PrefixSensor(S3KeySensor):  # type: ignore[misc,unused-ignore]
    """Waits for keys that begin with a prefix.

    Parameters:
        prefix: one or several; delimiter: as it is used in keys (kept for its meaning, a wildcard is looked for).
    """

    def __init__(self, *, bucket_name: str, prefix: str | list[str], delimiter: str = "/", **kwargs: Any) -> None:
        del delimiter  # a wildcard takes its place
        prefixes = [prefix] if isinstance(prefix, str) else list(prefix)
        keys = [f"{one}*" for one in prefixes]
        super().__init__(bucket_name=bucket_name, bucket_key=keys, wildcard_match=True, **kwargs)
