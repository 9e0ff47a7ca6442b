"""Rendering of templated fields with Jinja, as DAG authors know it.

A field is rendered through lists, tuples, sets, dicts and objects that have `template_fields` themselves. A text that
ends in one of the
operator's `template_ext` is the name of a file, looked for beside the DAG file and in `template_searchpath`. References
to outputs of
tasks are replaced by their values, which are never rendered themselves. Templates run in a sandbox; unknown variables
are errors.

Environments and compiled texts are kept per DAG, so that a warm process renders a field in microseconds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import jinja2
import jinja2.nativetypes
import jinja2.sandbox

from tradewind.sdk.exceptions import TemplateRenderingError
from tradewind.sdk.xcomarg import Fetch, is_resolvable

COMPILED_MAX = 2000
"""Texts whose compiled form is kept per environment."""
_MARKS = ("{{", "{%", "{#")


class LiteralValue:
    """A value that is not rendered; made by `literal`."""

    stands_for_value = True

    def __init__(self, value: Any) -> None:
        self.value = value

    def resolve(self, fetch: Fetch) -> Any:  # noqa: ARG002 - it needs no reading
        return self.value

    def iter_references(self) -> Iterable[Any]:
        return ()

    def __repr__(self) -> str:
        return f"literal({self.value!r})"


def literal(value: Any) -> LiteralValue:
    """Protect `value` in a templated field: it arrives as written, without rendering or reading of files."""
    return LiteralValue(value)


class _Sandbox(jinja2.sandbox.SandboxedEnvironment):
    """Attributes with one leading underscore are allowed, because objects of users have them; double ones are not."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if attr.startswith("_") and not attr.startswith("__"):
            return not jinja2.sandbox.is_internal_attribute(obj, attr)
        return super().is_safe_attribute(obj, attr, value)


class _NativeSandbox(_Sandbox, jinja2.nativetypes.NativeEnvironment):
    """Results keep their Python type."""


