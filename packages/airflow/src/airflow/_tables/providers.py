"""What provider packages dropped: modules that moved, names that other names took over, arguments that changed."""

from __future__ import annotations

_SQL = "._core.former.sql"
_GOOGLE = "._core.former.google"
_K8S = "cncf.kubernetes"

MODULES = {
    f"{_K8S}.operators.kubernetes_pod": f"{_K8S}.operators.pod",
    f"{_K8S}.triggers.kubernetes_pod": f"{_K8S}.triggers.pod",
    f"{_K8S}.hooks.kubernetes_hook": f"{_K8S}.hooks.kubernetes",
    f"{_K8S}.operators.spark_kubernetes_operator": f"{_K8S}.operators.spark_kubernetes",
    f"{_K8S}.utils.pod_launcher": f"{_K8S}.utils.pod_manager",
    "amazon.aws.operators.s3_bucket": "amazon.aws.operators.s3",
    "amazon.aws.operators.s3_bucket_tagging": "amazon.aws.operators.s3",
    "amazon.aws.operators.s3_copy_object": "amazon.aws.operators.s3",
    "amazon.aws.operators.s3_delete_objects": "amazon.aws.operators.s3",
    "amazon.aws.operators.s3_file_transform": "amazon.aws.operators.s3",
    "amazon.aws.operators.s3_list": "amazon.aws.operators.s3",
    "amazon.aws.operators.s3_list_prefixes": "amazon.aws.operators.s3",
    "amazon.aws.sensors.s3_key": "amazon.aws.sensors.s3",
    "amazon.aws.sensors.s3_keys_unchanged": "amazon.aws.sensors.s3",
    "amazon.aws.sensors.s3_prefix": "amazon.aws.sensors.s3",
    "amazon.aws.operators.emr_add_steps": "amazon.aws.operators.emr",
    "amazon.aws.operators.emr_create_job_flow": "amazon.aws.operators.emr",
    "amazon.aws.operators.emr_modify_cluster": "amazon.aws.operators.emr",
    "amazon.aws.operators.emr_terminate_job_flow": "amazon.aws.operators.emr",
    "amazon.aws.operators.emr_containers": "amazon.aws.operators.emr",
    "amazon.aws.sensors.emr_base": "amazon.aws.sensors.emr",
    "amazon.aws.sensors.emr_job_flow": "amazon.aws.sensors.emr",
    "amazon.aws.sensors.emr_step": "amazon.aws.sensors.emr",
    "amazon.aws.sensors.emr_containers": "amazon.aws.sensors.emr",
    "amazon.aws.operators.dms_create_task": "amazon.aws.operators.dms",
    "amazon.aws.operators.dms_delete_task": "amazon.aws.operators.dms",
    "amazon.aws.operators.dms_describe_tasks": "amazon.aws.operators.dms",
    "amazon.aws.operators.dms_modify_task": "amazon.aws.operators.dms",
    "amazon.aws.operators.dms_start_task": "amazon.aws.operators.dms",
    "amazon.aws.operators.dms_stop_task": "amazon.aws.operators.dms",
    "amazon.aws.operators.sagemaker_base": "amazon.aws.operators.sagemaker",
    "amazon.aws.operators.sagemaker_endpoint": "amazon.aws.operators.sagemaker",
    "amazon.aws.operators.sagemaker_endpoint_config": "amazon.aws.operators.sagemaker",
    "amazon.aws.operators.sagemaker_model": "amazon.aws.operators.sagemaker",
    "amazon.aws.operators.sagemaker_processing": "amazon.aws.operators.sagemaker",
    "amazon.aws.operators.sagemaker_training": "amazon.aws.operators.sagemaker",
    "amazon.aws.operators.sagemaker_transform": "amazon.aws.operators.sagemaker",
    "amazon.aws.operators.sagemaker_tuning": "amazon.aws.operators.sagemaker",
    "amazon.aws.sensors.sagemaker_base": "amazon.aws.sensors.sagemaker",
    "amazon.aws.sensors.sagemaker_endpoint": "amazon.aws.sensors.sagemaker",
    "amazon.aws.sensors.sagemaker_training": "amazon.aws.sensors.sagemaker",
    "amazon.aws.sensors.sagemaker_transform": "amazon.aws.sensors.sagemaker",
    "amazon.aws.sensors.sagemaker_tuning": "amazon.aws.sensors.sagemaker",
    "amazon.aws.operators.glue_databrew_start_job": "amazon.aws.operators.glue_databrew",
    "amazon.aws.operators.cloud_formation_create_stack": "amazon.aws.operators.cloud_formation",
    "amazon.aws.operators.ec2_start_instance": "amazon.aws.operators.ec2",
    "amazon.aws.operators.ec2_stop_instance": "amazon.aws.operators.ec2",
    "amazon.aws.sensors.ec2_instance_state": "amazon.aws.sensors.ec2",
    "amazon.aws.sensors.sqs_queue": "amazon.aws.sensors.sqs",
    "amazon.aws.sensors.redshift": "amazon.aws.sensors.redshift_cluster",
    "amazon.aws.operators.redshift": "amazon.aws.operators.redshift_cluster",
    "amazon.aws.hooks.redshift": "amazon.aws.hooks.redshift_cluster",
    "amazon.aws.operators.batch_client": "amazon.aws.hooks.batch_client",
    "amazon.aws.operators.glacier": "amazon.aws.operators.glacier",
    "amazon.aws.operators.aws_lambda": "amazon.aws.operators.lambda_function",
    "amazon.aws.hooks.aws_dynamodb": "amazon.aws.hooks.dynamodb",
    "amazon.aws.transfers.hive_to_dynamodb": "amazon.aws.transfers.hive_to_dynamodb",
    "amazon.aws.transfers.mysql_to_s3": "amazon.aws.transfers.sql_to_s3",
    "google.cloud.operators.bigquery_to_gcs": "google.cloud.transfers.bigquery_to_gcs",
    "google.cloud.operators.text_to_speech": "google.cloud.operators.text_to_speech",
    "google.suite.transfers.gdrive_to_local": "google.suite.transfers.gdrive_to_local",
    "microsoft.azure.operators.adls_delete": "microsoft.azure.operators.adls",
    "microsoft.azure.operators.adls_list": "microsoft.azure.operators.adls",
    "microsoft.azure.operators.azure_container_instances": "microsoft.azure.operators.container_instances",
    "microsoft.azure.operators.azure_cosmos": "microsoft.azure.operators.cosmos",
    "microsoft.azure.operators.wasb_delete_blob": "microsoft.azure.operators.wasb_delete_blob",
    "microsoft.azure.sensors.azure_cosmos": "microsoft.azure.sensors.cosmos",
    "microsoft.azure.hooks.azure_data_factory": "microsoft.azure.hooks.data_factory",
    "microsoft.azure.hooks.azure_data_lake": "microsoft.azure.hooks.data_lake",
    "microsoft.azure.hooks.azure_cosmos": "microsoft.azure.hooks.cosmos",
    "microsoft.azure.hooks.azure_batch": "microsoft.azure.hooks.batch",
    "microsoft.azure.hooks.azure_fileshare": "microsoft.azure.hooks.fileshare",
    "microsoft.azure.transfers.azure_blob_to_gcs": "google.cloud.transfers.azure_blob_to_gcs",
    "databricks.operators.databricks_workflow": "databricks.operators.databricks_workflow",
    "snowflake.transfers.s3_to_snowflake": "snowflake.transfers.copy_into_snowflake",
    "slack.operators.slack_api": "slack.operators.slack",
    "http.operators.simple_http": "http.operators.http",
    "standard.core.operators.bash": "standard.operators.bash",
    "standard.core.operators.python": "standard.operators.python",
    "standard.time.operators.datetime": "standard.operators.datetime",
    "standard.time.operators.weekday": "standard.operators.weekday",
    "standard.time.sensors.date_time": "standard.sensors.date_time",
    "standard.time.sensors.time": "standard.sensors.time",
    "standard.time.sensors.time_delta": "standard.sensors.time_delta",
    "standard.time.sensors.weekday": "standard.sensors.weekday",
}
"""Module below `airflow.providers` that is gone → the one that has its names."""

