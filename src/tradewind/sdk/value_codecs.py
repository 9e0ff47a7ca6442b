"""Values of a task as JSON: what has no JSON form is written as an object `{"$type": kind, "$value": …}` and read back
as what it was.

Kinds: datetime, date, time, timedelta, timezone, decimal, uuid, path, bytes, tuple, set, frozenset, int (beyond 64
bit), float (nan, inf), complex, enum, named tuple, dataclass, attrs, pydantic, object (classes with Airflow's
`serialize`/`deserialize` pair), numpy scalars and arrays, pandas frames and series (parquet), pyarrow tables and
batches, polars frames and series (Arrow). Keys of dicts become
text, as in JSON; sequences that are not lists (ranges, lazy outputs of mapped tasks) become lists.

Classes are re-created on reading only if the caller's `ClassGate` lets them pass: a stored value must not be able to
call
whatever it likes. An enum whose class is refused reads as its plain value.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import enum
import fnmatch
import importlib
import io
import math
import pathlib
import sys
import uuid
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import ModuleType
from typing import Any, Protocol

import msgspec

from tradewind.wire.errors import InvalidValue

TYPE = "$type"
VALUE = "$value"
CLASS = "$class"
DEPTH_MAX = 200
_INT_LIMIT = 1 << 63
_REGISTERED: dict[str, type] = {}


class ClassGate(Protocol):
    """Decides which classes may be re-created from stored values."""

    def allows(self, module: str, qualname: str) -> bool: ...


@dataclasses.dataclass(frozen=True, slots=True)
class PatternGate:
    """Lets classes of our own, registered ones, those matching a pattern and those of modules below a folder pass.

    Parameters:
        patterns: globs over `module.Class`.
        roots: folders; a module that is imported already and whose file lies below one of them is a DAG author's own.
        modules: modules whose globals count as the author's choice (`from models import Order` in the DAG file).
    """

    patterns: tuple[str, ...] = ("tradewind.*", "airflow.*")
    roots: tuple[str, ...] = ()
    modules: tuple[ModuleType, ...] = ()

    def allows(self, module: str, qualname: str) -> bool:
        name = f"{module}.{qualname}"
        if f"{module}:{qualname}" in _REGISTERED or any(fnmatch.fnmatchcase(name, each) for each in self.patterns):
            return True
        loaded = sys.modules.get(module)
        if loaded is None:
            return False
        if any(loaded is each or self._names_it(each, loaded, qualname) for each in self.modules):
            return True
        file = getattr(loaded, "__file__", None)
        return bool(file) and any(pathlib.PurePath(str(file)).is_relative_to(root) for root in self.roots)

    @staticmethod
    def _names_it(chosen: ModuleType, loaded: ModuleType, qualname: str) -> bool:
        wanted = _walk(loaded, qualname)
        return wanted is not None and any(each is wanted for each in vars(chosen).values())


def register_class(cls: type) -> type:
    """Let a class be re-created when values are read, wherever it comes from. Usable as a decorator; returns `cls`."""
    _REGISTERED[f"{cls.__module__}:{cls.__qualname__}"] = cls
    return cls


# --- writing ---------------------------------------------------------------------------------------------------------


class _Unstorable(Exception):
    """A value inside has no form; the path is collected on the way out."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.steps: list[str] = []

    def path(self) -> str:
        return "$" + "".join(reversed(self.steps))


def to_json(value: object) -> bytes:
    """`value` as JSON. Raises `InvalidValue` naming the path inside the value, the type and the remedy."""
    try:
        return msgspec.json.encode(_plain(value, 0))
    except _Unstorable as error:
        raise InvalidValue(f"value at {error.path()} cannot be stored: {error.problem}") from error
    except UnicodeEncodeError as error:
        raise InvalidValue(
            f"value cannot be stored: a text in it is not valid Unicode ({error.reason}); store bytes"
        ) from error


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if -_INT_LIMIT <= value < _INT_LIMIT else _tag("int", str(value))
    if kind is float:
        return value if math.isfinite(value) else _tag("float", str(value))
    if depth > DEPTH_MAX:
        raise _Unstorable(f"it is nested deeper than {DEPTH_MAX} levels or contains itself; flatten it")
    if kind is list:
        return _items(value, depth)
    if kind is dict:
        return _dict(value, depth)
    return _special(value, depth)


