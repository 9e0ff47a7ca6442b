"""Operators of Google's provider that are gone: jobs of Dataproc and BigQuery by their kind."""

from __future__ import annotations

from typing import Any

from airflow.providers.google.cloud.operators.bigquery import (  # type: ignore[import-not-found,unused-ignore]
    BigQueryCreateTableOperator,
    BigQueryInsertJobOperator,
    BigQueryUpdateDatasetOperator,
)
from airflow.providers.google.cloud.operators.dataproc import (  # type: ignore[import-not-found,unused-ignore]
    DataprocSubmitJobOperator,
    DataprocUpdateClusterOperator,
)


class BigQueryExecuteQueryOperator(BigQueryInsertJobOperator):  # type: ignore[misc,unused-ignore]
    """Runs a query: `BigQueryInsertJobOperator` with the arguments of a query job.

    Parameters: `sql` and those of a query's configuration, as this operator had them.
    """

    template_fields = ("sql", *BigQueryInsertJobOperator.template_fields)
    template_ext = (".sql", *BigQueryInsertJobOperator.template_ext)

    def __init__(
        self,
        *,
        sql: Any = None,
        bql: Any = None,
        destination_dataset_table: str | None = None,
        write_disposition: str | None = "WRITE_EMPTY",
        allow_large_results: bool | None = False,
        flatten_results: bool | None = None,
        gcp_conn_id: str = "google_cloud_default",
        bigquery_conn_id: str | None = None,
        delegate_to: str | None = None,  # noqa: ARG002
        udf_config: list[Any] | None = None,
        use_legacy_sql: bool = True,
        maximum_billing_tier: int | None = None,
        maximum_bytes_billed: float | None = None,
        create_disposition: str = "CREATE_IF_NEEDED",
        schema_update_options: Any = None,
        query_params: list[Any] | None = None,
        labels: dict[str, str] | None = None,
        priority: str = "INTERACTIVE",
        time_partitioning: dict[str, Any] | None = None,
        api_resource_configs: dict[str, Any] | None = None,
        cluster_fields: list[str] | None = None,
        location: str | None = None,
        encryption_configuration: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.sql = sql if sql is not None else bql
        query: dict[str, Any] = {
            "query": self.sql,
            "useLegacySql": use_legacy_sql,
            "priority": priority,
            "createDisposition": create_disposition if destination_dataset_table else None,
            "writeDisposition": write_disposition if destination_dataset_table else None,
            "allowLargeResults": allow_large_results or None,
            "flattenResults": flatten_results,
            "maximumBillingTier": maximum_billing_tier,
            "maximumBytesBilled": None if maximum_bytes_billed is None else str(int(maximum_bytes_billed)),
            "schemaUpdateOptions": list(schema_update_options) if schema_update_options else None,
            "queryParameters": query_params,
            "userDefinedFunctionResources": udf_config,
            "timePartitioning": time_partitioning,
            "clustering": {"fields": cluster_fields} if cluster_fields else None,
            "destinationEncryptionConfiguration": encryption_configuration,
            "destinationTable": _table(destination_dataset_table),
        }
        configuration: dict[str, Any] = {"query": {key: value for key, value in query.items() if value is not None}}
        configuration["query"].update((api_resource_configs or {}).get("query", {}))
        if labels:
            configuration["labels"] = labels
        super().__init__(
            configuration=configuration, gcp_conn_id=bigquery_conn_id or gcp_conn_id, location=location, **kwargs
        )

    def execute(self, context: Any) -> Any:
        """Run the query as it was rendered."""
        self.configuration["query"]["query"] = self.sql
        return super().execute(context)


def _table(name: Any) -> dict[str, str] | None:
    if not name or not isinstance(name, str):
        return None
    project, _, rest = name.replace(":", ".").rpartition(".")[0].rpartition(".")
    table = name.replace(":", ".").rpartition(".")[2]
    found = {"datasetId": rest, "tableId": table}
    return {"projectId": project, **found} if project else found


class BigQueryCreateEmptyTableOperator(BigQueryCreateTableOperator):  # type: ignore[misc,unused-ignore]
    """Makes a table: `BigQueryCreateTableOperator` with the fields as arguments."""

    def __init__(
        self,
        *,
        dataset_id: str,
        table_id: str,
        table_resource: dict[str, Any] | None = None,
        schema_fields: list[Any] | None = None,
        time_partitioning: dict[str, Any] | None = None,
        labels: dict[str, str] | None = None,
        view: dict[str, Any] | None = None,
        materialized_view: dict[str, Any] | None = None,
        encryption_configuration: dict[str, Any] | None = None,
        cluster_fields: list[str] | None = None,
        bigquery_conn_id: str | None = None,
        google_cloud_storage_conn_id: str | None = None,  # noqa: ARG002
        gcs_schema_object: str | None = None,
        exists_ok: bool | None = None,
        **kwargs: Any,
    ) -> None:
        resource = dict(table_resource or {})
        parts = {
            "schema": {"fields": schema_fields} if schema_fields else None,
            "timePartitioning": time_partitioning,
            "labels": labels,
            "view": view,
            "materializedView": materialized_view,
            "encryptionConfiguration": encryption_configuration,
            "clustering": {"fields": cluster_fields} if cluster_fields else None,
        }
        resource.update({key: value for key, value in parts.items() if value is not None})
        if exists_ok is not None:
            kwargs.setdefault("if_exists", "ignore" if exists_ok else "log")
        if bigquery_conn_id:
            kwargs.setdefault("gcp_conn_id", bigquery_conn_id)
        if gcs_schema_object:
            kwargs["gcs_schema_object"] = gcs_schema_object
        super().__init__(dataset_id=dataset_id, table_id=table_id, table_resource=resource, **kwargs)


class BigQueryCreateExternalTableOperator(BigQueryCreateTableOperator):  # type: ignore[misc,unused-ignore]
    """Makes a table over files in Cloud Storage."""

    def __init__(
        self,
        *,
        bucket: str | None = None,
        source_objects: list[str] | None = None,
        destination_project_dataset_table: str | None = None,
        table_resource: dict[str, Any] | None = None,
        schema_fields: list[Any] | None = None,
        source_format: str = "CSV",
        autodetect: bool = False,
        compression: str | None = None,
        skip_leading_rows: int | None = None,
        field_delimiter: str | None = None,
        max_bad_records: int = 0,
        labels: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        resource = dict(table_resource or {})
        place = resource.get("tableReference") or _table(destination_project_dataset_table) or {}
        if not table_resource:
            csv = {"skipLeadingRows": skip_leading_rows, "fieldDelimiter": field_delimiter}
            resource = {
                "externalDataConfiguration": {
                    "sourceUris": [f"gs://{bucket}/{one}" for one in source_objects or ()],
                    "sourceFormat": source_format,
                    "autodetect": autodetect,
                    "compression": compression,
                    "maxBadRecords": max_bad_records,
                    **(
                        {"csvOptions": {k: v for k, v in csv.items() if v is not None}}
                        if source_format == "CSV"
                        else {}
                    ),
                },
                **({"schema": {"fields": schema_fields}} if schema_fields else {}),
                **({"labels": labels} if labels else {}),
            }
        for name in ("google_cloud_storage_conn_id", "bigquery_conn_id", "src_fmt_configs", "quote_character",
                     "allow_quoted_newlines", "allow_jagged_rows", "encryption_configuration", "schema_object",
                     "schema_object_bucket", "gcs_schema_bucket"):  # fmt: skip
            kwargs.pop(name, None)
        super().__init__(
            dataset_id=place.get("datasetId", ""),
            table_id=place.get("tableId", ""),
            table_resource=resource,
            **({"project_id": place["projectId"]} if place.get("projectId") else {}),
            **kwargs,
        )


class _DataprocJob(DataprocSubmitJobOperator):  # type: ignore[misc,unused-ignore]
    """A job by its kind: `DataprocSubmitJobOperator` with the job built of the arguments."""

    kind = ""

    def __init__(
        self,
        *,
        cluster_name: str = "cluster-1",
        region: str = "global",
        job_name: str | None = None,
        main: str | None = None,
        main_jar: str | None = None,
        main_class: str | None = None,
        query: str | None = None,
        query_uri: str | None = None,
        variables: dict[str, Any] | None = None,
        arguments: list[str] | None = None,
        archives: list[str] | None = None,
        files: list[str] | None = None,
        pyfiles: list[str] | None = None,
        dataproc_properties: dict[str, Any] | None = None,
        dataproc_pyspark_properties: dict[str, Any] | None = None,
        dataproc_spark_properties: dict[str, Any] | None = None,
        dataproc_hive_properties: dict[str, Any] | None = None,
        dataproc_pyspark_jars: list[str] | None = None,
        dataproc_spark_jars: list[str] | None = None,
        dataproc_jars: list[str] | None = None,
        labels: dict[str, str] | None = None,
        job_error_states: Any = None,  # noqa: ARG002
        project_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        properties = (
            dataproc_properties or dataproc_pyspark_properties or dataproc_spark_properties or dataproc_hive_properties
        )
        body = {
            "main_python_file_uri": main if self.kind == "pyspark_job" else None,
            "main_jar_file_uri": main_jar,
            "main_class": main_class,
            "query_list": {"queries": [query]} if query else None,
            "query_file_uri": query_uri,
            "script_variables": variables,
            "args": arguments,
            "archive_uris": archives,
            "file_uris": files,
            "python_file_uris": pyfiles,
            "properties": properties,
            "jar_file_uris": dataproc_jars or dataproc_pyspark_jars or dataproc_spark_jars,
        }
        job = {
            "placement": {"cluster_name": cluster_name},
            "labels": labels or {},
            self.kind: {key: value for key, value in body.items() if value},
        }
        if job_name:
            job["reference"] = {"job_id": job_name}
        super().__init__(job=job, region=region, **({"project_id": project_id} if project_id else {}), **kwargs)


class DataprocSubmitPySparkJobOperator(_DataprocJob):
    """A PySpark job."""

    kind = "pyspark_job"


class DataprocSubmitSparkJobOperator(_DataprocJob):
    """A Spark job."""

    kind = "spark_job"


class DataprocSubmitSparkSqlJobOperator(_DataprocJob):
    """A Spark SQL job."""

    kind = "spark_sql_job"


class DataprocSubmitHiveJobOperator(_DataprocJob):
    """A Hive job."""

    kind = "hive_job"


class DataprocSubmitPigJobOperator(_DataprocJob):
    """A Pig job."""

    kind = "pig_job"


class DataprocSubmitHadoopJobOperator(_DataprocJob):
    """A Hadoop job."""

    kind = "hadoop_job"


class BigQueryPatchDatasetOperator(BigQueryUpdateDatasetOperator):  # type: ignore[misc,unused-ignore]
    """Changes the fields of a dataset that are given."""

    def __init__(self, *, dataset_id: str, dataset_resource: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(
            dataset_id=dataset_id, dataset_resource=dataset_resource, fields=list(dataset_resource), **kwargs
        )


class DataprocScaleClusterOperator(DataprocUpdateClusterOperator):  # type: ignore[misc,unused-ignore]
    """Sets the number of workers of a cluster."""

    def __init__(
        self,
        *,
        cluster_name: str,
        project_id: str | None = None,
        region: str = "global",
        num_workers: int = 2,
        num_preemptible_workers: int = 0,
        graceful_decommission_timeout: str | None = None,
        **kwargs: Any,
    ) -> None:
        workers = {
            "worker_config": {"num_instances": num_workers},
            "secondary_worker_config": {"num_instances": num_preemptible_workers},
        }
        super().__init__(
            cluster_name=cluster_name,
            region=region,
            cluster={"config": workers},
            update_mask={"paths": [f"config.{name}.num_instances" for name in workers]},
            graceful_decommission_timeout=graceful_decommission_timeout or {"seconds": 0},
            **({"project_id": project_id} if project_id else {}),
            **kwargs,
        )
