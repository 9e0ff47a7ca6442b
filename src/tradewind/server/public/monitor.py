"""What may be asked without a token: the version, and the health in the shape of Airflow's."""

from __future__ import annotations

from fastapi import APIRouter, Request

from tradewind import __version__
from tradewind.server.health import HEALTHY, UNHEALTHY, ComponentHealth, HealthReader

from .models.base import Answer


class VersionInfo(Answer):
    version: str
    git_version: str | None = None


class BaseInfoResponse(Answer):
    status: str | None


class SchedulerInfoResponse(BaseInfoResponse):
    latest_scheduler_heartbeat: str | None


class TriggererInfoResponse(BaseInfoResponse):
    latest_triggerer_heartbeat: str | None


class DagProcessorInfoResponse(BaseInfoResponse):
    latest_dag_processor_heartbeat: str | None


class HealthInfoResponse(Answer):
    metadatabase: BaseInfoResponse
    scheduler: SchedulerInfoResponse
    triggerer: TriggererInfoResponse
    dag_processor: DagProcessorInfoResponse | None = None


_KINDS = ("scheduler", "triggerer", "dag-processor")


router = APIRouter()


@router.get("/version", tags=["Version"])
async def get_version() -> VersionInfo:
    return VersionInfo(version=__version__)


@router.get("/monitor/health", tags=["Monitor"])
async def get_health(request: Request) -> HealthInfoResponse:
    reader: HealthReader = request.app.state.health
    health = await reader.read(_KINDS)
    found = health.components
    scheduler, triggerer, processor = (found.get(kind) for kind in _KINDS)
    # One that has never run is not part of this installation: no status, as opposed to an unhealthy one.
    return HealthInfoResponse(
        metadatabase=BaseInfoResponse(status=HEALTHY if health.problem is None else UNHEALTHY),
        scheduler=SchedulerInfoResponse(
            status=scheduler.status if scheduler else UNHEALTHY, latest_scheduler_heartbeat=_beat(scheduler)
        ),
        triggerer=TriggererInfoResponse(status=_status(triggerer), latest_triggerer_heartbeat=_beat(triggerer)),
        dag_processor=DagProcessorInfoResponse(
            status=_status(processor), latest_dag_processor_heartbeat=_beat(processor)
        ),
    )


def _status(found: ComponentHealth | None) -> str | None:
    return found.status if found is not None and found.latest_heartbeat is not None else None


def _beat(found: ComponentHealth | None) -> str | None:
    return found.latest_heartbeat.isoformat() if found is not None and found.latest_heartbeat is not None else None