def _items(values: Any, depth: int) -> list[Any]:
    done: list[Any] = []
    try:
        # Not a comprehension: `done` tells how far it came when an item cannot be stored.
        for each in values:
            done.append(_plain(each, depth + 1))  # noqa: PERF401
    except _Unstorable as error:
        error.steps.append(f"[{len(done)}]")
        raise
    return done


def _dict(values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    done: dict[str, Any] = {}
    name = ""
    try:
        for key, each in values.items():
            name = key if type(key) is str else str(key)
            if name in done:
                raise _Unstorable(f"two keys of this dict read {name!r} as text; use keys that differ as text")
            done[name] = _plain(each, depth + 1)
    except _Unstorable as error:
        error.steps.append(f".{name}" if name.isidentifier() else f"[{name!r}]")
        raise
    # A dict that looks like a tag is wrapped, so that reading does not mistake it for one.
    return _tag("dict", done) if TYPE in done else done


def _tag(kind: str, value: Any, cls: type | None = None) -> dict[str, Any]:
    if cls is None:
        return {TYPE: kind, VALUE: value}
    if "<locals>" in cls.__qualname__:
        raise _Unstorable(
            f"its class {cls.__qualname__} is defined inside a function and cannot be found again; "
            "move it to module level"
        )
    return {TYPE: kind, CLASS: f"{cls.__module__}:{cls.__qualname__}", VALUE: value}


def _fields(value: object, names: list[str], depth: int) -> dict[str, Any]:
    return {TYPE: "dict", VALUE: plain} if TYPE in (plain := _named(value, names, depth)) else plain


def _named(value: object, names: list[str], depth: int) -> dict[str, Any]:
    done: dict[str, Any] = {}
    for name in names:
        try:
            done[name] = _plain(getattr(value, name), depth + 1)
        except _Unstorable as error:
            error.steps.append(f".{name}")
            raise
    return done


def _special(value: Any, depth: int) -> Any:
    cls = type(value)
    if isinstance(value, enum.Enum):
        return _tag("enum", _plain(value.value, depth + 1), cls)
    package = cls.__module__.partition(".")[0]
    foreign = _FOREIGN_WRITERS.get(package)
    if foreign is not None and (form := foreign(value)) is not None:
        # Either it is written already, or it is a plainer value that is to be written.
        return form if isinstance(form, dict) and TYPE in form else _plain(form, depth + 1)
    for base, write_leaf in _LEAVES:
        if isinstance(value, base):
            return write_leaf(value)
    for base, write in _WRITERS:
        if isinstance(value, base):
            return write(value, depth)
    if dataclasses.is_dataclass(cls):
        return _tag("dataclass", _fields(value, [field.name for field in dataclasses.fields(value)], depth), cls)
    if hasattr(cls, "__attrs_attrs__"):
        return _tag("attrs", _fields(value, [each.name for each in cls.__attrs_attrs__], depth), cls)
    if hasattr(cls, "__pydantic_fields__"):
        names = [*cls.__pydantic_fields__, *(value.__pydantic_extra__ or ())]
        return _tag("pydantic", _fields(value, names, depth), cls)
    if callable(getattr(cls, "serialize", None)) and callable(getattr(cls, "deserialize", None)):
        form = {"data": _plain(value.serialize(), depth + 1), "version": getattr(cls, "__version__", 1)}
        return _tag("object", form, cls)
    if isinstance(value, Mapping):
        return _dict(value, depth)
    if isinstance(value, Sequence):
        return _items(value, depth)
    raise _Unstorable(_remedy(value))


def _remedy(value: object) -> str:
    cls = type(value)
    name = f"{cls.__module__}.{cls.__qualname__}"
    if hasattr(value, "__next__"):
        return f"its type {name} gives its items only once; return list(…) of it"
    return (
        f"its type {name} has no JSON form; return plain data, a dataclass, an attrs or pydantic object, "
        "or store it elsewhere and return its location"
    )


def _write_tuple(value: tuple[Any, ...], depth: int) -> Any:
    names = getattr(value, "_fields", None)
    if names is not None:
        return _tag("namedtuple", _items(value, depth), type(value))
    return _tag("tuple", _items(value, depth))


def _write_set(value: Any, depth: int) -> Any:
    try:
        ordered = sorted(value)
    except TypeError:
        ordered = list(value)
    return _tag("frozenset" if isinstance(value, frozenset) else "set", _items(ordered, depth))


def _zone_name(zone: dt.tzinfo) -> str:
    """A name that `_zone` understands: an IANA key, or an offset from UTC in seconds."""
    name = getattr(zone, "key", None) or getattr(zone, "name", None)
    if isinstance(name, str) and not name.startswith(("+", "-")):
        return name
    offset = zone.utcoffset(None) if not isinstance(zone, zoneinfo.ZoneInfo) else None
    if offset is None:
        raise _Unstorable(f"its time zone {zone!r} has neither a name nor a fixed offset; use zoneinfo.ZoneInfo")
    return str(offset.total_seconds())


def _write_datetime(value: dt.datetime) -> Any:
    zone = None if value.tzinfo is None else _zone_name(value.tzinfo)
    naive = dt.datetime.combine(value.date(), value.time()).replace(fold=value.fold).isoformat()
    form = {"at": naive, "zone": zone, "fold": value.fold}
    return _tag("pendulum" if type(value).__module__.startswith("pendulum") else "datetime", form)


_WRITERS: tuple[tuple[type, Callable[[Any, int], Any]], ...] = (
    (int, lambda value, depth: _plain(int(value), depth)),
    (float, lambda value, depth: _plain(float(value), depth)),
    (tuple, _write_tuple),
    (list, _items),
    (dict, _dict),
    (set, _write_set),
    (frozenset, _write_set),
)
"""Kinds that hold others, and subclasses of plain ones."""

_LEAVES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (bytes, lambda value: _tag("bytes", base64.b64encode(value).decode())),
    (bytearray, lambda value: _tag("bytearray", base64.b64encode(value).decode())),
    (dt.datetime, _write_datetime),
    (dt.date, lambda value: _tag("date", dt.date(value.year, value.month, value.day).isoformat())),
    (dt.time, lambda value: _tag("time", value.isoformat())),
    (dt.timedelta, lambda value: _tag("timedelta", [value.days, value.seconds, value.microseconds])),
    (dt.tzinfo, lambda value: _tag("timezone", _zone_name(value))),
    (Decimal, lambda value: _tag("decimal", str(value))),
    (uuid.UUID, lambda value: _tag("uuid", str(value))),
    (pathlib.PurePath, lambda value: _tag("path", str(value))),
    (complex, lambda value: _tag("complex", [value.real, value.imag])),
)
"""In this order: a subclass stands before its base."""


