"""Variables: settings that people keep on the server and tasks read by name.

Looked for in the environment first (`TRADEWIND_VAR_<NAME>`, `AIRFLOW_VAR_<NAME>`), then asked of the server by the
running task.
"""

from __future__ import annotations

import json
import os
from typing import Any

from tradewind.domain.masking import is_sensitive
from tradewind.sdk.attempt import attempt_at_hand
from tradewind.sdk.exceptions import AirflowException, AirflowNotFoundException
from tradewind.sdk.lookups import look_up
from tradewind.wire.errors import InvalidValue
from tradewind.wire.execution import DeleteVariable, GetVariable, SetVariable, Text

ENVIRONMENT_PREFIXES = ("TRADEWIND_VAR_", "AIRFLOW_VAR_")
_MISSING: Any = object()


class VariableNotFound(AirflowNotFoundException, KeyError):
    """No variable of this name; where it was looked for is named."""

    # KeyError would show the message as a quoted literal.
    __str__ = Exception.__str__


class Variable:
    """A named text. Use the class methods; an object is what a listing gives.

    Parameters:
        key: name.
        value: text, None for one that does not exist.
        description: for people.
    """

    __slots__ = ("description", "key", "value")

    def __init__(self, key: str, value: str | None = None, description: str | None = None) -> None:
        self.key = key
        self.value = value
        self.description = description

    @classmethod
    def get(
        cls, key: str, default: Any = _MISSING, deserialize_json: bool = False, *, default_var: Any = _MISSING
    ) -> Any:
        """The value of a variable.

        Parameters:
            key: name.
            default: returned when there is none; `default_var` is its older name.
            deserialize_json: read the text as JSON.

        Raises:
            VariableNotFound: there is none and no default was given.
            InvalidValue: the text is not JSON.
        """
        text = _look_up(key)
        if text is None:
            fallback = default_var if default is _MISSING else default
            if fallback is _MISSING:
                raise VariableNotFound(_not_found(key))
            return fallback
        if not deserialize_json:
            return text
        try:
            value = json.loads(text)
        except ValueError as error:
            raise InvalidValue(f"variable {key!r} is not JSON: {error}; read it without deserialize_json") from error
        if (attempt := attempt_at_hand()) is not None:
            attempt.mask_sensitive(value, key)
        return value

    @classmethod
    def set(cls, key: str, value: Any, description: str | None = None, serialize_json: bool = False) -> None:
        """Create or change a variable on the server.

        Parameters:
            value: a text, or with `serialize_json` whatever JSON can hold.

        Raises:
            AirflowException: called outside a running task.
        """
        attempt = attempt_at_hand()
        if attempt is None:
            raise AirflowException(
                f"variable {key!r} can be set only by a running task; use the CLI or the API elsewhere"
            )
        text = json.dumps(value, indent=2) if serialize_json else str(value)
        attempt.client.ask(SetVariable(attempt.token, key, text, description))

    @classmethod
    def setdefault(cls, key: str, default: Any, description: str | None = None, deserialize_json: bool = False) -> Any:
        """The value of a variable; one that does not exist is made with `default`, which must not be None."""
        found = cls.get(key, default=None, deserialize_json=deserialize_json)
        if found is not None:
            return found
        if default is None:
            raise InvalidValue(f"variable {key!r} does not exist, and setdefault() has no default for it")
        cls.set(key, default, description=description, serialize_json=deserialize_json)
        return default

    @classmethod
    def update(cls, key: str, value: Any, serialize_json: bool = False) -> None:
        """Change a variable that exists. Raises `VariableNotFound`."""
        cls.get(key)
        cls.set(key, value, serialize_json=serialize_json)

    @classmethod
    def delete(cls, key: str) -> None:
        """Delete a variable on the server; one that does not exist is no error. Raises `AirflowException`
        outside a task.
        """
        attempt = attempt_at_hand()
        if attempt is None:
            raise AirflowException(
                f"variable {key!r} can be deleted only by a running task; use the CLI or the API elsewhere"
            )
        attempt.client.ask(DeleteVariable(attempt.token, key))


def _look_up(key: str) -> str | None:
    for prefix in ENVIRONMENT_PREFIXES:
        if (text := os.environ.get(prefix + key.upper())) is not None:
            break
    else:
        attempt = attempt_at_hand()
        if attempt is None:
            found: str | None = look_up("variable", key)
            return found
        reply = attempt.client.ask(GetVariable(attempt.token, key))
        assert isinstance(reply, Text)
        text = reply.value
    if text is not None and is_sensitive(key) and (attempt := attempt_at_hand()) is not None:
        attempt.mask(text)
    return text


def _not_found(key: str) -> str:
    names = ", ".join(prefix + key.upper() for prefix in ENVIRONMENT_PREFIXES)
    if attempt_at_hand() is None:
        return (
            f"variable {key!r} is not defined: looked in the environment ({names}); the server is asked only inside a "
            "running task: read the variable in the task or in a template, or give a default"
        )
    return (
        f"variable {key!r} is not defined: looked in the environment ({names}) and on the server; "
        "create it or give a default"
    )
