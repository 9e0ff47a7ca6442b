"""`airflow.…` outside the SDK: paths that Airflow 3 still offers without a word."""

from __future__ import annotations

_MODEL_NAMES = (
    "DagRun DagModel DagBag DagTag Log Pool XCom TaskInstance TaskReschedule TaskFail SlaMiss ImportError "
    "RenderedTaskInstanceFields Trigger DagPickle Base ID_LEN TaskMap DbCallbackRequest DagWarning "
    "SerializedDagModel ParseImportError DagCode DagVersion Backfill"
)

_API = "._core.stand_ins: "
_DETAILS = (
    "AccessView AssetAliasDetails AssetDetails BackfillDetails ConfigurationDetails ConnectionDetails DagAccessEntity "
    "DagDetails PoolDetails TeamDetails VariableDetails"
)
_ARGS = (
    "ARG_BUNDLE_NAME ARG_DAEMON ARG_DAG_ID ARG_EXECUTION_DATE ARG_LOGICAL_DATE ARG_LOG_FILE ARG_OUTPUT_PATH ARG_PID "
    "ARG_SKIP_SERVE_LOGS ARG_STDERR ARG_STDOUT ARG_SUBDIR ARG_VERBOSE ActionCommand Arg CLICommand GroupCommand "
    "lazy_load_command positive_int"
)