def _write_numpy(value: Any) -> Any:
    np = importlib.import_module("numpy")
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise _Unstorable("it is a numpy array of Python objects; convert it to a list or to a plain dtype")
        form = {
            "dtype": value.dtype.str,
            "shape": list(value.shape),
            "data": base64.b64encode(value.tobytes()).decode(),
        }
        return _tag("numpy.array", form)
    if isinstance(value, np.generic):
        return _tag("numpy.scalar", {"dtype": value.dtype.str, "data": base64.b64encode(value.tobytes()).decode()})
    return None


def _write_pandas(value: Any) -> Any:
    pd = importlib.import_module("pandas")
    if isinstance(value, pd.Series):
        form = _write_pandas(value.to_frame(name=value.name if value.name is not None else "__series__"))
        return _tag("pandas.series", form[VALUE])
    if not isinstance(value, pd.DataFrame):
        return value.to_pydatetime() if isinstance(value, pd.Timestamp) else None
    try:
        importlib.import_module("pyarrow")
    except ImportError:
        raise _Unstorable("a pandas frame is stored as parquet, which needs pyarrow; install pyarrow") from None
    return _tag("pandas.frame", base64.b64encode(value.to_parquet(engine="pyarrow")).decode())


def _write_pyarrow(value: Any) -> Any:
    pa = importlib.import_module("pyarrow")
    if isinstance(value, pa.RecordBatch):
        return _tag("pyarrow.batch", _write_pyarrow(pa.Table.from_batches([value]))[VALUE])
    if not isinstance(value, pa.Table):
        return value.as_py() if isinstance(value, pa.Scalar) else None
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, value.schema) as stream:
        stream.write_table(value)
    return _tag("pyarrow.table", base64.b64encode(sink.getvalue().to_pybytes()).decode())


