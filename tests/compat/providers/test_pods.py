"""Pods are built and their parts rendered, without a cluster; `@task.docker` and `@task.kubernetes` are declared."""

from __future__ import annotations

import pytest

pytest.importorskip("airflow.providers.cncf.kubernetes.operators.pod")

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import models as k8s

from airflow.sdk import DAG, task

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(120)]


class Shown(KubernetesPodOperator):  # type: ignore[misc,unused-ignore]
    """Builds the pod and gives it back as text."""

    def execute(self, context):
        return str(self.build_pod_request_obj(context).to_dict())


CONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


def test_parts_of_a_pod_are_rendered(tmp_path):
    config = tmp_path / "kubeconfig"
    config.write_text(CONFIG)
    with DAG("pods") as dag:
        Shown(
            task_id="pod",
            name="my-pod",
            image="busybox:{{ 1 + 1 }}",
            cmds=["sh", "-c", "echo {{ run_id }}"],
            env_vars=[k8s.V1EnvVar(name="DAY", value="{{ dag.dag_id }}")],
            volumes=[k8s.V1Volume(name="{{ dag.dag_id }}-volume")],
            is_delete_operator_pod=True,
            config_file=str(config),
            do_xcom_push=True,
        )
    run = dag.test()
    (one,) = run.get_task_instances()
    assert str(one.state) == "success"
    shown = run.xcom("pod")
    assert "busybox:2" in shown
    assert "'value': 'pods'" in shown
    assert "pods-volume" in shown


def test_decorators_of_providers_make_tasks():
    pytest.importorskip("airflow.providers.docker.decorators.docker")
    with DAG("decorated") as dag:

        @task.docker(image="python:3.11")
        def in_docker():
            return 1

        @task.kubernetes(image="python:3.11", namespace="default")
        def in_a_pod(x):
            return x

        in_a_pod(in_docker())
    assert dag.task_ids == ["in_docker", "in_a_pod"]
    assert dag.get_task("in_docker").operator_name == "@task.docker"
    assert "def in_docker" in dag.get_task("in_docker").get_python_source()