ROWS = {
    "providers.postgres.operators": "",
    "providers.postgres.operators.postgres": f"{_SQL}: PostgresOperator; collections.abc: Mapping",
    "providers.mysql.operators": "",
    "providers.mysql.operators.mysql": f"{_SQL}: MySqlOperator",
    "providers.sqlite.operators": "",
    "providers.sqlite.operators.sqlite": f"{_SQL}: SqliteOperator",
    "providers.microsoft.mssql.operators": "",
    "providers.microsoft.mssql.operators.mssql": f"{_SQL}: MsSqlOperator",
    "providers.jdbc.operators": "",
    "providers.jdbc.operators.jdbc": f"{_SQL}: JdbcOperator",
    "providers.trino.operators": "",
    "providers.trino.operators.trino": f"{_SQL}: TrinoOperator",
    "providers.vertica.operators": "",
    "providers.vertica.operators.vertica": f"{_SQL}: VerticaOperator",
    "providers.amazon.aws.operators.redshift_sql": f"{_SQL}: RedshiftSQLOperator",
    f"providers.{_K8S}.backcompat.volume": "._core.former.kubernetes: Volume",
    f"providers.{_K8S}.backcompat.volume_mount": "._core.former.kubernetes: VolumeMount",
    f"providers.{_K8S}.backcompat.pod": "._core.former.kubernetes: Port Resources",
    f"providers.{_K8S}.backcompat.pod_runtime_info_env": "._core.former.kubernetes: PodRuntimeInfoEnv",
    "providers.google.cloud.operators.datapipeline": "._core.former.google_ml: *",
    "providers.google.cloud.operators.mlengine": "._core.former.google_ml: *",
    "providers.google.cloud.hooks.mlengine": "._core.former.google_ml: *",
    "providers.google.cloud.hooks.automl": "._core.former.google_ml: *",
}
"""Modules that are gone whose names stand elsewhere; see `_redirect.Row`."""

