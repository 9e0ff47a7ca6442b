"""The choke point, as handlers of FastAPI use it: who is asking (`CurrentUser`), and may he (`authorise`).

The rules, and when the answer is 401, 403 or 404, stand in `rules`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from .gate import require_user
from .person import Person
from .rules import WILDCARD, authorise, require, unknown_dag

CurrentUser = Annotated[Person, Depends(require_user)]
"""Dependency of handlers: who is asking. A request without credentials ends there with 401, unless `Public` is granted
something."""
current_user = require_user

__all__ = ["WILDCARD", "CurrentUser", "Person", "authorise", "current_user", "require", "unknown_dag"]
