"""This installation: its processes, packages, plugins, settings; sign-in by redirect; files to load again."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageMetadata, distributions
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from tradewind import __version__
from tradewind.domain.permissions import Action, Resource
from tradewind.kernel.log import get_logger
from tradewind.ports.reads import PublicTransaction
from tradewind.ports.rows import ComponentRow
from tradewind.runtime.plugin_probe import PluginFacts
from tradewind.wire.errors import BadInput, NotFound

from .caller import Call, Caller
from .models.base import Answer
from .models.filters import EndDateRange, StartDateRange
from .models.installation import (
    AppBuilderMenuItemResponse,
    AppBuilderViewResponse,
    Config,
    ConfigOption,
    ConfigSection,
    ExternalViewResponse,
    FastAPIAppResponse,
    FastAPIRootMiddlewareResponse,
    JobCollectionResponse,
    JobResponse,
    PluginCollectionResponse,
    PluginImportErrorCollectionResponse,
    PluginImportErrorResponse,
    PluginResponse,
    ProviderCollectionResponse,
    ProviderResponse,
    ReactAppResponse,
)
from .negotiation import Accept, wanted_type
from .numbers import number_of
from .paging import Page, slice_of, sorted_by
from .refusals import refusals
from .views_dags import file_of_token

router = APIRouter()
T = TypeVar("T", bound=Answer)
_log = get_logger("api")
PLAIN: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
_JOB_TYPES = {
    "scheduler": "SchedulerJob",
    "dag-processor": "DagProcessorJob",
    "triggerer": "TriggererJob",
    "agent": "AgentJob",
    "api-server": "ApiServerJob",
}
_HIDDEN = "< hidden >"


class JobsQuery(Page, StartDateRange, EndDateRange):
    is_alive: bool | None = None
    order_by: list[str] = ["id"]
    job_state: str | None = None
    job_type: str | None = None
    hostname: str | None = None
    executor_class: str | None = None


@router.get("/jobs", tags=["Job"], responses=refusals(400, 401, 403, 422))
async def get_jobs(call: Caller, query: Annotated[JobsQuery, Query()]) -> JobCollectionResponse:
    call.may(Action.READ, Resource.JOB)

    def ask(tx: PublicTransaction) -> tuple[list[ComponentRow], datetime]:
        return tx.component_list(), tx.now()

    rows, now = await call.read(ask)
    fresh = now - timedelta(seconds=max(call.office.settings.scheduler.lease_seconds, 1.0))
    wanted = [_job(row) for row in rows if query.is_alive is None or (row.heartbeat_at >= fresh) is query.is_alive]
    kept = [job for job in wanted if _fits(job, query)]
    ordered = sorted_by(
        kept, query.order_by, {name: functools.partial(_field, name) for name in JobResponse.model_fields}
    )
    return JobCollectionResponse(jobs=slice_of(ordered, query), total_entries=len(kept))


@router.get("/providers", tags=["Provider"], responses=refusals(401, 403, 422))
async def get_providers(call: Caller, query: Annotated[Page, Query()]) -> ProviderCollectionResponse:
    call.may(Action.READ, Resource.PROVIDER)
    found = _providers()
    return ProviderCollectionResponse(providers=slice_of(found, query), total_entries=len(found))


@router.get("/plugins", tags=["Plugin"], responses=refusals(401, 403, 422))
async def get_plugins(call: Caller, query: Annotated[Page, Query()]) -> PluginCollectionResponse:
    call.may(Action.READ, Resource.PLUGIN)
    # Plugins are code of authors: a child loads them and tells what they bring.
    found = await asyncio.to_thread(call.office.plugins)
    answers = sorted(map(_plugin, found.plugins), key=lambda plugin: plugin.name)
    return PluginCollectionResponse(plugins=slice_of(answers, query), total_entries=len(answers))


@router.get("/plugins/importErrors", tags=["Plugin"], responses=refusals(401, 403))
async def import_errors(call: Caller) -> PluginImportErrorCollectionResponse:
    call.may(Action.READ, Resource.PLUGIN)
    found = await asyncio.to_thread(call.office.plugins)
    answers = [PluginImportErrorResponse(source=source, error=error) for source, error in found.problems.items()]
    return PluginImportErrorCollectionResponse(import_errors=answers, total_entries=len(answers))


@router.get("/config", tags=["Config"], response_model=Config, responses=refusals(401, 403, 404, 406, 422) | PLAIN)
async def get_config(call: Caller, section: str | None = None, accept: Accept = "*/*") -> Config | Response:
    call.may(Action.READ, Resource.CONFIGURATION)
    sections = _settings(call)
    if section is not None and section not in sections:
        raise NotFound(f"there is no section {section!r}; there are {', '.join(sections)}")
    chosen = sections if section is None else {section: sections[section]}
    return _config(chosen, accept)


@router.get(
    "/config/section/{section}/option/{option}",
    tags=["Config"],
    response_model=Config,
    responses=refusals(401, 403, 404, 406, 422) | PLAIN,
)
async def get_config_value(call: Caller, section: str, option: str, accept: Accept = "*/*") -> Config | Response:
    call.may(Action.READ, Resource.CONFIGURATION)
    value = _settings(call).get(section, {}).get(option)
    if value is None:
        raise NotFound(f"there is no setting {section}.{option}")
    return _config({section: {option: value}}, accept)


@router.put("/parseDagFile/{file_token}", tags=["DAG Parsing"], status_code=201, responses=refusals(401, 403, 404, 422))
async def reparse_dag_file(call: Caller, file_token: str) -> None:
    bundle, path = file_of_token(file_token)

    def act(tx: PublicTransaction) -> None:
        dags = tx.dag_list_of_file(bundle, path)
        allowed = [dag for dag in dags if call.person.may(Action.EDIT, Resource.DAG, dag.dag_id)]
        if not allowed or len(allowed) < len(dags):
            raise NotFound("there is no DAG file with this token: a DAG's file_token names its file")
        for row in tx.file_list(bundle):
            if row.path == path:
                # Without a digest it differs from what lies there: the processor loads it again.
                tx.file_put(_as_changed(row))
        tx.ring("files")

    await call.write(act)


@router.get(
    "/auth/login", tags=["Login"], response_class=RedirectResponse, status_code=307, responses=refusals(400, 422)
)
async def login(next: str | None = None) -> RedirectResponse:
    query = ""
    if next is not None:
        query = f"?{urlencode({'next': _own_address(next)})}"
    return RedirectResponse(f"/login{query}", 307)


@router.get("/auth/logout", tags=["Login"], response_class=RedirectResponse, status_code=307)
async def logout() -> RedirectResponse:
    return RedirectResponse("/login", 307)


def _own_address(address: str) -> str:
    """Raises `BadInput` for an address that leads elsewhere."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\")):
        raise BadInput("next must be a path on this server")
    return address