NAMES = {
    "http.operators.http": "airflow.providers.http.operators.http: SimpleHttpOperator=HttpOperator",
    "snowflake.operators.snowflake": (
        f"{_SQL}: SnowflakeOperator SnowflakeCheckOperator SnowflakeValueCheckOperator SnowflakeIntervalCheckOperator"
    ),
    "oracle.operators.oracle": f"{_SQL}: OracleOperator",
    "google.cloud.operators.bigquery": (
        f"{_GOOGLE}: BigQueryExecuteQueryOperator BigQueryCreateEmptyTableOperator BigQueryCreateExternalTableOperator "
        "BigQueryPatchDatasetOperator"
    ),
    "google.cloud.operators.dataproc": (
        f"{_GOOGLE}: DataprocSubmitPySparkJobOperator DataprocSubmitSparkJobOperator "
        "DataprocSubmitSparkSqlJobOperator DataprocSubmitHiveJobOperator DataprocSubmitPigJobOperator "
        "DataprocSubmitHadoopJobOperator DataprocScaleClusterOperator"
    ),
    "amazon.aws.operators.ecs": "airflow.providers.amazon.aws.operators.ecs: EcsOperator=EcsRunTaskOperator "
    "ECSOperator=EcsRunTaskOperator",
    "amazon.aws.operators.glue": "airflow.providers.amazon.aws.operators.glue: AwsGlueJobOperator=GlueJobOperator",
    "amazon.aws.operators.glue_crawler": "airflow.providers.amazon.aws.operators.glue_crawler: "
    "AwsGlueCrawlerOperator=GlueCrawlerOperator",
    "amazon.aws.operators.athena": "airflow.providers.amazon.aws.operators.athena: AWSAthenaOperator=AthenaOperator",
    "amazon.aws.operators.batch": "airflow.providers.amazon.aws.operators.batch: AwsBatchOperator=BatchOperator",
    "amazon.aws.operators.lambda_function": "airflow.providers.amazon.aws.operators.lambda_function: "
    "AwsLambdaInvokeFunctionOperator=LambdaInvokeFunctionOperator",
    "amazon.aws.hooks.base_aws": "airflow.providers.amazon.aws.hooks.base_aws: AwsHook=AwsBaseHook",
    "amazon.aws.hooks.glue": "airflow.providers.amazon.aws.hooks.glue: AwsGlueJobHook=GlueJobHook",
    "amazon.aws.hooks.athena": "airflow.providers.amazon.aws.hooks.athena: AWSAthenaHook=AthenaHook",
    "amazon.aws.hooks.lambda_function": "airflow.providers.amazon.aws.hooks.lambda_function: AwsLambdaHook=LambdaHook",
    "amazon.aws.hooks.dynamodb": "airflow.providers.amazon.aws.hooks.dynamodb: AwsDynamoDBHook=DynamoDBHook",
    "amazon.aws.hooks.sns": "airflow.providers.amazon.aws.hooks.sns: AwsSnsHook=SnsHook",
    "amazon.aws.sensors.glue": "airflow.providers.amazon.aws.sensors.glue: AwsGlueJobSensor=GlueJobSensor",
    "amazon.aws.sensors.s3": "._core.former.amazon: S3PrefixSensor",
    "amazon.aws.transfers.sql_to_s3": "airflow.providers.amazon.aws.transfers.sql_to_s3: "
    "MySQLToS3Operator=SqlToS3Operator MySqlToS3Operator=SqlToS3Operator",
    "snowflake.transfers.copy_into_snowflake": "airflow.providers.snowflake.transfers.copy_into_snowflake: "
    "S3ToSnowflakeOperator=CopyFromExternalStageToSnowflakeOperator",
}
"""Module that still exists → names it had."""

ARGUMENTS: dict[str, dict[str, dict[str, str | None]]] = {
    "docker.operators.docker": {
        "DockerOperator": {"volumes": "mounts", "host_tmp_dir": "host_tmp_dir"},
    },
    "cncf.kubernetes.operators.pod": {
        "KubernetesPodOperator": {
            "resources": "container_resources",
            "is_delete_operator_pod": "on_finish_action",
            "node_selectors": "node_selector",
            "image_pull_secret": "image_pull_secrets",
            "security_contexts": "security_context",
            "xcom_push": "do_xcom_push",
        },
    },
}
"""Module → class → argument that it took once → what it is called now (None: it has no meaning any more)."""
