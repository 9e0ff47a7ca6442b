"""Files: where they are, and waiting for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from tradewind.sdk.errors import WrongValue
from tradewind.sdk.exceptions import AirflowException, AirflowNotFoundException
from tradewind.sdk.hooks import BaseHook
from tradewind.sdk.sensor import BaseSensorOperator
from tradewind.sdk.triggers import StartTriggerArgs

from .deferring import default_deferrable
from .triggers import FileTrigger, find_file


class FSHook(BaseHook):
    """A folder named by a connection of type `fs`: its extra field `path`.

    Parameters:
        fs_conn_id: the connection.
    """

    conn_name_attr = "fs_conn_id"
    default_conn_name: ClassVar[str] = "fs_default"
    conn_type = "fs"
    hook_name = "File (path)"

    def __init__(self, fs_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_id = fs_conn_id
        self.basepath = str(self.get_connection(fs_conn_id).extra_dejson.get("path", ""))

    def get_conn(self) -> None:
        """Nothing to connect to."""

    def get_path(self) -> str:
        """The folder; "" when the connection names none."""
        return self.basepath

    def test_connection(self) -> tuple[bool, str]:
        """Whether the folder exists."""
        if not self.basepath:
            return False, "the connection has no path; add it to the extra fields"
        if not Path(self.basepath).exists():
            return False, f"{self.basepath} does not exist"
        return True, f"{self.basepath} exists"


class FileSensor(BaseSensorOperator):
    """Wait for a file, for a match of a pattern, or for a folder that is not empty.

    Parameters:
        filepath: path or glob pattern, absolute or below the folder of the connection; templated.
        fs_conn_id: connection of type `fs`; not needed for absolute paths.
        recursive: `**` in the pattern stands for folders at any depth.
        deferrable: wait in the triggerer; default the setting `operators.default_deferrable`.
        start_from_trigger: wait there from the beginning.
    """

    template_fields: Sequence[str] = ("filepath",)
    ui_color = "#91818a"

    def __init__(
        self,
        *,
        filepath: Any,
        fs_conn_id: str = FSHook.default_conn_name,
        recursive: bool = False,
        deferrable: bool | None = None,
        start_from_trigger: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.start_from_trigger = start_from_trigger
        self.filepath = os.fspath(filepath) if isinstance(filepath, os.PathLike) else filepath
        self.fs_conn_id = fs_conn_id
        self.recursive = recursive
        if start_from_trigger:
            if not os.path.isabs(str(self.filepath)):
                raise WrongValue(f"task {self.task_id!r} starts from its trigger: filepath must be absolute")
            self.start_trigger_args = StartTriggerArgs(
                trigger_cls="tradewind.standard.triggers.FileTrigger",
                trigger_kwargs=self._trigger_facts(self.filepath),
                next_method="execute_complete",
                timeout=timedelta(seconds=self.timeout),
            )

    def _trigger_facts(self, path: str) -> dict[str, Any]:
        return {"filepath": path, "recursive": self.recursive, "poke_interval": self.poke_interval}

    def execute(self, context: Any) -> Any:
        if not self.deferrable:
            return super().execute(context)
        if self.poke(context):
            return None
        return self.defer(
            trigger=FileTrigger(**self._trigger_facts(self.path)),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Any, event: Any = None) -> None:  # noqa: ARG002 - as the triggerer calls it
        """The trigger has found something."""
        if not event:
            raise AirflowException(f"the trigger of task {self.task_id!r} ended without a file")
        self.log.info("%s is there", self.filepath)

    @property
    def path(self) -> str:
        """The whole path or pattern. Raises `AirflowNotFoundException` for a relative one without connection."""
        if os.path.isabs(self.filepath):
            return str(self.filepath)
        try:
            folder = FSHook(self.fs_conn_id).get_path()
        except AirflowNotFoundException as error:
            raise AirflowNotFoundException(
                f"filepath {self.filepath!r} of task {self.task_id!r} is relative and {error}; or use an absolute path"
            ) from error
        return os.path.join(folder, self.filepath)

    def poke(self, context: Any) -> bool:  # noqa: ARG002 - the signature of all sensors
        path = self.path
        self.log.info("Poking for file %s", path)
        found = find_file(path, self.recursive)
        if found is None:
            return False
        changed = datetime.fromtimestamp(os.path.getmtime(found), UTC)
        self.log.info("Found %s, changed at %s", found, changed.isoformat())
        return True
