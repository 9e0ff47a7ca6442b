"""Stand-ins for SDK names that are being built: importable, and clear about it when they are used."""

from __future__ import annotations

from typing import Any


class BaseNotifier:
    """Base of notifiers."""

    template_fields: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        self.arguments = kwargs

    def notify(self, context: Any) -> None:
        """Send the notice."""
        raise NotImplementedError

    async def async_notify(self, context: Any) -> None:
        """Send the notice, asynchronously."""
        raise NotImplementedError

    def __call__(self, *args: Any) -> None:
        self.notify(args[0] if args else {})


class BaseOperatorLink:
    """A link shown beside a task."""

    name = ""
    operators: tuple[type, ...] = ()

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address."""
        raise NotImplementedError

    @property
    def xcom_key(self) -> str:
        """Under which the address is kept."""
        return f"_link_{type(self).__name__}"


class BaseAsyncOperator:
    """Base of operators whose work is a coroutine."""

    def __init__(self, **kwargs: Any) -> None:
        raise NotImplementedError("asynchronous operators are not available yet")


class BaseXCom:
    """Base of XCom backends."""


class ResumableJobMixin:
    """Submits a job elsewhere and finds it again on the next try."""


class ObjectStoragePath:
    """A path in object storage."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("object storage paths are not available yet")