def _write_polars(value: Any) -> Any:
    pl = importlib.import_module("polars")
    if isinstance(value, pl.LazyFrame):
        raise _Unstorable("it is a polars query that has not run; call .collect() on it")
    if isinstance(value, pl.Series):
        return _tag("polars.series", _write_polars(value.to_frame())[VALUE])
    if not isinstance(value, pl.DataFrame):
        return None
    buffer = io.BytesIO()
    value.write_ipc(buffer, compression="zstd")
    return _tag("polars.frame", base64.b64encode(buffer.getvalue()).decode())


_FOREIGN_WRITERS: dict[str, Callable[[Any], Any]] = {
    "numpy": _write_numpy,
    "pandas": _write_pandas,
    "pyarrow": _write_pyarrow,
    "polars": _write_polars,
}
"""By top-level package: the package is imported already when a value of it arrives."""


# --- reading ---------------------------------------------------------------------------------------------------------


def from_json(data: bytes, gate: ClassGate) -> Any:
    """The value behind `to_json`. Raises `InvalidValue` for damaged data and for classes that `gate` refuses."""
    try:
        raw = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise InvalidValue(f"stored value is not JSON: {error}; clear the task that pushed it") from error
    # Plain data, which is nearly all of it, needs no second walk.
    return _revive(raw, gate) if b'"$type"' in data else raw


def _revive(raw: Any, gate: ClassGate) -> Any:
    if type(raw) is list:
        return [_revive(each, gate) for each in raw]
    if type(raw) is not dict:
        return raw
    kind = raw.get(TYPE)
    if kind is None:
        return {key: _revive(each, gate) for key, each in raw.items()}
    value: Any = raw.get(VALUE)
    if kind == "dict":
        return {key: _revive(each, gate) for key, each in value.items()}
    if CLASS in raw:
        return _revive_class(kind, raw[CLASS], value, gate)
    read = _READERS.get(kind)
    if read is None:
        raise InvalidValue(f"stored value has the unknown kind {kind!r}; it was written by a newer version: upgrade")
    return read(_revive(value, gate))


def _revive_class(kind: str, path: str, value: Any, gate: ClassGate) -> Any:
    module, _, qualname = path.partition(":")
    if not gate.allows(module, qualname):
        if kind == "enum":
            return _revive(value, gate)
        raise InvalidValue(
            f"stored value is of class {module}.{qualname}, which may not be re-created here: "
            "import the class in the DAG file, or call tradewind.sdk.values.register_class on it"
        )
    cls = _REGISTERED.get(path) or _find_class(module, qualname)
    build = _CLASS_READERS.get(kind)
    if build is None:
        raise InvalidValue(f"stored value has the unknown kind {kind!r}; it was written by a newer version: upgrade")
    try:
        return build(cls, _revive(value, gate))
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidValue(f"stored value does not fit its class {module}.{qualname} any more: {error}") from error


def _find_class(module: str, qualname: str) -> Any:
    try:
        found = _walk(sys.modules.get(module) or importlib.import_module(module), qualname)
    except ImportError as error:
        raise InvalidValue(
            f"stored value is of class {module}.{qualname}, which cannot be imported: {error}"
        ) from error
    if not isinstance(found, type):
        raise InvalidValue(f"stored value is of class {module}.{qualname}, which does not exist any more")
    return found


def _walk(start: object, qualname: str) -> object:
    found: object = start
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found


