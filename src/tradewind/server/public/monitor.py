"""What may be asked without a token: the version, and the health in the shape of Airflow's."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from tradewind import __version__
from tradewind.server.health import HEALTHY, UNHEALTHY, ComponentHealth, HealthReader


class VersionInfo(BaseModel):
    version: str
    git_version: str | None = None


class Status(BaseModel):
    status: str | None


class SchedulerStatus(Status):
    latest_scheduler_heartbeat: str | None


class TriggererStatus(Status):
    latest_triggerer_heartbeat: str | None


class DagProcessorStatus(Status):
    latest_dag_processor_heartbeat: str | None


class HealthInfo(BaseModel):
    metadatabase: Status
    scheduler: SchedulerStatus
    triggerer: TriggererStatus
    dag_processor: DagProcessorStatus


_KINDS = ("scheduler", "triggerer", "dag-processor")


def monitor_router(reader: HealthReader) -> APIRouter:
    """`/version` and `/monitor/health`."""
    router = APIRouter()

    @router.get("/version", tags=["Version"])
    async def get_version() -> VersionInfo:
        return VersionInfo(version=__version__)

    @router.get("/monitor/health", tags=["Monitor"])
    async def get_health() -> HealthInfo:
        health = await reader.read(_KINDS)
        found = health.components
        scheduler, triggerer, processor = (found.get(kind) for kind in _KINDS)
        # One that has never run is not part of this installation: no status, as opposed to an unhealthy one.
        return HealthInfo(
            metadatabase=Status(status=HEALTHY if health.problem is None else UNHEALTHY),
            scheduler=SchedulerStatus(
                status=scheduler.status if scheduler else UNHEALTHY, latest_scheduler_heartbeat=_beat(scheduler)
            ),
            triggerer=TriggererStatus(status=_status(triggerer), latest_triggerer_heartbeat=_beat(triggerer)),
            dag_processor=DagProcessorStatus(
                status=_status(processor), latest_dag_processor_heartbeat=_beat(processor)
            ),
        )

    return router


def _status(found: ComponentHealth | None) -> str | None:
    return found.status if found is not None and found.latest_heartbeat is not None else None


def _beat(found: ComponentHealth | None) -> str | None:
    return found.latest_heartbeat.isoformat() if found is not None and found.latest_heartbeat is not None else None
