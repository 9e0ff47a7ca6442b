"""What Airflow's authors know, and the test that proves it here: the table behind docs/reference/parity.md.

`python -m tests.unit.docs.parity_table` writes the page; `test_parity.py` proves that every row names a test that
exists and speaks of its subject, and that no name, argument or decorator is left out.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/reference/parity.md"

_A = "tests/unit/sdk/authoring"
_E = "tests/unit/sdk/execution"
_EFFECT = f"{_A}/test_arguments_with_effect.py"
_COMPILE = f"{_A}/test_compile.py"
_DAG = f"{_A}/test_dag.py"
_EDGES = f"{_A}/test_edges.py"
_FLOW = f"{_A}/test_taskflow.py"
_GROUPS = f"{_A}/test_groups.py"
_ASSETS = f"{_A}/test_assets.py"
_PARTS = f"{_A}/test_partitions.py"
_TABLES = f"{_A}/test_timetables.py"
_DEADLINES = f"{_A}/test_deadlines.py"
_OPERATOR = f"{_A}/test_operator.py"
_SETUP = f"{_A}/test_setup_teardown.py"
_SDK = f"{_E}/test_names_of_the_sdk.py"
_RUN = f"{_E}/test_execution.py"
_CONTEXT = f"{_E}/test_context.py"
_TEMPLATES = f"{_E}/test_templates.py"
_INSTALL = f"{_E}/test_installation.py"
_RETRY = f"{_E}/test_retry_policies.py"
_FOREIGN = f"{_E}/test_foreign_python.py"
_BRANCH = f"{_E}/test_branching.py"
_TEST = f"{_E}/test_dag_test.py"
_SCHEDULER = "tests/unit/scheduler/test_arguments.py"


def _each(words: str, proof: str) -> dict[str, str]:
    return dict.fromkeys(words.split(), proof)


NAMES: dict[str, str] = {
    "DAG": f"{_COMPILE}::test_every_field_of_the_dag_arrives",
    "dag": f"{_DAG}::test_bare_and_named",
    "BaseOperator": f"{_OPERATOR}::test_arguments_become_exact",
    "BaseAsyncOperator": f"{_SDK}::test_an_operator_whose_work_is_a_coroutine",
    **_each(
        "BaseBranchOperator BranchMixIn SkipMixin BaseSensorOperator PokeReturnValue",
        f"{_SDK}::test_operators_of_ones_own_choose_skip_and_wait",
    ),
    "ResumableJobMixin": f"{_SDK}::test_a_job_survives_the_task_that_started_it",
    "BaseHook": "tests/unit/cli/test_dags_and_runs.py::test_a_run_in_this_process_reads_what_is_stored",
    "BaseNotifier": f"{_SDK}::test_notifiers_and_async_functions_are_callbacks",
    "BaseOperatorLink": f"{_INSTALL}::test_addresses_are_kept_beside_the_values_also_of_a_failure",
    "BaseXCom": f"{_INSTALL}::test_a_backend_keeps_values_its_own_way",
    **_each(
        "TaskInstance EdgeModifier AssetAccessControl literal", f"{_SDK}::test_names_of_states_labels_and_instances"
    ),
    **_each("get_current_context macros", f"{_CONTEXT}::test_the_rest_of_the_context"),
    "Context": f"{_SDK}::test_dates_around_a_scheduled_run",
    "get_parsing_context": f"{_CONTEXT}::test_outside_a_task",
    "TaskGroup": f"{_DAG}::test_lookups",
    "task_group": f"{_TEST}::test_groups_mapped_and_skips_inside",
    "task": f"{_FLOW}::test_sensor",
    "setup": f"{_SETUP}::test_decorators_and_block_over_outputs",
    "teardown": f"{_GROUPS}::test_arrows_from_a_group_leave_out_its_teardowns",
    "result": f"{_FLOW}::test_result_marks_the_runs_result",
    "chain": f"{_EDGES}::test_chain",
    **_each("chain_linear cross_downstream", f"{_EDGES}::test_chain_linear_and_cross_downstream"),
    "Label": f"{_EDGES}::test_labels",
    "XComArg": f"{_A}/test_mapping.py::test_items_of_the_group_and_own_items",
    "Param": f"{_DAG}::test_params_of_a_scheduled_dag_need_defaults",
    "ParamsDict": f"{_A}/test_params.py::test_dict",
    "Variable": f"{_TEST}::test_attempts_in_processes_of_their_own",
    "Connection": f"{_E}/test_connections.py::test_a_uri_is_taken_apart_and_put_together",
    "conf": f"{_SDK}::test_the_configuration_as_tasks_read_it",
    "lineage": f"{_INSTALL}::test_lineage_is_collected_where_somebody_reads_it",
    "ObjectStoragePath": f"{_E}/test_object_path.py::test_from_one_storage_to_another",
    "NEVER_EXPIRE": f"{_SDK}::test_a_task_remembers_from_one_try_to_the_next",
    **_each("Asset AssetAlias AssetAll AssetAny", f"{_ASSETS}::test_conditions_join_and_flatten"),
    "AssetOrTimeSchedule": f"{_ASSETS}::test_schedules_become_documents",
    "AssetWatcher": "tests/unit/triggerer/test_watchers.py::test_wrong_watchers",
    "Metadata": f"{_ASSETS}::test_wrong_ones",
    "asset": "tests/unit/cli/test_assets.py::test_list_and_show",
    **_each(
        "CronTriggerTimetable MultipleCronTriggerTimetable CronDataIntervalTimetable DeltaTriggerTimetable "
        "DeltaDataIntervalTimetable EventsTimetable",
        f"{_TABLES}::test_they_carry_their_schedule",
    ),
    **_each(
        "CronPartitionTimetable PartitionedAssetTimetable PartitionedAtRuntime MinimumCount SegmentWindow",
        f"{_PARTS}::test_schedules_become_documents",
    ),
    **_each(
        "AllowedKeyMapper ChainMapper FixedKeyMapper IdentityMapper PartitionMapper ProductMapper StartOfDayMapper "
        "StartOfHourMapper StartOfMonthMapper StartOfQuarterMapper",
        f"{_PARTS}::test_mappers_answer",
    ),
    **_each(
        "FanOutMapper RollupMapper DayWindow MonthWindow WaitForAll", f"{_PARTS}::test_fan_out_and_rollup_are_mirrors"
    ),
    **_each("StartOfWeekMapper StartOfYearMapper QuarterWindow YearWindow", f"{_PARTS}::test_every_name_is_there"),
    **_each("HourWindow WeekWindow", f"{_PARTS}::test_wrong_ones"),
    "Window": f"{_PARTS}::test_every_name_is_there",
    **_each("ExceptionRetryPolicy RetryAction RetryRule", f"{_RETRY}::test_the_first_rule_that_matches_decides"),
    "RetryDecision": f"{_RETRY}::test_it_hears_of_the_try",
    "RetryPolicy": f"{_RETRY}::test_wrong_uses",
    **_each("AsyncCallback DeadlineReference", f"{_DEADLINES}::test_deadlines_of_a_dag_and_a_task_are_in_its_document"),
    "DeadlineAlert": f"{_DEADLINES}::test_wrong_alerts",
    "SyncCallback": f"{_DEADLINES}::test_callbacks_are_found_by_name_later",
    **_each(
        "BaseDeadlineReference deadline_reference",
        f"{_DEADLINES}::test_a_reference_of_ones_own_says_that_it_cannot_be_used_yet",
    ),
    "DagRunState": "tests/unit/scheduler/test_run_callbacks.py::test_words_for_reasons",
    "TaskInstanceState": f"{_SDK}::test_names_of_states_labels_and_instances",
    "TriggerRule": "tests/unit/domain/planner/test_plan.py::test_a_failure_runs_down_the_graph_in_one_go",
    "WeightRule": f"{_EFFECT}::test_weights_by_a_rule_of_ones_own",
    "__version__": "tests/unit/cli/test_main.py::test_version",
}
"""The 98 public names."""

DAG_ARGUMENTS: dict[str, str] = {
    **_each(
        "dag_id description schedule start_date end_date catchup max_active_runs max_consecutive_failed_dag_runs "
        "dagrun_timeout sla_miss_callback is_paused_upon_creation owner_links dag_display_name tags",
        f"{_COMPILE}::test_every_field_of_the_dag_arrives",
    ),
    "default_args": f"{_OPERATOR}::test_missing_arguments_of_a_subclass_are_filled",
    "template_searchpath": f"{_TEMPLATES}::test_files_are_found_beside_the_dag_and_in_the_search_path",
    "template_undefined": f"{_TEMPLATES}::test_undefined_is_an_error_unless_the_dag_says_otherwise",
    **_each(
        "user_defined_macros user_defined_filters jinja_environment_kwargs",
        f"{_TEMPLATES}::test_macros_filters_and_options_of_the_dag",
    ),
    "render_template_as_native_obj": f"{_TEMPLATES}::test_native_types",
    "max_active_tasks": f"{_EFFECT}::test_limits_of_a_run_reach_the_document",
    "deadline": f"{_DEADLINES}::test_deadlines_of_a_dag_and_a_task_are_in_its_document",
    **_each("on_success_callback on_failure_callback", f"{_TEST}::test_callbacks_of_the_dag_are_called"),
    "doc_md": f"{_DAG}::test_doc_from_a_file",
    "params": f"{_DAG}::test_params_of_a_scheduled_dag_need_defaults",
    "access_control": f"{_EFFECT}::test_grants_of_the_dag_itself",
    "auto_register": f"{_A}/test_loading.py::test_globals_blocks_and_decorated",
    "fail_fast": f"{_DAG}::test_fail_fast_takes_all_success_only",
    "allowed_run_types": f"{_DAG}::test_run_types_must_contain_what_the_schedule_makes",
    "task_group": f"{_EFFECT}::test_a_dag_takes_a_root_group_that_was_made_before",
    "disable_bundle_versioning": f"{_SCHEDULER}::test_attempts_of_unpinned_runs_use_the_newest_tree",
    "rerun_with_latest_version": f"{_SCHEDULER}::test_clearing_follows_what_the_dag_says_about_versions",
}
"""The 34 arguments of `DAG`."""

OPERATOR_ARGUMENTS: dict[str, str] = {
    "task_id": f"{_OPERATOR}::test_arguments_become_exact",
    "owner": f"{_RUN}::test_environment_of_a_task",
    **_each("email email_on_retry", f"{_SDK}::test_mail_about_failures"),
    "email_on_failure": f"{_SDK}::test_mail_only_where_it_is_wanted",
    "retries": f"{_TEST}::test_a_failure_is_a_state_and_retries_do_not_wait",
    "retry_delay": f"{_TEST}::test_a_failure_is_a_state_and_retries_do_not_wait",
    "retry_exponential_backoff": "tests/unit/domain/test_retry.py::test_exponential_delay",
    **_each(
        "max_retry_delay wait_for_past_depends_before_skipping max_active_tis_per_dag max_active_tis_per_dagrun "
        "do_xcom_push task_display_name",
        f"{_COMPILE}::test_every_field_of_a_task_arrives",
    ),
    "retry_policy": f"{_RETRY}::test_wrong_uses",
    "start_date": f"{_SCHEDULER}::test_a_task_out_of_its_dates_has_no_instance",
    "end_date": "tests/unit/domain/test_bounds.py::test_both_bounds_are_inclusive",
    **_each(
        "depends_on_past ignore_first_depends_on_past", f"{_SCHEDULER}::test_a_task_that_the_run_before_did_not_have"
    ),
    "wait_for_downstream": f"{_EFFECT}::test_waiting_for_downstream_waits_for_the_past_too",
    "dag": f"{_SDK}::test_an_operator_whose_work_is_a_coroutine",
    "task_group": f"{_EFFECT}::test_a_task_names_its_logger_and_its_group",
    "default_args": f"{_OPERATOR}::test_missing_arguments_of_a_subclass_are_filled",
    "params": f"{_DAG}::test_arguments_become_params",
    **_each("priority_weight weight_rule", f"{_EFFECT}::test_weights_by_a_rule_of_ones_own"),
    **_each("queue executor executor_config resources", f"{_EFFECT}::test_what_is_for_executors_reaches_the_document"),
    "pool": f"{_A}/test_mapping.py::test_mapped_tasks_have_the_common_arguments",
    "pool_slots": "tests/unit/commands/test_pools.py::test_a_pool_in_use_stays",
    "sla": f"{_COMPILE}::test_every_field_of_the_dag_arrives",
    "execution_timeout": f"{_RUN}::test_time_out_interrupts_and_kills",
    **_each(
        "on_execute_callback on_failure_callback on_success_callback on_retry_callback on_skipped_callback",
        f"{_SDK}::test_each_end_of_a_task_has_its_callbacks",
    ),
    **_each("pre_execute post_execute", f"{_OPERATOR}::test_hooks_around_execute"),
    "trigger_rule": f"{_TEST}::test_groups_mapped_and_skips_inside",
    "run_as_user": f"{_EFFECT}::test_what_becomes_another_user_has_a_process_of_its_own",
    "map_index_template": f"{_RUN}::test_label_of_a_mapped_instance",
    "multiple_outputs": f"{_RUN}::test_multiple_outputs",
    "inlets": f"{_SDK}::test_states_of_assets",
    "outlets": f"{_E}/test_asset_events.py::test_each_outlet_is_told_once_with_what_the_task_said",
    **_each("doc doc_md doc_json doc_yaml doc_rst", f"{_EFFECT}::test_documentation_in_each_form"),
    "logger_name": f"{_EFFECT}::test_a_task_names_its_logger_and_its_group",
    "allow_nested_operators": f"{_OPERATOR}::test_execute_inside_another_task",
    "render_template_as_native_obj": f"{_TEMPLATES}::test_native_types",
}
"""The 55 arguments of `BaseOperator`."""

DECORATORS: dict[str, str] = {
    "@task": f"{_FLOW}::test_sensor",
    "@task.python": f"{_SDK}::test_python_and_bash_decorators",
    "@task.virtualenv": f"{_FOREIGN}::test_the_decorator_of_environments",
    "@task.external_python": f"{_FOREIGN}::test_arguments_context_and_result_travel",
    "@task.branch": f"{_SDK}::test_decorators_that_decide",
    "@task.branch_virtualenv": f"{_FOREIGN}::test_a_branch_in_a_virtual_environment",
    "@task.branch_external_python": f"{_FOREIGN}::test_a_branch_in_another_interpreter",
    "@task.short_circuit": f"{_SDK}::test_decorators_that_decide",
    "@task.sensor": f"{_FLOW}::test_sensor",
    "@task.bash": f"{_SDK}::test_python_and_bash_decorators",
    "@task.stub": f"{_FOREIGN}::test_a_task_in_another_language",
    "@task.run_if": f"{_FLOW}::test_conditions",
    "@task.skip_if": f"{_FLOW}::test_conditions",
    "@task_group": f"{_TEST}::test_groups_mapped_and_skips_inside",
    "@setup": f"{_SETUP}::test_decorators_and_block_over_outputs",
    "@teardown": f"{_SETUP}::test_decorators_and_block_over_outputs",
    "@result": f"{_FLOW}::test_result_marks_the_runs_result",
    "@dag": f"{_DAG}::test_bare_and_named",
    "@asset": "tests/unit/cli/test_assets.py::test_list_and_show",
}
"""The decorators that need no provider package."""


STANDARD: dict[str, str] = {
    **_each("ApprovalOperator", f"{_E}/test_asking.py::test_approval"),
    "HITLBranchOperator": f"{_E}/test_asking.py::test_a_branch",
    "HITLEntryOperator": f"{_E}/test_asking.py::test_an_entry_has_one_option",
    "HITLOperator": f"{_E}/test_asking.py::test_it_asks",
    "BashOperator": "tests/unit/standard/test_bash.py::test_the_last_line_is_the_output",
    "BashSensor": "tests/unit/standard/test_bash.py::test_sensor",
    "BranchDateTimeOperator": "tests/unit/standard/test_when.py::test_branch_between_moments",
    **_each("BranchDayOfWeekOperator WeekDay", "tests/unit/standard/test_when.py::test_branch_on_the_day"),
    **_each("DayOfWeekSensor", "tests/unit/standard/test_when.py::test_wrong_days_are_named"),
    "LatestOnlyOperator": "tests/unit/standard/test_when.py::test_only_the_newest_interval_goes_on",
    "SmoothOperator": "tests/unit/standard/test_when.py::test_waiting_for_a_day",
    "BranchPythonOperator": f"{_BRANCH}::test_branch_function",
    "ShortCircuitOperator": f"{_BRANCH}::test_short_circuit",
    **_each("PythonOperator PythonSensor", "tests/unit/standard/test_names.py::test_python_operators"),
    "PythonVirtualenvOperator": f"{_FOREIGN}::test_an_environment_of_its_own_kept_or_not",
    "ExternalPythonOperator": f"{_FOREIGN}::test_how_it_may_end",
    "EmptyOperator": "tests/unit/standard/test_names.py::test_empty_operators_need_no_process",
    "FSHook": "tests/unit/standard/test_files_and_moments.py::test_file_sensor_below_a_connection",
    "FileSensor": "tests/unit/standard/test_files_and_moments.py::test_file_sensor_finds_files_patterns_and_folders",
    **_each(
        "FileTransferOperator GenericTransfer", "tests/unit/standard/test_sql_checks.py::test_rows_and_files_are_copied"
    ),
    "HttpHook": "tests/unit/standard/test_http.py::test_hook_says_whether_it_works",
    "HttpOperator": "tests/unit/standard/test_http.py::test_a_request_through_the_connection",
    "HttpSensor": "tests/unit/standard/test_http.py::test_sensor",
    **_each(
        "SQLCheckOperator SQLThresholdCheckOperator SQLValueCheckOperator",
        "tests/unit/standard/test_sql_checks.py::test_values",
    ),
    **_each(
        "SQLColumnCheckOperator SQLTableCheckOperator",
        "tests/unit/standard/test_sql_checks.py::test_columns_and_tables",
    ),
    "SQLIntervalCheckOperator": "tests/unit/standard/test_sql_checks.py::test_days_are_compared",
    "BranchSQLOperator": "tests/unit/standard/test_sql_checks.py::test_branching_on_a_query",
    "SqlSensor": "tests/unit/standard/test_sql_checks.py::test_waiting_for_a_query",
    **_each("SQLExecuteQueryOperator SqlHook", "tests/unit/standard/test_sql.py::test_queries_and_parameters"),
    "SQLInsertRowsOperator": "tests/unit/standard/test_sql.py::test_inserting_rows",
    **_each(
        "DateTimeSensor TimeDeltaSensor TimeSensor WaitSensor",
        "tests/unit/standard/test_files_and_moments.py::test_moments_are_waited_for",
    ),
    **_each(
        "DateTimeSensorAsync",
        "tests/unit/standard/test_files_and_moments.py::test_waits_in_the_triggerer_go_on_afterwards",
    ),
    **_each(
        "TriggerDagRunOperator ExternalTaskSensor",
        "tests/scenario/test_other_dags.py::test_one_dag_starts_another_and_waits",
    ),
    "SmtpNotifier": "tests/unit/standard/test_notifiers.py::test_an_email_says_what_failed",
    "WebhookNotifier": "tests/unit/standard/test_notifiers.py::test_a_webhook_gets_the_facts",
    "SlackWebhookNotifier": "tests/unit/standard/test_notifiers.py::test_slack",
    "AppriseNotifier": "tests/unit/standard/test_notifiers.py::test_apprise",
}
"""Operators, sensors, hooks and notifiers in the box."""

TABLES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Public names", "The 98 names of `airflow.sdk`, from `tradewind`.", NAMES),
    ("Arguments of DAGs", "The 34 arguments of `DAG`.", DAG_ARGUMENTS),
    ("Arguments of tasks", "The 55 arguments of `BaseOperator`.", OPERATOR_ARGUMENTS),
    ("Decorators", "Those that need no provider package.", DECORATORS),
    ("In the box", "Operators, sensors, hooks and notifiers of `tradewind.standard`.", STANDARD),
)


def render() -> str:
    """The page."""
    lines = [
        "# Parity",
        "",
        "<!-- Generated by `python -m tests.unit.docs.parity_table`; do not edit. -->",
        "",
        "What authors know from Airflow 3.3, and the test that proves it here. A test checks that nothing is left out.",
    ]
    for title, words, table in TABLES:
        lines += ["", f"## {title}", "", words, "", "| What | Proven by |", "| --- | --- |"]
        for subject in sorted(table, key=str.lower):
            file, _, test = table[subject].partition("::")
            lines.append(f"| `{subject}` | `{test}` in [{file.removeprefix('tests/')}](../../{file}) |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
