"""`airflow.sdk.…`: the modules of Airflow 3's SDK, name by name. They are not older paths."""

from __future__ import annotations

_MAPPERS = (
    "AllowedKeyMapper ChainMapper FanOutMapper FixedKeyMapper IdentityMapper PartitionMapper ProductMapper "
    "RollupMapper StartOfDayMapper StartOfHourMapper StartOfMonthMapper StartOfQuarterMapper StartOfWeekMapper "
    "StartOfYearMapper"
)
_WINDOWS = "DayWindow HourWindow MonthWindow QuarterWindow SegmentWindow WeekWindow Window YearWindow"
_MASKER = "._core.masking: mask_secret redact amask_secret should_hide_value_for_key SecretsMasker Redactable Redacted"
_STATS = "._core.stats: Stats"

ROWS = {
    # --- bases
    "sdk.bases": "",
    "sdk.bases.branch": "~: BaseBranchOperator BranchMixIn",
    "sdk.bases.decorator": (
        "._core.decorated: DecoratedOperator DecoratedMappedOperator ExpandableFactory KeywordParameters Task "
        "TaskDecorator determine_kwargs get_unique_task_id is_async_callable unwrap_callable unwrap_partial "
        "is_decorated_task; ~.taskflow: task_decorator_factory _TaskDecorator=TaskDecorator"
    ),
    "sdk.bases.hook": "~: BaseHook",
    "sdk.bases.notifier": "~: BaseNotifier",
    "sdk.bases.operator": (
        "~: BaseOperator chain chain_linear cross_downstream; ~: BaseAsyncOperator; "
        "._core.operator_parts: BaseOperatorMeta OPERATOR_DEFAULTS DB_SAFE_MAXIMUM DB_SAFE_MINIMUM db_safe_priority "
        "coerce_resources coerce_timedelta parse_retries get_merged_defaults event_loop ExecutorSafeguard "
        "TriggerFailureReason TRIGGER_FAIL_REPR"
    ),
    "sdk.bases.operatorlink": "~: BaseOperatorLink",
    "sdk.bases.resumablejobmixin": "~: ResumableJobMixin",
    "sdk.bases.secrets_backend": "._core.secrets: BaseSecretsBackend",
    "sdk.bases.sensor": "~: BaseSensorOperator PokeReturnValue; ~.sensor: poke_mode_only",
    "sdk.bases.skipmixin": (
        "~: SkipMixin; ._core.operator_parts: XCOM_SKIPMIXIN_KEY XCOM_SKIPMIXIN_SKIPPED XCOM_SKIPMIXIN_FOLLOWED "
        "_ensure_tasks"
    ),
    "sdk.bases.timetable": "._core.timetables: BaseTimetable",
    "sdk.bases.trigger": "._core.triggers: BaseTrigger TriggerEvent BaseEventTrigger StartTriggerArgs",
    "sdk.bases.xcom": "~: BaseXCom",
    # --- what DAG files define
    "sdk.definitions": "",
    "sdk.definitions.asset": (
        "~: Asset AssetAlias AssetAll AssetAny AssetWatcher AssetAccessControl; "
        "~.assets: AssetRef AssetNameRef AssetUriRef BaseAsset Dataset Model; ._core.assets: AssetUniqueKey "
        "AssetAliasUniqueKey AssetAliasEvent BaseAssetUniqueKey AssetBooleanCondition _get_normalized_scheme "
        "normalize_noop"
    ),
    "sdk.definitions.asset.access_control": "~: AssetAccessControl",
    "sdk.definitions.asset.decorators": "~: asset; ~.asset_decorator: *",
    "sdk.definitions.asset.metadata": "~: Metadata",
    "sdk.definitions.callback": "~: AsyncCallback SyncCallback; ~.deadlines: Callback",
    "sdk.definitions.connection": "~: Connection",
    "sdk.definitions.context": (
        "~: Context get_current_context get_parsing_context; ~.context: AirflowParsingContext=ParsingContext; "
        "._core.contexts: context_merge KNOWN_CONTEXT_KEYS render_template render_template_as_native "
        "render_template_to_string"
    ),
    "sdk.definitions.dag": "~: DAG dag; ._core.operator_parts: DagStateChangeCallback ScheduleInterval ScheduleArg",
    "sdk.definitions.deadline": (
        "~: BaseDeadlineReference DeadlineAlert DeadlineReference deadline_reference; ~.deadlines: *"
    ),
    "sdk.definitions.decorators": (
        "~: dag result setup task task_group teardown; ~.taskflow: TaskDecoratorCollection task_decorator_factory"
    ),
    "sdk.definitions.decorators.condition": "~.conditions: *",
    "sdk.definitions.decorators.setup_teardown": "~: setup_task=setup teardown_task=teardown",
    "sdk.definitions.decorators.task_group": "~: task_group",
    "sdk.definitions.edges": "~: EdgeModifier Label; ._core.operator_parts: EdgeInfoType",
    "sdk.definitions.mappedoperator": "~.mapped: MappedOperator OperatorPartial; ._core.operator_parts: "
    "ValidationSource ensure_xcomarg_return_value prevent_duplicates is_mappable_value",
    "sdk.definitions.operator_resources": "._core.resources: *",
    "sdk.definitions.param": "~: Param ParamsDict; ~.params: DagParam; ._core.operator_parts: process_params",
    "sdk.definitions.partition_mappers": "",
    "sdk.definitions.partition_mappers.base": "~: PartitionMapper RollupMapper",
    "sdk.definitions.partition_mappers.allowed_key": "~: AllowedKeyMapper",
    "sdk.definitions.partition_mappers.chain": "~: ChainMapper",
    "sdk.definitions.partition_mappers.fixed_key": "~: FixedKeyMapper",
    "sdk.definitions.partition_mappers.identity": "~: IdentityMapper",
    "sdk.definitions.partition_mappers.product": "~: ProductMapper",
    "sdk.definitions.partition_mappers.temporal": f"~: {_MAPPERS}",
    "sdk.definitions.partition_mappers.wait_policy": "~: WaitForAll MinimumCount",
    "sdk.definitions.partition_mappers.window": f"~: {_WINDOWS}",
    "sdk.definitions.retry_policy": "~: ExceptionRetryPolicy RetryAction RetryDecision RetryPolicy RetryRule",
    "sdk.definitions.taskgroup": "~: TaskGroup; ~.groups: MappedTaskGroup",
    "sdk.definitions.template": "~: literal",
    "sdk.definitions.timetables": "",
    "sdk.definitions.timetables.assets": (
        "~: AssetOrTimeSchedule PartitionedAssetTimetable PartitionedAtRuntime; ._core.timetables: "
        "AssetTriggeredTimetable"
    ),
    "sdk.definitions.timetables.events": "~: EventsTimetable",
    "sdk.definitions.timetables.interval": "~: CronDataIntervalTimetable DeltaDataIntervalTimetable",
    "sdk.definitions.timetables.simple": "._core.timetables: NullTimetable OnceTimetable ContinuousTimetable",
    "sdk.definitions.timetables.trigger": (
        "~: CronTriggerTimetable DeltaTriggerTimetable MultipleCronTriggerTimetable CronPartitionTimetable"
    ),
    "sdk.definitions.variable": "~: Variable",
    "sdk.definitions.xcom_arg": (
        "~: XComArg; ~.xcomarg: PlainXComArg MapXComArg ZipXComArg ConcatXComArg; ._core.operator_parts: MapCallables"
    ),
    "sdk.definitions._internal": "",
    "sdk.definitions._internal.abstractoperator": (
        "._core.operator_parts: AbstractOperator DEFAULT_OWNER DEFAULT_POOL_SLOTS DEFAULT_POOL_NAME "
        "DEFAULT_PRIORITY_WEIGHT MINIMUM_PRIORITY_WEIGHT MAXIMUM_PRIORITY_WEIGHT DEFAULT_EXECUTOR DEFAULT_QUEUE "
        "DEFAULT_RETRIES DEFAULT_RETRY_DELAY MAX_RETRY_DELAY DEFAULT_TRIGGER_RULE DEFAULT_WEIGHT_RULE "
        "DEFAULT_TASK_EXECUTION_TIMEOUT DEFAULT_IGNORE_FIRST_DEPENDS_ON_PAST TaskStateChangeCallback "
        "TaskStateChangeCallbackAttrType Operator"
    ),
    "sdk.definitions._internal.contextmanager": "._core.operator_parts: DagContext TaskGroupContext",
    "sdk.definitions._internal.decorators": "._core.decorated: remove_task_decorator fixup_decorator_warning_stack",
    "sdk.definitions._internal.expandinput": (
        "._core.operator_parts: EXPAND_INPUT_EMPTY is_mappable ExpandInput OperatorExpandArgument "
        "OperatorExpandKwargsArgument; ~.expansion: DictOfListsExpandInput=ByArgument ListOfDictsExpandInput=ByDict "
        "MappedArgument"
    ),
    "sdk.definitions._internal.logging_mixin": "._core.logs: LoggingMixin",
    "sdk.definitions._internal.mixins": "._core.operator_parts: DependencyMixin ResolveMixin",
    "sdk.definitions._internal.node": (
        "._core.operator_parts: DAGNode; ._core.helpers: KEY_REGEX GROUP_KEY_REGEX validate_key validate_group_key"
    ),
    "sdk.definitions._internal.setup_teardown": "._core.operator_parts: SetupTeardownContext BaseSetupTeardownContext",
    "sdk.definitions._internal.templater": "~: literal; ._core.templates: *",
    "sdk.definitions._internal.types": (
        "._core.types: NOTSET ArgNotSet SET_DURING_EXECUTION SetDuringExecution is_arg_set validate_instance_args"
    ),
    "sdk.definitions._internal.dag_parsing_context": "._core.contexts: _airflow_parsing_context_manager",
    # --- what a running task sees
    "sdk.execution_time": "",
    "sdk.execution_time.cache": "._core.secrets: SecretCache",
    "sdk.execution_time.callback_runner": (
        "._core.callbacks: ExecutionCallableRunner AsyncExecutionCallableRunner create_executable_runner "
        "create_async_executable_runner"
    ),
    "sdk.execution_time.comms": "._core.comms: *",
    "sdk.execution_time.context": (
        "._core.contexts: AIRFLOW_VAR_NAME_FORMAT_MAPPING DEFAULT_FORMAT_PREFIX ENV_VAR_FORMAT_PREFIX "
        "context_to_airflow_vars context_get_outlet_events OutletEventAccessorsProtocol OutletEventAccessor "
        "OutletEventAccessors InletEventsAccessors set_current_context context_update_for_unmapped; "
        "~: NEVER_EXPIRE; ~.context: ConnectionAccessor VariableAccessor"
    ),
    "sdk.execution_time.coordinator": "._core.absent: get_coordinator_manager BaseCoordinator",
    "sdk.execution_time.hitl": (
        "._core.hitl: HITLUser upsert_hitl_detail update_hitl_detail_response get_hitl_detail_content_detail"
    ),
    "sdk.execution_time.lazy_sequence": "~.xcoms: LazyXComSequence=LazySequence",
    "sdk.execution_time.macros": "~.macros: *",
    "sdk.execution_time.secrets": "._core.secrets: DEFAULT_SECRETS_SEARCH_PATH_WORKERS",
    "sdk.execution_time.secrets_masker": f"{_MASKER} _secrets_masker",
    "sdk.execution_time.supervisor": "._core.absent: supervise",
    "sdk.execution_time.task_runner": "~: RuntimeTaskInstance=TaskInstance; ._core.comms: SUPERVISOR_COMMS",
    "sdk.execution_time.timeout": "._core.timeouts: timeout TimeoutPosix",
    "sdk.execution_time.xcom": "._core.xcom: XCom resolve_xcom_backend",
    # --- the rest
    "sdk.api": "",
    "sdk.api.client": "._core.net: get_hostname getuser; ._core.absent: Client; ._core.exceptions: ServerResponseError",
    "sdk.api.datamodels": "",
    "sdk.api.datamodels._generated": "._core.comms: *; ~: DagRunState TaskInstanceState",
    "sdk.configuration": "._core.configuration: conf ensure_secrets_loaded initialize_secrets_backends",
    "sdk.crypto": "._core.secrets: get_fernet",
    "sdk.exceptions": "._core.exceptions: *",
    "sdk.io": "~: ObjectStoragePath; ~.storage|._core.io: attach get_fs has_fs; ._core.io: *",
    "sdk.io.fs": "._core.io: *",
    "sdk.io.path": "~: ObjectStoragePath",
    "sdk.io.stat": "._core.io: *",
    "sdk.io.store": "._core.io: *",
    "sdk.io.typedef": "._core.io: Properties",
    "sdk.lineage": "~.lineage: *; ._core.lineage: *",
    "sdk.listener": "._core.listeners: get_listener_manager",
    "sdk.log": f"{_MASKER}; ._core.logs: relative_path_from_logger configure_logging mask_logs",
    "sdk.module_loading": "._core.modules: *",
    "sdk.observability": "",
    "sdk.observability.stats": _STATS,
    "sdk.observability.metrics": "",
    "sdk.observability.metrics.stats_utils": "._core.stats: get_stats_factory",
    "sdk.plugins_manager": "~.plugins: AirflowPlugin",
    "sdk.providers_manager_runtime": "._core.providers_manager: ProvidersManagerTaskRuntime",
    "sdk.serde": "._core.serde: *",
    "sdk.state": "._core.states: *",
    "sdk.timezone": "._core.timezone: *",
    "sdk.types": (
        "._core.models: TaskInstanceKey; ~: TaskInstance; ._core.protocols: DagRunProtocol "
        "RuntimeTaskInstanceProtocol OutletEventAccessorProtocol OutletEventAccessorsProtocol WeightRuleProtocol "
        "WeightRuleParam"
    ),
    "sdk.yaml": "._core.yaml_text: *",
    "sdk._shared": "",
    "sdk._shared.configuration": "._core.exceptions: AirflowConfigException",
    "sdk._shared.configuration.exceptions": "._core.exceptions: AirflowConfigException",
    "sdk._shared.listeners": "~.listeners: hookimpl",
    "sdk._shared.module_loading": "._core.modules: *",
    "sdk._shared.observability": "",
    "sdk._shared.observability.metrics": "",
    "sdk._shared.observability.metrics.stats": _STATS,
    "sdk._shared.observability.metrics.base_stats_logger": "._core.stats: StatsLogger NoStatsLogger",
    "sdk._shared.observability.traces": "._core.stats: *",
    "sdk._shared.secrets_masker": _MASKER,
    "sdk._shared.timezones": "._core.timezone: timezone=; ._core.timezone: *",
    "sdk._shared.timezones.timezone": "._core.timezone: *",
    "sdk._shared.secrets_backend": "",
    "sdk._shared.secrets_backend.base": "._core.secrets: BaseSecretsBackend",
}
"""Module → its names; see `_redirect.Row`."""
