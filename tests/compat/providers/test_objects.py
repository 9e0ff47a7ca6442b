"""Objects in S3, as moto keeps them."""

# ruff: noqa: E402 # after importorskip
from __future__ import annotations

import json

import pytest

pytest.importorskip("airflow.providers.amazon.aws.operators.s3")
moto_server = pytest.importorskip("moto.server")

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.s3 import (
    S3CopyObjectOperator,
    S3CreateBucketOperator,
    S3CreateObjectOperator,
    S3DeleteBucketOperator,
    S3ListOperator,
)
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.providers.amazon.aws.transfers.local_to_s3 import LocalFilesystemToS3Operator

from airflow.sdk import DAG

from .conftest import ran

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(180)]


@pytest.fixture
def s3(monkeypatch):
    server = moto_server.ThreadedMotoServer(port=0)
    server.start()
    _, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(
        "AIRFLOW_CONN_AWS_DEFAULT",
        json.dumps(
            {
                "conn_type": "aws",
                "login": "key",
                "password": "secret",
                "extra": {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"},
            }
        ),
    )
    yield server
    server.stop()


def test_buckets_keys_and_sensors(s3, tmp_path):
    file = tmp_path / "local.txt"
    file.write_text("local")
    with DAG("s3") as dag:
        make = S3CreateBucketOperator(task_id="make", bucket_name="shed")
        put = S3CreateObjectOperator(task_id="put", s3_bucket="shed", s3_key="a/{{ ds or 'x' }}.txt", data="hello")
        send = LocalFilesystemToS3Operator(task_id="send", filename=str(file), dest_key="a/local", dest_bucket="shed")
        wait = S3KeySensor(
            task_id="wait", bucket_name="shed", bucket_key="a/*", wildcard_match=True, poke_interval=0.1, timeout=20
        )
        copy = S3CopyObjectOperator(
            task_id="copy",
            source_bucket_name="shed",
            source_bucket_key="a/local",
            dest_bucket_name="shed",
            dest_bucket_key="b/copy",
        )
        keys = S3ListOperator(task_id="keys", bucket="shed")
        drop = S3DeleteBucketOperator(task_id="drop", bucket_name="shed", force_delete=True)
        make >> put >> send >> wait >> copy >> keys >> drop
    run = dag.test()
    assert {str(one.state) for one in run.get_task_instances()} == {"success"}
    assert "b/copy" in run.xcom("keys")


def test_a_sensor_waits_in_a_trigger(s3):
    with DAG("s3_deferred") as dag:
        make = S3CreateBucketOperator(task_id="make", bucket_name="yard")
        put = S3CreateObjectOperator(task_id="put", s3_bucket="yard", s3_key="k", data="x")
        make >> put >> S3KeySensor(task_id="wait", bucket_name="yard", bucket_key="k", deferrable=True, poke_interval=1)
    assert set(ran(dag).values()) == {"success"}


def test_the_hook_outside_a_task(s3):
    hook = S3Hook()
    hook.create_bucket("attic")
    hook.load_string("text", "key", bucket_name="attic")
    assert hook.read_key("key", bucket_name="attic") == "text"