ROWS = {
    "api_fastapi": "",
    "api_fastapi.app": f"{_API}AUTH_MANAGER_FASTAPI_APP_PREFIX get_auth_manager get_cookie_path create_app",
    "api_fastapi.auth": "",
    "api_fastapi.auth.managers": "",
    "api_fastapi.auth.managers.base_auth_manager": (
        f"{_API}BaseAuthManager COOKIE_NAME_JWT_TOKEN ExtendedResourceMethod ResourceMethod"
    ),
    "api_fastapi.auth.managers.models": "",
    "api_fastapi.auth.managers.models.base_user": f"{_API}BaseUser",
    "api_fastapi.auth.managers.models.batch_apis": (
        f"{_API}IsAuthorizedConnectionRequest IsAuthorizedDagRequest IsAuthorizedPoolRequest "
        "IsAuthorizedVariableRequest"
    ),
    "api_fastapi.auth.managers.models.resource_details": f"{_API}{_DETAILS}",
    "api_fastapi.common": "",
    "api_fastapi.common.router": f"{_API}AirflowRouter",
    "api_fastapi.common.types": f"{_API}MenuItem",
    "api_fastapi.core_api": "",
    "api_fastapi.core_api.base": f"{_API}BaseModel",
    "cli": "",
    "cli.cli_config": f"{_API}{_ARGS}",
    "cli.cli_parser": f"{_API}AirflowHelpFormatter DefaultHelpParser _add_command get_parser",
    "cli.commands": "",
    "cli.commands.daemon_utils": f"{_API}run_command_with_daemon_option",
    "cli.simple_table": f"{_API}AirflowConsole",
    "serialization.definitions.mappedoperator": f"{_API}SerializedMappedOperator",
    "serialization.encoders": f"{_API}coerce_to_core_timetable encode_timetable",
    "utils.log.json_formatter": "._core.logs: JSONFormatter",
    "utils.log.trigger_handler": f"{_API}ctx_indiv_trigger ctx_task_instance ctx_trigger_id",
    "_shared": "",
    "_shared.configuration": "._core.exceptions: AirflowConfigException",
    "_shared.listeners": "~.listeners: hookimpl hookspec=hookimpl",
    "_shared.module_loading": "._core.modules: *",
    "_shared.observability": "",
    "_shared.observability.metrics": "",
    "_shared.observability.metrics.stats": "._core.stats: Stats",
    "_shared.observability.metrics.base_stats_logger": "._core.stats: StatsLogger NoStatsLogger",
    "_shared.observability.traces": "._core.stats: *",
    "_shared.secrets_masker": "._core.masking: *",
    "_shared.secrets_backend": "",
    "_shared.secrets_backend.base": "._core.secrets: BaseSecretsBackend",
    "_shared.timezones": "._core.timezone: timezone=; ._core.timezone: *",
    "_shared.timezones.timezone": "._core.timezone: *",
    "_shared.logging": "._core.logs: *",
    "_shared.logging.remote": "._core.logs: *",
    "_shared.state": "._core.states: *",
    "_vendor": "",
    "api": "",
    "api.client": "._core.client: get_current_api_client",
    "api.client.local_client": "._core.client: Client",
    "api.common": "._core.trigger_dag: trigger_dag",
    "api.common.trigger_dag": "._core.trigger_dag: trigger_dag",
    "api.common.delete_dag": "._core.absent: delete_dag",
    "api.common.mark_tasks": "._core.absent: set_state set_dag_run_state_to_success set_dag_run_state_to_failed",
    "assets": "",
    "assets.manager": "._core.absent: AssetManager asset_manager resolve_asset_manager",
    "callbacks": "",
    "callbacks.callback_requests": "._core.models: *",
    "config_templates": "",
    "config_templates.airflow_local_settings": "._core.settings: DEFAULT_LOGGING_CONFIG REMOTE_TASK_LOG",
    "configuration": (
        "._core.configuration: conf AIRFLOW_HOME AIRFLOW_CONFIG AirflowConfigParser get_airflow_home "
        "get_airflow_config ensure_secrets_loaded initialize_secrets_backends get_custom_secret_backend "
        "secrets_backend_list default_config_yaml retrieve_configuration_description; "
        "._core.exceptions: AirflowConfigException"
    ),
    "dag_processing": "",
    "dag_processing.bundles": "",
    "dag_processing.bundles.base": "._core.bundles: *",
    "dag_processing.bundles.local": "._core.bundles: LocalDagBundle",
    "dag_processing.bundles.manager": "._core.bundles: DagBundlesManager",
    "dag_processing.dagbag": "._core.dagbag: DagBag BundleDagBag FileLoadStat",
    "exceptions": "._core.exceptions: *",
    "executors": "",
    "executors.base_executor": "._core.executors: *",
    "executors.executor_constants": "._core.executors: *",
    "executors.executor_loader": "._core.executors: ExecutorLoader",
    "executors.executor_utils": "._core.executors: ExecutorName",
    "executors.local_executor": "._core.executors: LocalExecutor",
    "executors.workloads": "._core.executors: *",
    "executors.workloads.base": "._core.executors: *",
    "executors.workloads.callback": "._core.executors: *",
    "executors.workloads.task": "._core.executors: *",
    "executors.workloads.types": "._core.executors: *",
    "jobs": "._core.models: BaseJob=Job",
    "jobs.base_job": "._core.models: BaseJob=Job",
    "jobs.job": "._core.models: Job",
    "jobs.scheduler_job_runner": "._core.absent: SchedulerJobRunner",
    "jobs.triggerer_job_runner": "._core.absent: TriggererJobRunner TriggerRunner",
    "listeners": "~.listeners: hookimpl hookspec=hookimpl",
    "listeners.listener": "._core.listeners: get_listener_manager ListenerManager",
    "listeners.types": "._core.listeners: AssetEvent",
    "logging_config": "._core.logs: *",
    "models": (
        "~: BaseOperator Connection DAG Param Variable XComArg; "
        "~: BaseOperatorLink BaseXCom; ~: SkipMixin; ~.mapped: MappedOperator; "
        f"._core.models: {_MODEL_NAMES} clear_task_instances import_all_models"
    ),
    "models.base": "._core.models: Base ID_LEN StringID",
    "models.backfill": "._core.models: *",
    "models.callback": "._core.models: *",
    "models.crypto": "._core.secrets: get_fernet",
    "models.dag_version": "._core.models: DagVersion",
    "models.dagbundle": "._core.models: DagBundleModel",
    "models.dagcode": "._core.models: DagCode",
    "models.dagrun": "._core.models: DagRun DagRunNote RUN_ID_REGEX; ._core.types: DagRunType",
    "models.dagwarning": "._core.models: DagWarning DagWarningType",
    "models.deadline": "._core.models: Deadline",
    "models.errors": "._core.models: ParseImportError",
    "models.hitl": "._core.models: HITLDetail",
    "models.log": "._core.models: Log",
    "models.pool": "._core.models: Pool PoolStats",
    "models.referencemixin": "._core.models: *",
    "models.renderedtifields": "._core.models: RenderedTaskInstanceFields get_serialized_template_fields",
    "models.serialized_dag": "._core.models: SerializedDagModel",
    "models.taskinstancehistory": "._core.models: TaskInstanceHistory",
    "models.taskinstancekey": "._core.models: TaskInstanceKey",
    "models.taskmap": "._core.models: TaskMap",
    "models.taskreschedule": "._core.models: TaskReschedule",
    "models.team": "._core.models: Team",
    "models.trigger": "._core.models: Trigger",
    "models.asset": "._core.models: *",
    "observability": "",
    "observability.stats": "._core.stats: Stats",
    "observability.metrics": "",
    "observability.metrics.stats_utils": "._core.stats: get_stats_factory",
    "partition_mappers": "",
    "partition_mappers.base": "~: PartitionMapper RollupMapper",
    "partition_mappers.allowed_key": "~: AllowedKeyMapper",
    "partition_mappers.chain": "~: ChainMapper",
    "partition_mappers.fixed_key": "~: FixedKeyMapper",
    "partition_mappers.identity": "~: IdentityMapper",
    "partition_mappers.product": "~: ProductMapper",
    "partition_mappers.temporal": (
        "~: FanOutMapper StartOfDayMapper StartOfHourMapper StartOfMonthMapper StartOfQuarterMapper StartOfWeekMapper "
        "StartOfYearMapper"
    ),
    "partition_mappers.wait_policy": "~: MinimumCount WaitForAll",
    "partition_mappers.window": (
        "~: DayWindow HourWindow MonthWindow QuarterWindow SegmentWindow WeekWindow Window YearWindow"
    ),
    "plugins_manager": "._core.plugins: *",
    "policies": "~.listeners: hookimpl local_settings_hookspec=hookimpl; ._core.policies: *",
    "providers_manager": "._core.providers_manager: *",
    "secrets": "._core.secrets: BaseSecretsBackend DEFAULT_SECRETS_SEARCH_PATH",
    "secrets.base_secrets": "._core.secrets: BaseSecretsBackend",
    "secrets.cache": "._core.secrets: SecretCache",
    "secrets.environment_variables": "._core.secrets: EnvironmentVariablesBackend CONN_ENV_PREFIX VAR_ENV_PREFIX",
    "secrets.local_filesystem": (
        "._core.secrets_files: LocalFilesystemBackend load_connections_dict load_variables load_connections"
    ),
    "secrets.metastore": "._core.secrets: MetastoreBackend",
    "security": "",
    "security.kerberos": "._core.kerberos: *",
    "security.permissions": "._core.permissions: *",
    "security.utils": "._core.kerberos: *",
    "serialization": "",
    "serialization.enums": "._core.serde: DagAttributeTypes Encoding",
    "serialization.helpers": "._core.templates: serialize_template_field",
    "serialization.serde": "._core.serde: *",
    "serialization.serialized_objects": (
        "._core.serde: SerializedDAG SerializedBaseOperator BaseSerialization; "
        "._core.stand_ins: create_scheduler_operator"
    ),
    "serialization.definitions": "",
    "serialization.definitions.dag": "._core.serde: SerializedDAG",
    "settings": "._core.settings: *",
    "state": "",
    "task": "",
    "task.priority_strategy": "._core.priorities: *",
    "task.trigger_rule": "._core.states: TriggerRule",
    "task.weight_rule": "~: WeightRule",
    "templates": "._core.templates: *",
    "timetables": "",
    "timetables.assets": (
        "~: AssetOrTimeSchedule PartitionedAssetTimetable PartitionedAtRuntime; "
        "._core.timetables: AssetTriggeredTimetable"
    ),
    "timetables.base": "._core.timetables: Timetable DataInterval DagRunInfo TimeRestriction BaseTimetable",
    "timetables.events": "~: EventsTimetable",
    "timetables.interval": "~: CronDataIntervalTimetable DeltaDataIntervalTimetable",
    "timetables.simple": (
        "._core.timetables: NullTimetable OnceTimetable ContinuousTimetable AssetTriggeredTimetable "
        "DatasetTriggeredTimetable=AssetTriggeredTimetable"
    ),
    "timetables.trigger": (
        "~: CronTriggerTimetable DeltaTriggerTimetable MultipleCronTriggerTimetable CronPartitionTimetable"
    ),
    "timetables._cron": "._core.timetables: CronMixin",
    "traces": "._core.stats: *",
    "traces.tracer": "._core.stats: *",
    "traces.utils": "._core.stats: *",
    "triggers": "",
    "triggers.base": (
        "._core.triggers: BaseTrigger TriggerEvent BaseEventTrigger StartTriggerArgs BaseTaskEndEvent "
        "TaskSuccessEvent TaskFailedEvent TaskSkippedEvent"
    ),
    "triggers.shared_stream": "._core.triggers: *",
    "typing_compat": "._core.typing_names: *",
    "utils.cli": "._core.cli_parts: *",
    "utils.code_utils": "._core.modules: get_python_source prepare_code_snippet",
    "utils.dates": "._core.dates: *",
    "utils.db": "._core.session: *",
    "utils.db_cleanup": "._core.session: run_cleanup",
    "utils.deprecation_tools": "._core.modules: add_deprecated_classes getattr_with_deprecation",
    "utils.docs": "._core.modules: get_docs_url",
    "utils.edgemodifier": "~: EdgeModifier Label",
    "utils.email": "._core.email: *",
    "utils.entry_points": "._core.modules: entry_points_with_dist",
    "utils.file": "._core.files: *",
    "utils.hashlib_wrapper": "._core.strings: md5",
    "utils.helpers": "._core.helpers: *",
    "utils.json": "._core.serde: *",
    "utils.log": "",
    "utils.log.file_task_handler": "._core.log_handlers: *",
    "utils.log.log_reader": "._core.log_handlers: TaskLogReader",
    "utils.log.logging_mixin": "._core.logs: *",
    "utils.log.non_caching_file_handler": "._core.log_handlers: *",
    "utils.log.timezone_aware": "._core.logs: TimezoneAware",
    "utils.net": "._core.net: get_hostname getfqdn get_host_ip_address",
    "utils.operator_helpers": (
        "._core.decorated: determine_kwargs KeywordParameters make_kwargs_callable; ._core.contexts: "
        "context_to_airflow_vars AIRFLOW_VAR_NAME_FORMAT_MAPPING DEFAULT_FORMAT_PREFIX; ._core.callbacks: "
        "ExecutionCallableRunner"
    ),
    "utils.platform": "._core.net: getuser IS_WINDOWS is_tty",
    "utils.process_utils": "._core.processes: *",
    "utils.providers_configuration_loader": "._core.providers_manager: providers_configuration_loaded",
    "utils.retries": "._core.session: run_with_db_retries retry_db_transaction MAX_DB_RETRIES",
    "utils.session": "._core.session: create_session create_session_async provide_session NEW_SESSION",
    "utils.singleton": "._core.modules: Singleton",
    "utils.sqlalchemy": "._core.session: *",
    "utils.state": (
        "~: DagRunState TaskInstanceState; ._core.states: State JobState TerminalTIState IntermediateTIState"
    ),
    "utils.strings": "._core.strings: *",
    "utils.thread_safe_dict": "._core.modules: ThreadSafeDict",
    "utils.types": (
        "._core.types: NOTSET ArgNotSet DagRunType DagRunTriggeredByType EdgeInfoType AttributeRemoved is_arg_set"
    ),
    "utils.yaml": "._core.yaml_text: *",
    "version": "._version: version",
}
"""Module → its names; see `_redirect.Row`."""
