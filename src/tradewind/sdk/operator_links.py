"""Links of operators to other systems: buttons on the page of a task instance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar


class BaseOperatorLink(ABC):
    """Subclasses give `name` and `get_link`. Listed in `operator_extra_links` of an operator class.

    The address is computed in the task's process after it ended, and kept beside its values under `xcom_key`.
    """

    operators: ClassVar[list[type]] = []
    """Operator classes that get this link besides those that list it (links that come from plugins)."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Text of the button."""

    @property
    def xcom_key(self) -> str:
        """Under which the address is kept."""
        return f"_link_{type(self).__name__}"

    @abstractmethod
    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address, "" for none.

        Parameters:
            operator: the task.
            ti_key: names the task instance (`dag_id`, `task_id`, `run_id`, `try_number`, `map_index`).
        """

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(type(self))


def links_of(operator: Any) -> list[Any]:
    """Links of an operator, those of plugins included; one per name."""
    from .plugins import plugin_links

    found: dict[str, Any] = {}
    for link in (*operator.operator_extra_links, *plugin_links(type(operator))):
        found.setdefault(link.name, link)
    return list(found.values())
