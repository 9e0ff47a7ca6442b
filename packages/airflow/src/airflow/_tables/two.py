"""Paths of Airflow 2 that moved: each works, and its use is noted."""

from __future__ import annotations

_S = ".providers.standard"
_DATASETS = (
    "~: Dataset=Asset DatasetAlias=AssetAlias DatasetAll=AssetAll DatasetAny=AssetAny; ~.assets: "
    "BaseDataset=BaseAsset; ._core.assets: DatasetAliasEvent=AssetAliasEvent"
)
_DECORATORS = "~: dag result setup task task_group teardown"
_DECORATED = (
    "._core.decorated: DecoratedOperator DecoratedMappedOperator ExpandableFactory Task TaskDecorator "
    "get_unique_task_id; ~.taskflow: task_decorator_factory _TaskDecorator=TaskDecorator"
)
_OPERATOR = (
    "~: BaseOperator chain chain_linear cross_downstream; ~: BaseOperatorLink; "
    "._core.operator_parts: BaseOperatorMeta coerce_timedelta coerce_resources parse_retries get_merged_defaults "
    "DEFAULT_OWNER DEFAULT_POOL_SLOTS DEFAULT_PRIORITY_WEIGHT DEFAULT_QUEUE DEFAULT_RETRIES DEFAULT_RETRY_DELAY "
    "DEFAULT_TRIGGER_RULE DEFAULT_WEIGHT_RULE ScheduleInterval TaskStateChangeCallback TaskPreExecuteHook "
    "TaskPostExecuteHook ExecutorSafeguard"
)
_HITL = f"{_S}.operators.hitl"