def _as_changed(row: Any) -> Any:
    from msgspec.structs import replace

    return replace(row, digest="", leased_until=None, processor=None)


def _plugin(facts: PluginFacts) -> PluginResponse:
    """A plugin; of what a web server shows only descriptions that are whole."""

    def named(kind: str) -> list[str]:
        return facts.brings.get(kind, [])

    return PluginResponse(
        name=facts.name,
        macros=named("macros"),
        flask_blueprints=named("flask_blueprints"),
        fastapi_apps=_shown(FastAPIAppResponse, facts.views.get("fastapi_apps", [])),
        fastapi_root_middlewares=_shown(FastAPIRootMiddlewareResponse, facts.views.get("fastapi_root_middlewares", [])),
        external_views=_shown(ExternalViewResponse, facts.views.get("external_views", [])),
        react_apps=_shown(ReactAppResponse, facts.views.get("react_apps", [])),
        appbuilder_views=_shown(AppBuilderViewResponse, facts.views.get("appbuilder_views", [])),
        appbuilder_menu_items=_shown(AppBuilderMenuItemResponse, facts.views.get("appbuilder_menu_items", [])),
        global_operator_extra_links=named("global_operator_extra_links"),
        operator_extra_links=named("operator_extra_links"),
        source=facts.source,
        listeners=named("listeners"),
        timetables=named("timetables"),
    )


def _shown(kind: type[T], given: Sequence[Mapping[str, Any]]) -> list[T]:
    found = []
    for each in given:
        try:
            found.append(kind.model_validate(each))
        except ValueError:
            _log.warning("plugin_view_incomplete", kind=kind.__name__, given=sorted(each))
    return found


def _job(row: ComponentRow) -> JobResponse:
    return JobResponse(
        id=number_of(row.kind, row.id),
        dag_id=None,
        state="running",
        job_type=_JOB_TYPES.get(row.kind, row.kind),
        start_date=row.started_at,
        end_date=None,
        latest_heartbeat=row.heartbeat_at,
        executor_class=row.executor or None,
        hostname=row.hostname,
        unixname=None,
        dag_display_name=None,
    )


def _field(name: str, job: JobResponse) -> Any:
    return getattr(job, name)


def _fits(job: JobResponse, query: JobsQuery) -> bool:
    started = job.start_date or datetime.min.replace(tzinfo=UTC)
    ended = (query.end_date_gte, query.end_date_gt, query.end_date_lte, query.end_date_lt)
    return (
        query.job_state in (None, job.state)
        and query.job_type in (None, job.job_type)
        and query.hostname in (None, job.hostname)
        and query.executor_class in (None, job.executor_class)
        and (query.start_date_gte is None or started >= query.start_date_gte)
        and (query.start_date_gt is None or started > query.start_date_gt)
        and (query.start_date_lte is None or started <= query.start_date_lte)
        and (query.start_date_lt is None or started < query.start_date_lt)
        and all(bound is None for bound in ended)  # what runs has not ended
    )


@functools.cache
def _providers() -> list[ProviderResponse]:
    """Packages that bring operators: ours, and those of Airflow's providers that are installed. Nothing is imported."""
    found = {
        "tradewind": ProviderResponse(
            package_name="tradewind", description="Operators in the box", version=__version__, documentation_url=None
        )
    }
    for each in distributions():
        entries = [entry for entry in each.entry_points if entry.group == "apache_airflow_provider"]
        if entries:
            name = each.metadata["Name"]
            found[name] = ProviderResponse(
                package_name=name,
                description=_said(each.metadata, "Summary") or "",
                version=each.version,
                documentation_url=_said(each.metadata, "Home-page"),
            )
    return [found[name] for name in sorted(found)]


def _said(metadata: PackageMetadata, field: str) -> str | None:
    return metadata[field] if field in metadata else None  # noqa: SIM401 # older Pythons have no get here


def _settings(call: Call) -> dict[str, dict[str, str]]:
    """All settings by section, secrets hidden."""
    sections: dict[str, dict[str, str]] = {}
    for entry in call.office.settings.entries():
        section, _, option = entry.name.partition(".")
        sections.setdefault(section, {})[option] = _HIDDEN if entry.secret else entry.shown
    return sections


def _config(sections: dict[str, dict[str, str]], accept: str) -> Config | Response:
    if wanted_type(accept, "application/json", "text/plain") == "text/plain":
        text = "\n".join(
            f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())
            for name, options in sections.items()
        )
        return PlainTextResponse(text)
    return Config(
        sections=[
            ConfigSection(name=name, options=[ConfigOption(key=key, value=value) for key, value in options.items()])
            for name, options in sections.items()
        ]
    )
