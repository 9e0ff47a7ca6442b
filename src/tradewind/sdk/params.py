"""Parameters of runs: a default, a JSON schema, and hints for the form that asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Literal

from .errors import WrongArgument
from .notset import NOTSET

if TYPE_CHECKING:
    from .definition import DAG
    from .xcomarg import Fetch


class Param:
    """A parameter with a schema.

    Parameters:
        default: value when the run gives none; without one the parameter is required.
        description: text for people.
        source: where it was declared ("dag", "task").
        schema: JSON schema; further keywords (`type="integer"`, `minimum=1`, `enum=[...]`) are added to it.

    Raises:
        ParamValidationError: the default cannot be JSON.
    """

    def __init__(
        self,
        default: Any = NOTSET,
        description: str | None = None,
        source: Literal["dag", "task"] | None = None,
        **kwargs: Any,
    ) -> None:
        schema = kwargs.pop("schema", {})
        if not isinstance(schema, Mapping):
            raise WrongArgument(f"the schema of a Param must be a dict, not {schema!r}")
        self.value = default
        self.description = description
        self.source = source
        self.schema: dict[str, Any] = {**schema, **kwargs}
        if default is not NOTSET:
            _check_json(default)

    @property
    def has_value(self) -> bool:
        """Whether a run may leave it out."""
        return self.value is not NOTSET and (self.value is not None or not self.schema or _takes_null(self.schema))

    def resolve(self, value: Any = NOTSET, suppress_exception: bool = False) -> Any:
        """`value`, or the default, checked against the schema; it becomes the value of this parameter.

        Raises:
            ParamValidationError: there is neither, or it does not fit. With `suppress_exception` the answer is None
            then.
        """
        from .exceptions import ParamValidationError

        final = self.value if value is NOTSET else value
        try:
            if final is NOTSET:
                raise ParamValidationError("no value given and there is no default: pass one with the run")
            _check_json(final)
            _check_schema(final, self.schema)
        except ParamValidationError:
            if suppress_exception:
                return None
            raise
        self.value = final
        return final

    def dump(self) -> dict[str, Any]:
        """All of it as a dict."""
        return {
            "value": None if self.value is NOTSET else self.value,
            "description": self.description,
            "schema": self.schema,
            "source": self.source,
        }

    def copy(self) -> Param:
        return Param(self.value, self.description, self.source, schema=self.schema)

    def __repr__(self) -> str:
        return f"Param({self.value!r})"


class ParamsDict(MutableMapping[str, Any]):
    """Parameters by name. Reading gives values; `get_param` gives the `Param`.

    Parameters:
        dict_obj: values or `Param`s by name.
        suppress_exception: read None instead of raising for a value that does not fit.
    """

    def __init__(self, dict_obj: Mapping[str, Any] | None = None, suppress_exception: bool = False) -> None:
        self._params: dict[str, Param] = {}
        self.suppress_exception = suppress_exception
        if isinstance(dict_obj, ParamsDict):
            self._params = {name: param.copy() for name, param in dict_obj._params.items()}
        else:
            for name, value in (dict_obj or {}).items():
                if not isinstance(name, str):
                    raise WrongArgument(f"params have texts as names, not {name!r}")
                self._params[name] = value if isinstance(value, Param) else self._of_value(name, value)

    @staticmethod
    def _of_value(name: str, value: Any) -> Param:
        from .exceptions import ParamValidationError

        try:
            return Param(value)
        except ParamValidationError as error:
            raise ParamValidationError(f"param {name!r}: {error}") from None

    @classmethod
    def named(cls, what: str, value: Mapping[str, Any] | None) -> ParamsDict:
        """Of values and `Param`s. Raises what the constructor does, saying `what` they are: "params of task 'load'"."""
        from .exceptions import ParamValidationError

        try:
            return cls(value)
        except (ParamValidationError, WrongArgument) as error:
            raise type(error)(f"{what}: {error}") from None

    def __getitem__(self, key: str) -> Any:
        return self._params[key].resolve(suppress_exception=self.suppress_exception)

    def __setitem__(self, key: str, value: Any) -> None:
        known = self._params.get(key)
        if isinstance(value, Param):
            self._params[key] = value
        elif known is None:
            self._params[key] = Param(value)
        else:
            self._resolve(key, known, value)

    def __delitem__(self, key: str) -> None:
        del self._params[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def __contains__(self, key: object) -> bool:
        return key in self._params

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ParamsDict):
            return self.dump_values() == other.dump_values()
        return isinstance(other, Mapping) and self.dump_values() == dict(other)

    __hash__ = None  # type: ignore[assignment] # mutable

    def get_param(self, key: str) -> Param:
        """The parameter itself."""
        return self._params[key]

    def params(self) -> Mapping[str, Param]:
        """All parameters themselves."""
        return dict(self._params)

    def dump(self) -> dict[str, Any]:
        """Values by name, checked."""
        return {name: self[name] for name in self._params}

    def dump_values(self) -> dict[str, Any]:
        """Values by name, unchecked; None where there is none."""
        return {name: None if p.value is NOTSET else p.value for name, p in self._params.items()}

    def deep_merge(self, other: Mapping[str, Any]) -> ParamsDict:
        """A new one: this, overridden by `other` (values keep the schema that is here)."""
        merged = ParamsDict(self, self.suppress_exception)
        for name in other:
            merged[name] = other.get_param(name) if isinstance(other, ParamsDict) else other[name]
        return merged

    def filter_params_by_source(self, source: str) -> ParamsDict:
        """Only those declared at `source`."""
        chosen = ParamsDict()
        chosen._params = {name: param for name, param in self._params.items() if param.source == source}
        return chosen

    def validate(self) -> dict[str, Any]:
        """Values by name. Raises ParamValidationError naming the first parameter that does not fit."""
        return {name: self._resolve(name, param, NOTSET) for name, param in self._params.items()}

    def _resolve(self, name: str, param: Param, value: Any) -> Any:
        from .exceptions import ParamValidationError

        try:
            return param.resolve(value, self.suppress_exception)
        except ParamValidationError as error:
            raise ParamValidationError(f"param {name!r}: {error}") from None

    def __repr__(self) -> str:
        return f"ParamsDict({self.dump_values()!r})"


def merged_params(what: str, *sources: Any) -> dict[str, Any]:
    """Values and `Param`s of several sources, the later ones winning. Raises `WrongArgument` for what is no dict."""
    merged: dict[str, Any] = {}
    for source in sources:
        if isinstance(source, ParamsDict):
            merged |= source.params()
        elif isinstance(source, Mapping):
            merged |= source
        elif source is not None:
            raise WrongArgument(f"{what} must be a dict, not {source!r} of type {type(source).__name__}")
    return merged


class DagParam:
    """The value of a run's parameter, as a lazy reference: what `dag.param("x")` and arguments of a `@dag` function
    are.

    Parameters:
        current_dag: the DAG.
        name: of the parameter.
        default: added to the DAG's params when given.
    """

    stands_for_value = True
    """Rendering replaces it by what `resolve` gives."""

    def __init__(self, current_dag: DAG, name: str, default: Any = NOTSET) -> None:
        if default is not NOTSET:
            current_dag.params[name] = default
        self._name = name
        self.current_dag = current_dag

    def resolve(self, fetch: Fetch) -> Any:
        """The value in the running instance."""
        return fetch.param(self._name)

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        return iter(())

    def __str__(self) -> str:
        return f"{{{{ params[{self._name!r}] }}}}"

    def __repr__(self) -> str:
        return f"DagParam({self._name!r})"

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{self!r} is not a value yet and cannot be iterated while the DAG is built")


def _check_json(value: Any) -> None:
    from .exceptions import ParamValidationError

    try:
        json.dumps(value)
    except (TypeError, ValueError) as error:
        raise ParamValidationError(f"{value!r} cannot be JSON: {error}; give text, numbers, lists or dicts") from None


def _check_schema(value: Any, schema: dict[str, Any]) -> None:
    if not schema:
        return
    import jsonschema  # heavy, and most params have no schema

    from .exceptions import ParamValidationError

    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is not None:
        raise ParamValidationError(error.message)


def _takes_null(schema: dict[str, Any]) -> bool:
    kinds = schema.get("type")
    if kinds is None:
        return True
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds)
