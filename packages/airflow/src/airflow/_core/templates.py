"""`airflow.templates`, `airflow.template.templater`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jinja2
import jinja2.nativetypes
import jinja2.sandbox


class NativeEnvironment(jinja2.nativetypes.NativeEnvironment):
    """Renders to Python values."""


class SandboxedEnvironment(jinja2.sandbox.SandboxedEnvironment):
    """Renders to text."""


class Templater:
    """Renders the templated fields of objects that are no operators."""

    template_fields: Any = ()
    template_ext: Any = ()

    def get_template_env(self, dag: Any = None) -> jinja2.Environment:
        """The environment of a DAG, or a plain one."""
        environment = getattr(dag, "get_template_env", None)
        return environment() if environment is not None else SandboxedEnvironment(cache_size=0)

    def render_template_fields(self, context: Any, jinja_env: jinja2.Environment | None = None) -> None:
        """Render the fields in place."""
        environment = jinja_env or self.get_template_env(context.get("dag"))
        for field in self.template_fields:
            value = getattr(self, field, None)
            if value:
                setattr(self, field, self.render_template(value, context, environment))

    def render_template(
        self, content: Any, context: Any, jinja_env: jinja2.Environment | None = None, seen_oids: Any = None
    ) -> Any:
        """A text, or what is in a list or dict, rendered."""
        environment = jinja_env or self.get_template_env()
        if isinstance(content, str):
            if content.endswith(tuple(self.template_ext)) if self.template_ext else False:
                return render(environment.get_template(content), context, native=False)
            return environment.from_string(content).render(dict(context))
        if isinstance(content, tuple) and hasattr(content, "_fields"):
            return type(content)(*(self.render_template(each, context, environment) for each in content))
        if isinstance(content, list | tuple | set):
            return type(content)(self.render_template(each, context, environment, seen_oids) for each in content)
        if isinstance(content, Mapping):
            return {key: self.render_template(value, context, environment) for key, value in content.items()}
        return content


def render(template: Any, context: Any, *, native: bool) -> Any:
    """A compiled template with a context."""
    nodes = template.root_render_func(template.new_context(dict(context)))
    return jinja2.nativetypes.native_concat(nodes) if native else "".join(map(str, nodes))


def ds_filter(value: datetime | None) -> str | None:
    """2024-01-31"""
    return None if value is None else value.strftime("%Y-%m-%d")


def ds_nodash_filter(value: datetime | None) -> str | None:
    """20240131"""
    return None if value is None else value.strftime("%Y%m%d")


def ts_filter(value: datetime | None) -> str | None:
    """2024-01-31T00:00:00+00:00"""
    return None if value is None else value.isoformat()


def ts_nodash_filter(value: datetime | None) -> str | None:
    """20240131T000000"""
    return None if value is None else value.strftime("%Y%m%dT%H%M%S")


def ts_nodash_with_tz_filter(value: datetime | None) -> str | None:
    """20240131T000000+0000"""
    return None if value is None else value.isoformat().replace("-", "").replace(":", "")


FILTERS = {
    "ds": ds_filter,
    "ds_nodash": ds_nodash_filter,
    "ts": ts_filter,
    "ts_nodash": ts_nodash_filter,
    "ts_nodash_with_tz": ts_nodash_with_tz_filter,
}


def serialize_template_field(template_field: Any, name: str) -> Any:  # noqa: ARG001
    """A field as it is shown."""
    return template_field if isinstance(template_field, str | int | float | bool | None) else str(template_field)
