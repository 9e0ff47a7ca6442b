"""The face of the SDK: complete, lazy, light."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tradewind
from tradewind import sdk

AIRFLOW_NAMES = set(
    """
    AllowedKeyMapper Asset AssetAccessControl AssetAlias AssetAll AssetAny AssetOrTimeSchedule AssetWatcher
    AsyncCallback BaseAsyncOperator BaseBranchOperator BaseDeadlineReference BaseHook BaseNotifier
    BaseOperator BaseOperatorLink BaseSensorOperator BaseXCom BranchMixIn ChainMapper Connection Context
    CronDataIntervalTimetable CronPartitionTimetable CronTriggerTimetable DAG DagRunState DayWindow
    DeadlineAlert DeadlineReference DeltaDataIntervalTimetable DeltaTriggerTimetable EdgeModifier
    EventsTimetable ExceptionRetryPolicy FanOutMapper FixedKeyMapper HourWindow IdentityMapper Label Metadata
    MinimumCount MonthWindow MultipleCronTriggerTimetable NEVER_EXPIRE ObjectStoragePath Param ParamsDict
    PartitionMapper PartitionedAssetTimetable PartitionedAtRuntime PokeReturnValue ProductMapper
    QuarterWindow ResumableJobMixin RetryAction RetryDecision RetryPolicy RetryRule RollupMapper
    SegmentWindow SkipMixin StartOfDayMapper StartOfHourMapper StartOfMonthMapper StartOfQuarterMapper
    StartOfWeekMapper StartOfYearMapper SyncCallback TaskGroup TaskInstance TaskInstanceState TriggerRule
    Variable WaitForAll WeekWindow WeightRule Window XComArg YearWindow __version__ asset chain chain_linear
    conf cross_downstream dag deadline_reference get_current_context get_parsing_context lineage literal
    macros result setup task task_group teardown
    """.split()  # noqa: SIM905 # read better as words
)


def test_each_of_the_98_names_is_there_or_says_what_is_missing() -> None:
    assert len(AIRFLOW_NAMES) == 98
    for name in AIRFLOW_NAMES - set(sdk.__all__):
        with pytest.raises(NotImplementedError, match=f"{name} is not available: .* not built yet"):
            getattr(sdk, name)


def test_the_list_is_the_table() -> None:
    assert sorted(sdk.__all__) == sorted(sdk._HOMES)
    for name in sdk.__all__:
        assert getattr(tradewind, name) is getattr(sdk, name)


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="module 'tradewind' has no attribute 'Dag'"):
        tradewind.Dag  # noqa: B018
    assert "task_group" in dir(sdk)


def test_modules_do_not_shadow_names() -> None:
    code = "import tradewind.sdk.compile, tradewind.sdk.loading\nfrom tradewind import dag, task\nassert callable(dag)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_and_building_loads_nothing_heavy() -> None:
    code = """
import sys
import tradewind
heavy = {"jinja2", "pendulum", "jsonschema", "asyncio", "pydantic", "httpx", "sqlalchemy", "fastapi"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert "tradewind.sdk" not in sys.modules
from tradewind import DAG, BaseOperator, Label, Param, TaskGroup, chain, dag, task, task_group
with DAG("d", schedule="@daily"):
    @task
    def f(): ...
    f()
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