ROWS = {
    "assets": "~: Asset AssetAlias AssetAll AssetAny; ~.assets: *",
    "assets.metadata": "~: Metadata",
    "datasets": _DATASETS,
    "datasets.manager": "._core.absent: DatasetManager dataset_manager resolve_dataset_manager",
    "datasets.metadata": "~: Metadata",
    "models.dataset": (
        "~: Dataset=Asset DatasetAlias=AssetAlias; ._core.models: DatasetEvent DatasetModel DatasetAliasModel "
        "DagScheduleDatasetReference TaskOutletDatasetReference DatasetDagRunQueue"
    ),
    "decorators": f"{_DECORATORS}; ~.taskflow: TaskDecoratorCollection TaskDecorator",
    "decorators.base": _DECORATED,
    "decorators.bash": "._core.kinds: bash_task",
    "decorators.branch_python": "._core.kinds: branch_task",
    "decorators.branch_virtualenv": "._core.kinds: branch_virtualenv_task",
    "decorators.branch_external_python": "._core.kinds: branch_external_python_task",
    "decorators.condition": "~.conditions: *",
    "decorators.external_python": "._core.kinds: external_python_task",
    "decorators.python": "._core.kinds: python_task",
    "decorators.python_virtualenv": "._core.kinds: virtualenv_task",
    "decorators.sensor": "._core.kinds: sensor_task",
    "decorators.setup_teardown": "~: setup_task=setup teardown_task=teardown",
    "decorators.short_circuit": "._core.kinds: short_circuit_task",
    "decorators.task_group": "~: task_group",
    "hooks": "",
    "hooks.base": "~: BaseHook; ._core.operator_parts: DiscoverableHook",
    "hooks.dbapi": ".providers.common.sql.hooks.sql: DbApiHook ConnectorProtocol",
    "hooks.filesystem": f"{_S}.hooks.filesystem: FSHook",
    "hooks.package_index": f"{_S}.hooks.package_index: PackageIndexHook",
    "hooks.subprocess": f"{_S}.hooks.subprocess: SubprocessHook SubprocessResult working_directory",
    "io": "~: ObjectStoragePath; ._core.io: *",
    "io.path": "~: ObjectStoragePath",
    "io.store": "._core.io: *",
    "io.typedef": "._core.io: Properties",
    "io.utils": "",
    "io.utils.stat": "._core.io: stat_result",
    "lineage": "~.lineage: *; ._core.lineage: *",
    "lineage.backend": "._core.lineage: LineageBackend",
    "lineage.entities": "._core.lineage: File User Tag Column Table",
    "lineage.hook": "~.lineage: *; ._core.lineage: *",
    "macros": "~.macros: *",
    "metrics": "",
    "metrics.base_stats_logger": "._core.stats: StatsLogger NoStatsLogger",
    "metrics.protocols": "._core.stats: Timer TimerProtocol DeltaType",
    "metrics.validators": "._core.stats: *",
    "models.abstractoperator": (
        "._core.operator_parts: AbstractOperator DEFAULT_OWNER DEFAULT_POOL_SLOTS DEFAULT_PRIORITY_WEIGHT "
        "DEFAULT_QUEUE DEFAULT_RETRIES DEFAULT_RETRY_DELAY MAX_RETRY_DELAY DEFAULT_TRIGGER_RULE DEFAULT_WEIGHT_RULE "
        "DEFAULT_EXECUTOR DEFAULT_TASK_EXECUTION_TIMEOUT DEFAULT_IGNORE_FIRST_DEPENDS_ON_PAST TaskStateChangeCallback "
        "NotMapped"
    ),
    "models.baseoperator": _OPERATOR,
    "models.baseoperatorlink": "~: BaseOperatorLink",
    "models.connection": "~: Connection; ._core.operator_parts: sanitize_conn_id parse_netloc_to_hostname",
    "models.dag": (
        "~: DAG dag; ._core.models: DagModel DagTag DagOwnerAttributes; ._core.operator_parts: DagContext "
        "DagStateChangeCallback ScheduleInterval ScheduleIntervalArg ScheduleArg create_timetable "
        "DEFAULT_SCHEDULE_INTERVAL; ._core.timetables: get_last_dagrun"
    ),
    "models.dagbag": "._core.dagbag: DagBag FileLoadStat DBDagBag=DagBag",
    "models.dagparam": "~.params: DagParam",
    "models.dagpickle": "._core.models: DagPickle",
    "models.expandinput": (
        "._core.operator_parts: EXPAND_INPUT_EMPTY is_mappable ExpandInput OperatorExpandArgument "
        "OperatorExpandKwargsArgument; ~.expansion: DictOfListsExpandInput=ByArgument ListOfDictsExpandInput=ByDict "
        "MappedArgument"
    ),
    "models.mappedoperator": "~.mapped: MappedOperator OperatorPartial; ._core.operator_parts: ValidationSource "
    "ensure_xcomarg_return_value prevent_duplicates validate_mapping_kwargs",
    "models.operator": "._core.operator_parts: Operator",
    "models.param": "~: Param ParamsDict; ~.params: DagParam; ._core.operator_parts: process_params",
    "models.skipmixin": (
        "~: SkipMixin; ._core.operator_parts: XCOM_SKIPMIXIN_KEY XCOM_SKIPMIXIN_SKIPPED XCOM_SKIPMIXIN_FOLLOWED"
    ),
    "models.slamiss": "._core.models: SlaMiss",
    "models.taskfail": "._core.models: TaskFail",
    "models.taskinstance": (
        "._core.models: TaskInstance TaskInstanceKey SimpleTaskInstance TaskInstanceNote TaskReturnCode "
        "clear_task_instances; ~: Context; ._core.contexts: set_current_context"
    ),
    "models.tasklog": "._core.models: LogTemplate",
    "models.taskmixin": "._core.operator_parts: DAGNode DependencyMixin TaskMixin",
    "models.variable": "~: Variable",
    "models.xcom": (
        "._core.xcom: XCom LazyXComAccess LazyXComSelectSequence XCOM_RETURN_KEY resolve_xcom_backend XComModel; "
        "~: BaseXCom"
    ),
    "models.xcom_arg": "~: XComArg; ~.xcomarg: PlainXComArg MapXComArg ZipXComArg ConcatXComArg",
    "notifications": "",
    "notifications.basenotifier": "~: BaseNotifier",
    "operators": "",
    "operators.bash": f"{_S}.operators.bash: BashOperator",
    "operators.branch": "~: BaseBranchOperator BranchMixIn",
    "operators.datetime": f"{_S}.operators.datetime: BranchDateTimeOperator target_times_as_dates",
    "operators.email": "._core.email_operator: EmailOperator",
    "operators.empty": f"{_S}.operators.empty: EmptyOperator",
    "operators.generic_transfer": ".providers.common.sql.operators.generic_transfer: GenericTransfer",
    "operators.hitl": f"{_HITL}: *",
    "operators.latest_only": f"{_S}.operators.latest_only: LatestOnlyOperator",
    "operators.python": (
        f"{_S}.operators.python: PythonOperator BranchPythonOperator ShortCircuitOperator PythonVirtualenvOperator "
        "BranchPythonVirtualenvOperator ExternalPythonOperator BranchExternalPythonOperator; "
        "~: get_current_context task; ._core.decorated: is_venv_installed"
    ),
    "operators.smooth": f"{_S}.operators.smooth: SmoothOperator",
    "operators.sql": ".providers.common.sql.operators.sql: *",
    "operators.subdag": "._core.subdag: SubDagOperator SkippedStatePropagationOptions",
    "operators.trigger_dagrun": (
        f"{_S}.operators.trigger_dagrun: TriggerDagRunOperator TriggerDagRunLink XCOM_RUN_ID XCOM_LOGICAL_DATE_ISO"
    ),
    "operators.weekday": f"{_S}.operators.weekday: BranchDayOfWeekOperator",
    "sensors": "",
    "sensors.base": "~: BaseSensorOperator PokeReturnValue; ~.sensor: poke_mode_only",
    "sensors.bash": f"{_S}.sensors.bash: BashSensor",
    "sensors.date_time": f"{_S}.sensors.date_time: DateTimeSensor DateTimeSensorAsync",
    "sensors.external_task": (
        f"{_S}.sensors.external_task: ExternalTaskSensor ExternalTaskMarker ExternalDagLink "
        "ExternalTaskSensorLink=ExternalDagLink"
    ),
    "sensors.filesystem": f"{_S}.sensors.filesystem: FileSensor",
    "sensors.python": f"{_S}.sensors.python: PythonSensor",
    "sensors.sql": ".providers.common.sql.sensors.sql: SqlSensor",
    "sensors.time_delta": (f"{_S}.sensors.time_delta: TimeDeltaSensor TimeDeltaSensorAsync WaitSensor"),
    "sensors.time_sensor": f"{_S}.sensors.time: TimeSensor TimeSensorAsync",
    "sensors.weekday": f"{_S}.sensors.weekday: DayOfWeekSensor",
    "stats": "._core.stats: Stats",
    "task.task_runner": "",
    "template": "",
    "template.templater": "~: literal LiteralValue=literal; ._core.templates: *",
    "timetables.datasets": "._core.timetables: DatasetOrTimeSchedule",
    "triggers.external_task": f"{_S}.triggers.external_task: WorkflowTrigger DagStateTrigger TaskStateTrigger",
    "triggers.file": f"{_S}.triggers.file: FileTrigger",
    "triggers.temporal": f"{_S}.triggers.temporal: DateTimeTrigger TimeDeltaTrigger",
    "utils": "._core.decorated: apply_defaults",
    "utils.context": (
        "~: Context; ._core.contexts: context_merge KNOWN_CONTEXT_KEYS OutletEventAccessor OutletEventAccessors "
        "InletEventsAccessors context_get_outlet_events context_update_for_unmapped context_copy_partial "
        "AirflowContextDeprecationWarning; ~.context: ConnectionAccessor VariableAccessor"
    ),
    "utils.dag_parsing_context": "~: get_parsing_context; ~.context: AirflowParsingContext=ParsingContext",
    "utils.decorators": "._core.decorated: apply_defaults remove_task_decorator fixup_decorator_warning_stack",
    "utils.log.secrets_masker": "._core.masking: *",
    "utils.module_loading": "._core.modules: *",
    "utils.operator_resources": "._core.resources: *",
    "utils.python_virtualenv": "._core.virtualenv: *",
    "utils.setup_teardown": "._core.operator_parts: SetupTeardownContext BaseSetupTeardownContext",
    "utils.task_group": "~: TaskGroup; ~.groups: MappedTaskGroup; ._core.operator_parts: TaskGroupContext",
    "utils.template": "~: literal",
    "utils.timeout": "._core.timeouts: timeout TimeoutPosix",
    "utils.timezone": "._core.timezone: *",
    "utils.trigger_rule": "._core.states: TriggerRule",
    "utils.weekday": f"{_S}.utils.weekday: WeekDay",
    "utils.weight_rule": "~: WeightRule; ._core.operator_parts: DB_SAFE_MAXIMUM DB_SAFE_MINIMUM db_safe_priority",
    "utils.xcom": "._core.xcom: XCOM_RETURN_KEY MAX_XCOM_SIZE",
    "api.common.experimental": "",
    "api.common.experimental.trigger_dag": "._core.trigger_dag: trigger_dag",
    "api.common.experimental.get_task_instance": "._core.absent: get_task_instance",
    "api.common.experimental.pool": "._core.absent: create_pool get_pool delete_pool get_pools",
    "api.common.experimental.mark_tasks": "._core.absent: set_state",
    "auth": "",
    "auth.managers": "",
    "auth.managers.models": "",
}
"""Module → its names; see `_redirect.Row`."""
