"""Construction that answers an unknown argument with the right one."""

from __future__ import annotations

import functools
import inspect
from typing import Any, ClassVar

from . import older_forms
from .errors import WrongArgument, nearest


@functools.cache
def _parameters(cls: type) -> dict[str, inspect.Parameter]:
    # Of `__init__`: the signature of the class would be that of the metaclass's `__call__`.
    return dict(inspect.signature(type.__getattribute__(cls, "__init__")).parameters)


class CheckedCall(type):
    """For classes whose arguments authors write by hand."""

    renamed_arguments: ClassVar[dict[str, str]] = {}
    """Argument of earlier days → what to write now."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = older_forms.dag_arguments(cls, args, kwargs)
        parameters = _parameters(cls) if kwargs else {}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            for name in kwargs:
                if name not in parameters:
                    raise WrongArgument(cls._refusal(name, args, parameters))
        return super().__call__(*args, **kwargs)

    def _refusal(cls, name: str, args: tuple[Any, ...], known: Any) -> str:
        which = f" {args[0]!r}" if args else ""
        now = cls.renamed_arguments.get(name)
        hint = f"; {now}" if now else nearest(name, (one for one in known if one != "self"))
        return f"{cls.__name__}{which} does not know the argument {name!r}{hint}"
