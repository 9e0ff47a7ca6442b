"""Kubernetes objects by Airflow 1.10's own classes: each becomes the client's model."""

from __future__ import annotations

import random
import re
import string
from typing import Any


def _models() -> Any:
    from kubernetes import client  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return client.models


class Volume:
    """A volume of a pod.

    Parameters:
        name: of the volume; configs: as in a pod's specification, `{"persistentVolumeClaim": {...}}`.
    """

    def __init__(self, name: str, configs: dict[str, Any]) -> None:
        self.name = name
        self.configs = configs

    def to_k8s_client_obj(self) -> Any:
        """The client's model."""
        return {"name": self.name, **self.configs}

    def attach_to_pod(self, pod: Any) -> Any:
        """The pod with the volume."""
        pod.spec.volumes = [*(pod.spec.volumes or []), self.to_k8s_client_obj()]
        return pod


class VolumeMount:
    """Where a volume is seen in the container."""

    def __init__(
        self,
        name: str | None = None,
        mount_path: str | None = None,
        sub_path: str | None = None,
        read_only: bool = False,
        **_: Any,
    ) -> None:
        self.name = name
        self.mount_path = mount_path
        self.sub_path = sub_path
        self.read_only = read_only

    def to_k8s_client_obj(self) -> Any:
        """The client's model."""
        return _models().V1VolumeMount(
            name=self.name, mount_path=self.mount_path, sub_path=self.sub_path, read_only=self.read_only
        )


class Port:
    """A port of the container."""

    def __init__(self, name: str | None = None, container_port: int | None = None) -> None:
        self.name = name
        self.container_port = container_port

    def to_k8s_client_obj(self) -> Any:
        """The client's model."""
        return _models().V1ContainerPort(name=self.name, container_port=self.container_port)


class Resources:
    """What the container may use."""

    def __init__(
        self,
        request_memory: str | None = None,
        request_cpu: str | float | None = None,
        request_ephemeral_storage: str | None = None,
        limit_memory: str | None = None,
        limit_cpu: str | float | None = None,
        limit_gpu: str | float | None = None,
        limit_ephemeral_storage: str | None = None,
    ) -> None:
        self.request_memory = request_memory
        self.request_cpu = request_cpu
        self.request_ephemeral_storage = request_ephemeral_storage
        self.limit_memory = limit_memory
        self.limit_cpu = limit_cpu
        self.limit_gpu = limit_gpu
        self.limit_ephemeral_storage = limit_ephemeral_storage

    def to_k8s_client_obj(self) -> Any:
        """The client's model."""
        limits = {
            "cpu": self.limit_cpu,
            "memory": self.limit_memory,
            "nvidia.com/gpu": self.limit_gpu,
            "ephemeral-storage": self.limit_ephemeral_storage,
        }
        requests = {
            "cpu": self.request_cpu,
            "memory": self.request_memory,
            "ephemeral-storage": self.request_ephemeral_storage,
        }
        return _models().V1ResourceRequirements(
            limits={key: str(value) for key, value in limits.items() if value is not None} or None,
            requests={key: str(value) for key, value in requests.items() if value is not None} or None,
        )


class PodRuntimeInfoEnv:
    """A field of the pod as environment variable."""

    def __init__(self, name: str | None = None, field_path: str | None = None) -> None:
        self.name = name
        self.field_path = field_path

    def to_k8s_client_obj(self) -> Any:
        """The client's model."""
        models = _models()
        source = models.V1EnvVarSource(field_ref=models.V1ObjectFieldSelector(field_path=self.field_path))
        return models.V1EnvVar(name=self.name, value_from=source)


class PodStatus:
    """Phases of a pod."""

    PENDING = "pending"
    RUNNING = "running"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


class PodLauncher:
    """Raises when it is made: pods are started by `KubernetesPodOperator`."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("PodLauncher: use KubernetesPodOperator, or KubernetesHook for the client")


def rand_str(num: int) -> str:
    """Random small letters and digits."""
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=num))


def add_pod_suffix(pod_name: str, rand_len: int = 8, max_len: int = 63, **_: Any) -> str:
    """The name of a pod with a random end."""
    suffix = f"-{rand_str(rand_len)}"
    return pod_name[: max_len - len(suffix)].strip("-.") + suffix


def create_pod_id(
    dag_id: str | None = None, task_id: str | None = None, *, max_length: int = 63, unique: bool = True
) -> str:
    """A name for a pod out of the ids."""
    name = "-".join(filter(None, (dag_id, task_id)))
    base = re.sub(r"[^a-z0-9-.]+", "-", name.lower()).strip("-.")
    return add_pod_suffix(base, max_len=max_length) if unique else base[:max_length].strip("-.")


def __getattr__(name: str) -> Any:
    if name == "PodDefaults":
        from airflow.providers.cncf.kubernetes.utils import (  # type: ignore[import-not-found,unused-ignore]
            xcom_sidecar,
        )

        return xcom_sidecar.PodDefaults
    raise AttributeError(name)
