"""Processes, packages, plugins and settings of this installation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from .base import Answer


class JobResponse(Answer):
    id: int
    dag_id: str | None
    state: str | None
    job_type: str | None
    start_date: datetime | None
    end_date: datetime | None
    latest_heartbeat: datetime | None
    executor_class: str | None
    hostname: str | None
    unixname: str | None
    dag_display_name: str | None = None


class JobCollectionResponse(Answer):
    jobs: list[JobResponse]
    total_entries: int


class ProviderResponse(Answer):
    package_name: str
    description: str
    version: str
    documentation_url: str | None


class ProviderCollectionResponse(Answer):
    providers: list[ProviderResponse]
    total_entries: int


class FastAPIAppResponse(Answer):
    app: str
    url_prefix: str
    name: str


class FastAPIRootMiddlewareResponse(Answer):
    middleware: str
    name: str


class ExternalViewResponse(Answer):
    name: str
    icon: str | None = None
    icon_dark_mode: str | None = None
    url_route: str | None = None
    category: str | None = None
    nav_top_level: bool | None = False
    href: str
    destination: Literal["nav", "dag", "dag_run", "task", "task_instance", "base"] = "nav"


class ReactAppResponse(Answer):
    name: str
    icon: str | None = None
    icon_dark_mode: str | None = None
    url_route: str | None = None
    category: str | None = None
    nav_top_level: bool | None = False
    bundle_url: str
    destination: Literal["nav", "dag", "dag_run", "task", "task_instance", "base", "dashboard"] = "nav"


class AppBuilderViewResponse(Answer):
    name: str | None = None
    category: str | None = None
    view: str | None = None
    label: str | None = None


class AppBuilderMenuItemResponse(Answer):
    name: str
    href: str
    category: str | None = None


class PluginResponse(Answer):
    name: str
    macros: list[str]
    flask_blueprints: list[str]
    fastapi_apps: list[FastAPIAppResponse]
    fastapi_root_middlewares: list[FastAPIRootMiddlewareResponse]
    external_views: list[ExternalViewResponse]
    react_apps: list[ReactAppResponse]
    appbuilder_views: list[AppBuilderViewResponse]
    appbuilder_menu_items: list[AppBuilderMenuItemResponse]
    global_operator_extra_links: list[str]
    operator_extra_links: list[str]
    source: str
    listeners: list[str]
    timetables: list[str]


class PluginCollectionResponse(Answer):
    plugins: list[PluginResponse]
    total_entries: int


class PluginImportErrorResponse(Answer):
    source: str
    error: str


class PluginImportErrorCollectionResponse(Answer):
    import_errors: list[PluginImportErrorResponse]
    total_entries: int


class ConfigOption(Answer):
    key: str
    value: str | Annotated[list[Any], Field(min_length=2, max_length=2)]


class ConfigSection(Answer):
    name: str
    options: list[ConfigOption]


class Config(Answer):
    sections: list[ConfigSection]
