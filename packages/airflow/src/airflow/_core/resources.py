"""`airflow.utils.operator_resources`: what a task says it needs."""

from __future__ import annotations

from typing import Any

MB = 1
GB = 1024 * MB
TB = 1024 * GB
PB = 1024 * TB
EB = 1024 * PB


class Resource:
    """An amount of something.

    Parameters:
        name, units_str: for people.
        qty: how much, not negative.
    """

    def __init__(self, name: str, units_str: str, qty: float) -> None:
        if qty < 0:
            raise ValueError(f"Received resource quantity {qty} for resource {name}, but it must be non-negative.")
        self.name = name
        self.units_str = units_str
        self.qty = qty

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resource) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.name, self.qty))

    def __repr__(self) -> str:
        return str(self.__dict__)

    def to_dict(self) -> dict[str, Any]:
        """As data."""
        return dict(self.__dict__)


class CpuResource(Resource):
    """Processors."""

    def __init__(self, qty: float) -> None:
        super().__init__("CPU", "core(s)", qty)


class RamResource(Resource):
    """Memory in MB."""

    def __init__(self, qty: float) -> None:
        super().__init__("RAM", "MB", qty)


class DiskResource(Resource):
    """Disk in MB."""

    def __init__(self, qty: float) -> None:
        super().__init__("Disk", "MB", qty)


class GpuResource(Resource):
    """Graphics processors."""

    def __init__(self, qty: float) -> None:
        super().__init__("GPU", "gpu(s)", qty)


class Resources:
    """All of them."""

    def __init__(self, cpus: float = 1, ram: float = 512, disk: float = 512, gpus: float = 0) -> None:
        self.cpus = CpuResource(cpus)
        self.ram = RamResource(ram)
        self.disk = DiskResource(disk)
        self.gpus = GpuResource(gpus)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resources) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.cpus, self.ram, self.disk, self.gpus))

    def __repr__(self) -> str:
        return str(self.__dict__)

    def to_dict(self) -> dict[str, Any]:
        """As data."""
        return {name: one.to_dict() for name, one in self.__dict__.items()}
