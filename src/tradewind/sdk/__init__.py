"""What authors write with. Each name is loaded when it is first used, so that importing costs next to nothing.

`_MODULES` is the list: name → where it lives. All else in this package is private.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradewind import __version__ as __version__
    from tradewind.wire.states import DagRunState as DagRunState
    from tradewind.wire.states import TaskInstanceState as TaskInstanceState
    from tradewind.wire.states import TriggerRule as TriggerRule
    from tradewind.wire.states import WeightRule as WeightRule

    from . import lineage as lineage
    from . import macros as macros
    from .asset_decorator import asset as asset
    from .assets import Asset as Asset
    from .assets import AssetAccessControl as AssetAccessControl
    from .assets import AssetAlias as AssetAlias
    from .assets import AssetAll as AssetAll
    from .assets import AssetAny as AssetAny
    from .assets import AssetWatcher as AssetWatcher
    from .assets import Metadata as Metadata
    from .async_operator import BaseAsyncOperator as BaseAsyncOperator
    from .branching import BaseBranchOperator as BaseBranchOperator
    from .branching import BranchMixIn as BranchMixIn
    from .branching import SkipMixin as SkipMixin
    from .configuration import conf as conf
    from .connections import Connection as Connection
    from .context import Context as Context
    from .context import get_current_context as get_current_context
    from .context import get_parsing_context as get_parsing_context
    from .dag_decorator import dag as dag
    from .deadlines import AsyncCallback as AsyncCallback
    from .deadlines import BaseDeadlineReference as BaseDeadlineReference
    from .deadlines import DeadlineAlert as DeadlineAlert
    from .deadlines import DeadlineReference as DeadlineReference
    from .deadlines import SyncCallback as SyncCallback
    from .deadlines import deadline_reference as deadline_reference
    from .definition import DAG as DAG
    from .edges import EdgeModifier as EdgeModifier
    from .edges import Label as Label
    from .edges import chain as chain
    from .edges import chain_linear as chain_linear
    from .edges import cross_downstream as cross_downstream
    from .exceptions import AirflowException as AirflowException
    from .exceptions import AirflowFailException as AirflowFailException
    from .exceptions import AirflowNotFoundException as AirflowNotFoundException
    from .exceptions import AirflowRescheduleException as AirflowRescheduleException
    from .exceptions import AirflowSensorTimeout as AirflowSensorTimeout
    from .exceptions import AirflowSkipException as AirflowSkipException
    from .exceptions import AirflowTaskTerminated as AirflowTaskTerminated
    from .exceptions import AirflowTaskTimeout as AirflowTaskTimeout
    from .exceptions import DownstreamTasksSkipped as DownstreamTasksSkipped
    from .exceptions import ParamValidationError as ParamValidationError
    from .exceptions import TaskDeferred as TaskDeferred
    from .exceptions import XComNotFound as XComNotFound
    from .groups import TaskGroup as TaskGroup
    from .groups import task_group as task_group
    from .hooks import BaseHook as BaseHook
    from .notifier import BaseNotifier as BaseNotifier
    from .object_path import ObjectStoragePath as ObjectStoragePath
    from .operator import BaseOperator as BaseOperator
    from .operator_links import BaseOperatorLink as BaseOperatorLink
    from .params import Param as Param
    from .params import ParamsDict as ParamsDict
    from .partitions import AllowedKeyMapper as AllowedKeyMapper
    from .partitions import ChainMapper as ChainMapper
    from .partitions import CronPartitionTimetable as CronPartitionTimetable
    from .partitions import DayWindow as DayWindow
    from .partitions import FanOutMapper as FanOutMapper
    from .partitions import FixedKeyMapper as FixedKeyMapper
    from .partitions import HourWindow as HourWindow
    from .partitions import IdentityMapper as IdentityMapper
    from .partitions import MinimumCount as MinimumCount
    from .partitions import MonthWindow as MonthWindow
    from .partitions import PartitionedAssetTimetable as PartitionedAssetTimetable
    from .partitions import PartitionedAtRuntime as PartitionedAtRuntime
    from .partitions import PartitionMapper as PartitionMapper
    from .partitions import ProductMapper as ProductMapper
    from .partitions import QuarterWindow as QuarterWindow
    from .partitions import RollupMapper as RollupMapper
    from .partitions import SegmentWindow as SegmentWindow
    from .partitions import StartOfDayMapper as StartOfDayMapper
    from .partitions import StartOfHourMapper as StartOfHourMapper
    from .partitions import StartOfMonthMapper as StartOfMonthMapper
    from .partitions import StartOfQuarterMapper as StartOfQuarterMapper
    from .partitions import StartOfWeekMapper as StartOfWeekMapper
    from .partitions import StartOfYearMapper as StartOfYearMapper
    from .partitions import WaitForAll as WaitForAll
    from .partitions import WeekWindow as WeekWindow
    from .partitions import Window as Window
    from .partitions import YearWindow as YearWindow
    from .resumable import ResumableJobMixin as ResumableJobMixin
    from .retry_policies import ExceptionRetryPolicy as ExceptionRetryPolicy
    from .retry_policies import RetryAction as RetryAction
    from .retry_policies import RetryDecision as RetryDecision
    from .retry_policies import RetryPolicy as RetryPolicy
    from .retry_policies import RetryRule as RetryRule
    from .sensor import BaseSensorOperator as BaseSensorOperator
    from .sensor import PokeReturnValue as PokeReturnValue
    from .state_store import NEVER_EXPIRE as NEVER_EXPIRE
    from .task_instance import RuntimeTaskInstance as TaskInstance
    from .taskflow import result as result
    from .taskflow import setup as setup
    from .taskflow import task as task
    from .taskflow import teardown as teardown
    from .templates import literal as literal
    from .timetables import AssetOrTimeSchedule as AssetOrTimeSchedule
    from .timetables import AssetSchedule as AssetSchedule
    from .timetables import CronDataIntervalTimetable as CronDataIntervalTimetable
    from .timetables import CronTriggerTimetable as CronTriggerTimetable
    from .timetables import DeltaDataIntervalTimetable as DeltaDataIntervalTimetable
    from .timetables import DeltaTriggerTimetable as DeltaTriggerTimetable
    from .timetables import EventsTimetable as EventsTimetable
    from .timetables import MultipleCronTriggerTimetable as MultipleCronTriggerTimetable
    from .variables import Variable as Variable
    from .xcom_backend import BaseXCom as BaseXCom
    from .xcomarg import XComArg as XComArg

_MODULES = {
    "definition": "DAG",
    "dag_decorator": "dag",
    "operator": "BaseOperator",
    "async_operator": "BaseAsyncOperator",
    "resumable": "ResumableJobMixin",
    "notifier": "BaseNotifier",
    "operator_links": "BaseOperatorLink",
    "xcom_backend": "BaseXCom",
    "object_path": "ObjectStoragePath",
    "state_store": "NEVER_EXPIRE",
    "configuration": "conf",
    "lineage": "lineage=",
    "deadlines": "AsyncCallback BaseDeadlineReference DeadlineAlert DeadlineReference SyncCallback deadline_reference",
    "taskflow": "task setup teardown result",
    "groups": "TaskGroup task_group",
    "edges": "EdgeModifier Label chain chain_linear cross_downstream",
    "xcomarg": "XComArg",
    "params": "Param ParamsDict",
    "timetables": (
        "CronTriggerTimetable MultipleCronTriggerTimetable CronDataIntervalTimetable "
        "DeltaTriggerTimetable DeltaDataIntervalTimetable EventsTimetable AssetOrTimeSchedule AssetSchedule"
    ),
    "asset_decorator": "asset",
    "assets": "Asset AssetAccessControl AssetAlias AssetAll AssetAny AssetWatcher Metadata",
    "partitions": (
        "AllowedKeyMapper ChainMapper CronPartitionTimetable DayWindow FanOutMapper FixedKeyMapper "
        "HourWindow IdentityMapper MinimumCount MonthWindow PartitionMapper PartitionedAssetTimetable "
        "PartitionedAtRuntime ProductMapper QuarterWindow RollupMapper SegmentWindow StartOfDayMapper "
        "StartOfHourMapper StartOfMonthMapper StartOfQuarterMapper StartOfWeekMapper StartOfYearMapper "
        "WaitForAll WeekWindow Window YearWindow"
    ),
    "sensor": "BaseSensorOperator PokeReturnValue",
    "branching": "BaseBranchOperator BranchMixIn SkipMixin",
    "hooks": "BaseHook",
    "variables": "Variable",
    "connections": "Connection",
    "context": "Context get_current_context get_parsing_context",
    "task_instance": "TaskInstance=RuntimeTaskInstance",
    "templates": "literal",
    "retry_policies": "ExceptionRetryPolicy RetryAction RetryDecision RetryPolicy RetryRule",
    "macros": "macros=",
    "exceptions": (
        "AirflowException AirflowFailException AirflowNotFoundException AirflowRescheduleException "
        "AirflowSensorTimeout "
        "AirflowSkipException AirflowTaskTerminated AirflowTaskTimeout DownstreamTasksSkipped ParamValidationError "
        "TaskDeferred XComNotFound"
    ),
    "..wire.states": "DagRunState TaskInstanceState TriggerRule WeightRule",
    "..": "__version__",
}
"""Module → its public names; `a=b`: public as `a`, called `b` there; `a=`: the module itself."""

_NOT_YET: dict[str, str] = {}
"""Topic → names that Airflow has and that are not built yet."""


def _homes() -> dict[str, tuple[str, str]]:
    found = {}
    for module, names in _MODULES.items():
        for entry in names.split():
            public, given, private = entry.partition("=")
            found[public] = (module, private if given else public)
    return found


_HOMES = _homes()
_TOPICS = {name: topic for topic, names in _NOT_YET.items() for name in names.split()}

__all__ = [
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowRescheduleException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "AirflowTaskTerminated",
    "AirflowTaskTimeout",
    "AllowedKeyMapper",
    "Asset",
    "AssetAccessControl",
    "AssetAlias",
    "AssetAll",
    "AssetAny",
    "AssetOrTimeSchedule",
    "AssetSchedule",
    "AssetWatcher",
    "AsyncCallback",
    "BaseAsyncOperator",
    "BaseBranchOperator",
    "BaseDeadlineReference",
    "BaseHook",
    "BaseNotifier",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "BaseXCom",
    "BranchMixIn",
    "ChainMapper",
    "Connection",
    "Context",
    "CronDataIntervalTimetable",
    "CronPartitionTimetable",
    "CronTriggerTimetable",
    "DAG",
    "DagRunState",
    "DayWindow",
    "DeadlineAlert",
    "DeadlineReference",
    "DeltaDataIntervalTimetable",
    "DeltaTriggerTimetable",
    "DownstreamTasksSkipped",
    "EdgeModifier",
    "EventsTimetable",
    "ExceptionRetryPolicy",
    "FanOutMapper",
    "FixedKeyMapper",
    "HourWindow",
    "IdentityMapper",
    "Label",
    "Metadata",
    "MinimumCount",
    "MonthWindow",
    "MultipleCronTriggerTimetable",
    "NEVER_EXPIRE",
    "ObjectStoragePath",
    "Param",
    "ParamValidationError",
    "ParamsDict",
    "PartitionMapper",
    "PartitionedAssetTimetable",
    "PartitionedAtRuntime",
    "PokeReturnValue",
    "ProductMapper",
    "QuarterWindow",
    "ResumableJobMixin",
    "RetryAction",
    "RetryDecision",
    "RetryPolicy",
    "RetryRule",
    "RollupMapper",
    "SegmentWindow",
    "SkipMixin",
    "StartOfDayMapper",
    "StartOfHourMapper",
    "StartOfMonthMapper",
    "StartOfQuarterMapper",
    "StartOfWeekMapper",
    "StartOfYearMapper",
    "SyncCallback",
    "TaskDeferred",
    "TaskGroup",
    "TaskInstance",
    "TaskInstanceState",
    "TriggerRule",
    "Variable",
    "WaitForAll",
    "WeekWindow",
    "WeightRule",
    "Window",
    "XComArg",
    "XComNotFound",
    "YearWindow",
    "__version__",
    "asset",
    "chain",
    "chain_linear",
    "conf",
    "cross_downstream",
    "dag",
    "deadline_reference",
    "get_current_context",
    "get_parsing_context",
    "lineage",
    "literal",
    "macros",
    "result",
    "setup",
    "task",
    "task_group",
    "teardown",
]


class NotAvailable(ImportError, NotImplementedError):
    """A name that Airflow has and that is not built yet."""


def __getattr__(name: str) -> Any:
    if name in _TOPICS:
        raise NotAvailable(f"{name} is not available: {_TOPICS[name]} are not built yet")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tradewind.sdk' has no attribute {name!r}")
    module, private = home
    relative = module if module.startswith("..") else f".{module}"
    loaded = importlib.import_module(relative, __name__)
    value = getattr(loaded, private) if private else loaded
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
