"""Rendering templated attributes of objects that are no tasks: notifiers and what hooks want rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from .templates import FieldRenderer, TemplateEngine, engine_for


def render_object(
    owner: Any, fields: Sequence[str], variables: Mapping[str, Any], *, ext: Sequence[str] = (), dag: Any = None
) -> None:
    """Render `fields` of `owner` in place.

    Parameters:
        variables: by name.
        ext: endings of texts that name a template file.
        dag: whose macros, filters and folders are used; None: none.

    Raises:
        TemplateRenderingError: naming the object, the field and the line.
    """
    if not fields:
        return
    task = SimpleNamespace(task_id=type(owner).__name__, template_fields=tuple(fields), template_ext=tuple(ext))
    for field in fields:
        setattr(task, field, getattr(owner, field))
    if hasattr(dag, "render_template_as_native_obj"):
        engine = engine_for(SimpleNamespace(dag=dag, has_dag=lambda: True))
    else:
        engine = TemplateEngine()
    FieldRenderer(task, variables, _NoFetch(), engine).render_fields()
    for field in fields:
        setattr(owner, field, getattr(task, field))


def renderer_of(task: Any, context: Mapping[str, Any]) -> FieldRenderer:
    """Renders for a task that runs, references to outputs of other tasks included."""
    reader = getattr(context.get("ti"), "_reader", None)
    return FieldRenderer(task, context, reader or _NoFetch(), engine_for(task))


class _NoFetch:
    """References to outputs of tasks are read through the task that is running."""

    def value(self, task_id: str, key: str) -> Any:
        from .context import get_current_context

        return get_current_context()["ti"].xcom_pull(task_ids=task_id, key=key)

    def param(self, name: str) -> Any:
        from .context import get_current_context

        return get_current_context()["params"][name]
