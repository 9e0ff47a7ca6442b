"""`airflow.utils.yaml`: YAML by the fast reader where there is one."""

from __future__ import annotations

from typing import Any


def safe_load(stream: Any) -> Any:
    """The data of a YAML text."""
    import yaml  # type: ignore[import-untyped,unused-ignore]

    return yaml.load(stream, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 # both are safe


def dump(data: Any, **kwargs: Any) -> str:
    """Data as YAML."""
    import yaml

    kwargs.setdefault("Dumper", getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    return str(yaml.dump(data, **kwargs))


def __getattr__(name: str) -> Any:
    import yaml

    if name == "FullLoader":
        return getattr(yaml, "CFullLoader", yaml.FullLoader)
    return getattr(yaml, name)