def _ds(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%d")


def _ds_nodash(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y%m%d")


def _ts(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _ts_nodash(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y%m%dT%H%M%S")


def _ts_nodash_with_tz(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("-", "").replace(":", "")


FILTERS = {
    "ds": _ds,
    "ds_nodash": _ds_nodash,
    "ts": _ts,
    "ts_nodash": _ts_nodash,
    "ts_nodash_with_tz": _ts_nodash_with_tz,
}


class TemplateEngine:
    """A Jinja environment with the compiled texts of one DAG.

    Parameters:
        search_path: folders with template files, in this order.
        native: keep Python types of results.
        undefined: class for unknown variables; None: an error.
        macros, filters: the DAG's own.
        options: further arguments of the Jinja environment.
    """

    def __init__(
        self,
        *,
        search_path: Iterable[str] = (),
        native: bool = False,
        undefined: type[jinja2.Undefined] | None = None,
        macros: Mapping[str, Any] | None = None,
        filters: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.search_path = tuple(search_path)
        arguments: dict[str, Any] = {
            "loader": jinja2.FileSystemLoader(self.search_path),
            "undefined": undefined or jinja2.StrictUndefined,
            "extensions": ["jinja2.ext.do"],
            **(options or {}),
        }
        self.environment: jinja2.Environment = _NativeSandbox(**arguments) if native else _Sandbox(**arguments)
        self.environment.globals.update(macros or {})
        self.environment.filters.update(FILTERS)
        self.environment.filters.update(filters or {})
        # Own delimiters or native results: every text must pass through Jinja.
        self._plain_passes = not native and not options
        self._compiled: dict[str, jinja2.Template] = {}

    def render_text(self, text: str, context: Mapping[str, Any]) -> Any:
        """The text with its variables replaced. Raises the errors of Jinja and of what the template calls."""
        # Jinja drops one newline at the end, so such a text is not the same after rendering.
        if self._plain_passes and not text.endswith("\n") and not any(mark in text for mark in _MARKS):
            return text
        return self.compiled(text).render(_looked_into(context))

    def compiled(self, text: str) -> jinja2.Template:
        """The text ready to render, remembered. Raises `jinja2.TemplateSyntaxError`."""
        template = self._compiled.get(text)
        if template is None:
            template = self.environment.from_string(text)
            if len(self._compiled) >= COMPILED_MAX:
                self._compiled.clear()
            self._compiled[text] = template
        return template

    def render_file(self, name: str, context: Mapping[str, Any]) -> Any:
        """The content of a template file, rendered. Raises `jinja2.TemplateNotFound` when no folder has it."""
        return self.environment.get_template(name).render(_looked_into(context))


def _looked_into(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same context after a first look: Jinja copies it, and what is computed on demand must stay so in the copy."""
    len(context)
    return context


_engines: WeakKeyDictionary[Any, dict[bool, TemplateEngine]] = WeakKeyDictionary()
_bare_engines = {native: TemplateEngine(native=native) for native in (False, True)}


def engine_for(task: Any) -> TemplateEngine:
    """The engine of the DAG of `task`; made when first asked for."""
    dag = task.dag if task.has_dag() else None
    native = getattr(task, "render_template_as_native_obj", None)
    if dag is None:
        return _bare_engines[bool(native)]
    wanted = bool(dag.render_template_as_native_obj if native is None else native)
    engines = _engines.setdefault(dag, {})
    if wanted not in engines:
        engines[wanted] = TemplateEngine(
            search_path=_search_path(dag),
            native=wanted,
            undefined=_undefined_class(dag.template_undefined),
            macros=dag.user_defined_macros,
            filters=dag.user_defined_filters,
            options=dag.jinja_environment_kwargs,
        )
    return engines[wanted]


def _search_path(dag: Any) -> list[str]:
    more = dag.template_searchpath or []
    own = [str(Path(dag.fileloc).parent)] if dag.fileloc else []
    return [*own, *([more] if isinstance(more, str) else map(str, more))]


def _undefined_class(value: Any) -> type[jinja2.Undefined] | None:
    return value if isinstance(value, type) else None


def compile_fields(task: Any) -> None:
    """Compile the texts in the templated fields of a task ahead of time. What is wrong with them shows when it runs."""
    engine = engine_for(task)
    given = task.partial_kwargs if task.is_mapped else vars(task)
    for text in _texts([given.get(field) for field in task.template_fields]):
        if any(mark in text for mark in _MARKS):
            try:
                engine.compiled(text)
            except jinja2.TemplateSyntaxError:
                continue


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple | set):
        for each in value:
            yield from _texts(each)


class FieldRenderer:
    """Renders the templated fields of one instance of a task.

    Parameters:
        task: the concrete operator of the instance; its fields are replaced.
        context: variables.
        fetch: reads outputs of other tasks.
        engine: default: that of the task's DAG.
    """

    def __init__(
        self, task: Any, context: Mapping[str, Any], fetch: Fetch, engine: TemplateEngine | None = None
    ) -> None:
        self._task = task
        self._context = context
        self._fetch = fetch
        self._engine = engine or engine_for(task)
        self._extensions = tuple(getattr(task, "template_ext", ()) or ())

    def render_fields(self) -> None:
        """Render every templated field of the task in place.

        Raises:
            TemplateRenderingError: naming task, field and line.
        """
        for field in self._task.template_fields:
            if not hasattr(self._task, field):
                raise TemplateRenderingError(
                    f"task {self._task.task_id!r}: {field!r} is listed in template_fields of "
                    f"{type(self._task).__name__}, but the operator has no such attribute; set it in __init__"
                )
            value = getattr(self._task, field)
            if value is not None and value != "":
                setattr(self._task, field, self.render(value, field))

    def render(self, value: Any, field: str) -> Any:
        """`value` rendered; `field` is its name for messages. Raises `TemplateRenderingError`."""
        try:
            return self._render(value)
        except jinja2.TemplateError as error:
            raise TemplateRenderingError(self._explain(error, field)) from error
        except Exception as error:
            # What a macro or a variable raises stays what it is; where it happened is added.
            error.add_note(f"while rendering field {field!r} of task {self._task.task_id!r}{_at_line(error)}")
            raise

    def _render(self, value: Any) -> Any:
        if isinstance(value, str):
            if self._extensions and value.endswith(self._extensions):
                return self._engine.render_file(value, self._context)
            return self._engine.render_text(value, self._context)
        if value is None or isinstance(value, int | float | bytes | type):
            return value
        if is_resolvable(value):
            return value.resolve(self._fetch)
        if isinstance(value, tuple):
            items = [self._render(each) for each in value]
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        if isinstance(value, list):
            return [self._render(each) for each in value]
        if isinstance(value, dict):
            return {key: self._render(each) for key, each in value.items()}
        if isinstance(value, set):
            return {self._render(each) for each in value}
        return self._render_object(value)

    def _render_object(self, value: Any) -> Any:
        fields = getattr(value, "template_fields", None)
        nested = getattr(type(self._task), "_render_nested_template_fields", None)
        if not fields and getattr(nested, "__module__", "").partition(".")[0] not in ("", "tradewind"):
            # The operator's author knows what is to be rendered in objects of others (pods, volumes).
            rendered = copy.copy(value)
            self._task._render_nested_template_fields(rendered, self._context, self._engine.environment, set())
            return rendered
        if not fields or is_task(value):
            return value
        # A copy: the object belongs to the DAG, and other instances render it as well.
        rendered = copy.copy(value)
        for field in fields:
            setattr(rendered, field, self._render(getattr(value, field)))
        return rendered

    def _explain(self, error: jinja2.TemplateError, field: str) -> str:
        where = f"task {self._task.task_id!r}, field {field!r}"
        if isinstance(error, jinja2.TemplateNotFound):
            folders = ", ".join(self._engine.search_path) or "no folder"
            return (
                f"{where}: there is no template file {error.name!r} in {folders}; correct the name, add its folder to "
                f"template_searchpath, or, if it is no file name, wrap it: literal({error.name!r})"
            )
        return f"{where}{_at_line(error)}: {error.message or type(error).__name__}"


def is_task(value: Any) -> bool:
    """Whether `value` is a task, which is never rendered inside another one's field."""
    return hasattr(value, "task_id") and hasattr(value, "template_fields")


def _at_line(error: BaseException) -> str:
    """`", line 3"`, with the file's name when it is a file; "" when the error has no place in a template."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f", line {error.lineno}" + (f" of {error.name}" if error.name else "")
    found = ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        # Jinja puts frames of its own making, which carry this name, at the places in the template.
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            file = trace.tb_frame.f_code.co_filename
            found = f", line {trace.tb_lineno}" + ("" if file == "<template>" else f" of {Path(file).name}")
        trace = trace.tb_next
    return found