def _zone(name: str) -> dt.tzinfo:
    try:
        seconds = float(name)
    except ValueError:
        return dt.UTC if name == "UTC" else zoneinfo.ZoneInfo(name)
    return dt.timezone(dt.timedelta(seconds=seconds)) if seconds else dt.UTC


def _read_datetime(form: dict[str, Any]) -> dt.datetime:
    at = dt.datetime.fromisoformat(form["at"]).replace(fold=form.get("fold", 0))
    return at if form["zone"] is None else at.replace(tzinfo=_zone(form["zone"]))


def _read_pendulum(form: dict[str, Any]) -> Any:
    import pendulum

    at = _read_datetime(form)
    return pendulum.instance(at, tz=at.tzinfo)


def _read_numpy_array(form: dict[str, Any]) -> Any:
    np = importlib.import_module("numpy")
    flat = np.frombuffer(base64.b64decode(form["data"]), dtype=np.dtype(form["dtype"]))
    return flat.reshape(form["shape"]).copy()


def _read_numpy_scalar(form: dict[str, Any]) -> Any:
    np = importlib.import_module("numpy")
    return np.frombuffer(base64.b64decode(form["data"]), dtype=np.dtype(form["dtype"]))[0]


def _read_pandas_frame(data: str) -> Any:
    pd = importlib.import_module("pandas")
    return pd.read_parquet(io.BytesIO(base64.b64decode(data)), engine="pyarrow")


def _read_pandas_series(data: str) -> Any:
    series = _read_pandas_frame(data).iloc[:, 0]
    return series.rename(None) if series.name == "__series__" else series


def _read_pyarrow_table(data: str) -> Any:
    pa = importlib.import_module("pyarrow")
    return pa.ipc.open_stream(base64.b64decode(data)).read_all()


def _read_pyarrow_batch(data: str) -> Any:
    batches = _read_pyarrow_table(data).combine_chunks().to_batches()
    return batches[0] if batches else _read_pyarrow_table(data).schema.empty_table().to_batches()


def _read_polars_frame(data: str) -> Any:
    return importlib.import_module("polars").read_ipc(io.BytesIO(base64.b64decode(data)))


_READERS: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float,
    "complex": lambda pair: complex(*pair),
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "bytes": base64.b64decode,
    "bytearray": lambda text: bytearray(base64.b64decode(text)),
    "datetime": _read_datetime,
    "pendulum": _read_pendulum,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": lambda parts: dt.timedelta(*parts),
    "timezone": _zone,
    "decimal": Decimal,
    "uuid": uuid.UUID,
    "path": pathlib.Path,
    "numpy.array": _read_numpy_array,
    "numpy.scalar": _read_numpy_scalar,
    "pandas.frame": _read_pandas_frame,
    "pandas.series": _read_pandas_series,
    "pyarrow.table": _read_pyarrow_table,
    "pyarrow.batch": _read_pyarrow_batch,
    "polars.frame": _read_polars_frame,
    "polars.series": lambda data: _read_polars_frame(data).to_series(0),
}


def _build_dataclass(cls: Any, values: dict[str, Any]) -> Any:
    made = {field.name for field in dataclasses.fields(cls) if field.init}
    built = cls(**{name: value for name, value in values.items() if name in made})
    for name in values.keys() - made:
        object.__setattr__(built, name, values[name])
    return built


def _build_attrs(cls: Any, values: dict[str, Any]) -> Any:
    made = {each.name: each.alias for each in cls.__attrs_attrs__ if each.init}
    built = cls(**{made[name]: value for name, value in values.items() if name in made})
    for name in values.keys() - made.keys():
        object.__setattr__(built, name, values[name])
    return built


_CLASS_READERS: dict[str, Callable[[Any, Any], Any]] = {
    "enum": lambda cls, value: cls(value),
    "namedtuple": lambda cls, items: cls(*items),
    "dataclass": _build_dataclass,
    "attrs": _build_attrs,
    # The fields were valid when they were stored; validators that change values must not run twice.
    "pydantic": lambda cls, values: cls.model_construct(**values),
    "object": lambda cls, form: cls.deserialize(form["data"], form["version"]),
}
