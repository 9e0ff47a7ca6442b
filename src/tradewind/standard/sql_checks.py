"""Checks of data in a database: a task that fails says what was found and what was wanted."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from tradewind.sdk.branching import BranchMixIn
from tradewind.sdk.errors import WrongArgument, WrongValue
from tradewind.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from tradewind.sdk.sensor import BaseSensorOperator

from .sql import _SqlOperator

_COLUMN_CHECKS = {
    "null_check": "SUM(CASE WHEN {column} IS NULL THEN 1 ELSE 0 END)",
    "distinct_check": "COUNT(DISTINCT({column}))",
    "unique_check": "COUNT({column}) - COUNT(DISTINCT({column}))",
    "min": "MIN({column})",
    "max": "MAX({column})",
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equal_to": operator.eq,
    "greater_than": operator.gt,
    "geq_to": operator.ge,
    "less_than": operator.lt,
    "leq_to": operator.le,
}


class _CheckOperator(_SqlOperator):
    """What checks share.

    Parameters:
        retry_on_failure: a failed check is tried again like any failure; False: the task fails at once.
    """

    def __init__(self, *, retry_on_failure: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.retry_on_failure = retry_on_failure

    def fail(self, message: str) -> None:
        """The check says no. Raises `AirflowException`."""
        if self.retry_on_failure:
            raise AirflowException(message)
        raise AirflowFailException(message)


class SQLCheckOperator(_CheckOperator):
    """Every value of the first row must be true.

    Parameters:
        sql: a query; templated.
        parameters: of it.
    """

    template_fields: Sequence[str] = ("sql", "conn_id", "database", "hook_params", "parameters")
    template_ext: Sequence[str] = (".hql", ".sql")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    ui_color = "#fff7e6"

    def __init__(self, *, sql: str, parameters: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.parameters = parameters

    def execute(self, context: Any) -> None:  # noqa: ARG002 - the signature of all operators
        """Ask and judge. Raises `AirflowException` when there is no row, or a value is false."""
        row = self.get_db_hook().get_first(self.sql, self.parameters)
        if not row:
            self.fail(f"the query gave no row: {self.sql}")
        values = row.values() if isinstance(row, Mapping) else row
        if not all(values):
            self.fail(f"not all of {tuple(values)} is true; the query was: {self.sql}")
        self.log.info("All tests passed: %s", tuple(values))


class SQLValueCheckOperator(_CheckOperator):
    """Every value of the first row must equal a value.

    Parameters:
        sql: a query; templated.
        pass_value: what is wanted; templated.
        tolerance: of numbers: the share by which they may differ.
        parameters: of the query.
    """

    template_fields: Sequence[str] = ("sql", "pass_value", "conn_id", "database", "hook_params", "parameters")
    template_ext: Sequence[str] = (".hql", ".sql")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    ui_color = "#fff7e6"

    def __init__(
        self, *, sql: str, pass_value: Any, tolerance: Any = None, parameters: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.pass_value = pass_value
        self.tol = float(tolerance) if tolerance is not None else None
        self.parameters = parameters

    def execute(self, context: Any) -> None:  # noqa: ARG002 - the signature of all operators
        """Ask and judge. Raises `AirflowException` when there is no row, or a value differs."""
        row = self.get_db_hook().get_first(self.sql, self.parameters)
        if not row:
            self.fail(f"the query gave no row: {self.sql}")
        wanted = _number(self.pass_value)
        for value in row:
            if not self._fits(value, wanted):
                by = f" ± {self.tol:.1%}" if self.tol is not None else ""
                self.fail(f"found {value!r}, wanted {self.pass_value!r}{by}; the query was: {self.sql}")

    def _fits(self, value: Any, wanted: float | None) -> bool:
        if wanted is None:
            return str(value) == str(self.pass_value)
        found = _number(value)
        if found is None:
            raise AirflowException(f"{value!r} cannot be compared with the number {self.pass_value!r}")
        if self.tol is None:
            return found == wanted
        low, high = sorted((wanted * (1 - self.tol), wanted * (1 + self.tol)))
        return low <= found <= high


class SQLIntervalCheckOperator(_CheckOperator):
    """Metrics of today must not be too far from those of some days ago.

    Parameters:
        table: the table; templated.
        metrics_thresholds: SQL expression → how many times larger or smaller it may be; templated.
        date_filter_column: column with the day.
        days_back: with which day to compare; negative or positive.
        ratio_formula: "max_over_min", or "relative_diff" (a share).
        ignore_zero: a metric that is 0 on either day passes.
    """

    template_fields: Sequence[str] = ("sql1", "sql2", "conn_id", "database", "hook_params")
    template_ext: Sequence[str] = (".hql", ".sql")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql1": "sql", "sql2": "sql"}
    ui_color = "#fff7e6"
    ratio_formulas: ClassVar[dict[str, Callable[[float, float], float]]] = {
        "max_over_min": lambda today, before: max(today, before) / min(today, before),
        "relative_diff": lambda today, before: abs(today - before) / before,
    }

    def __init__(
        self,
        *,
        table: str,
        metrics_thresholds: Mapping[str, float],
        date_filter_column: str | None = "ds",
        days_back: float = -7,
        ratio_formula: str = "max_over_min",
        ignore_zero: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if ratio_formula not in self.ratio_formulas:
            raise WrongValue(
                f"ratio_formula of task {self.task_id!r} must be one of {', '.join(self.ratio_formulas)}, "
                f"not {ratio_formula!r}"
            )
        if not metrics_thresholds or not hasattr(metrics_thresholds, "items"):
            raise WrongArgument(f"metrics_thresholds of task {self.task_id!r} must be a dict: expression → threshold")
        self.ratio_formula = ratio_formula
        self.ignore_zero = ignore_zero
        self.table = table
        self.metrics_thresholds = dict(metrics_thresholds)
        self.metrics_sorted = sorted(metrics_thresholds)
        self.date_filter_column = date_filter_column
        self.days_back = -abs(days_back)
        query = f"SELECT {', '.join(self.metrics_sorted)} FROM {table} WHERE {date_filter_column}="  # noqa: S608 - the author's
        self.sql1 = f"{query}'{{{{ ds }}}}'"
        self.sql2 = f"{query}'{{{{ macros.ds_add(ds, {int(self.days_back)}) }}}}'"

    def execute(self, context: Any) -> None:  # noqa: ARG002 - the signature of all operators
        """Ask twice and judge. Raises `AirflowException` when a day has no row, or metrics are too far apart."""
        hook = self.get_db_hook()
        before, today = hook.get_first(self.sql2), hook.get_first(self.sql1)
        for row, sql in ((before, self.sql2), (today, self.sql1)):
            if not row:
                self.fail(f"the query gave no row: {sql}")
        formula = self.ratio_formulas[self.ratio_formula]
        failed = []
        for metric, now, then in zip(self.metrics_sorted, today, before, strict=True):
            limit = self.metrics_thresholds[metric]
            if not now or not then:
                passed, ratio = self.ignore_zero, None
            else:
                ratio = formula(float(now), float(then))
                passed = ratio < limit
            self.log.info("%s: today %s, before %s, ratio %s, threshold %s", metric, now, then, ratio, limit)
            if not passed:
                failed.append(f"{metric} (today {now}, before {then}, ratio {ratio}, threshold {limit})")
        if failed:
            self.fail(f"too far from the day {-self.days_back:g} days ago: {'; '.join(failed)}")


class SQLThresholdCheckOperator(_CheckOperator):
    """The first value of a query must lie between two thresholds, which may be queries.

    Parameters:
        sql: a query; templated.
        min_threshold, max_threshold: numbers, or queries; templated.
    """

    template_fields: Sequence[str] = ("sql", "min_threshold", "max_threshold", "conn_id", "database", "hook_params")
    template_ext: Sequence[str] = (".hql", ".sql")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}

    def __init__(self, *, sql: str, min_threshold: Any, max_threshold: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.min_threshold = min_threshold
        self.max_threshold = max_threshold

    def execute(self, context: Any) -> None:  # noqa: ARG002 - the signature of all operators
        """Ask and judge. Raises `AirflowException` when there is no value, or it lies outside."""
        hook = self.get_db_hook()
        row = hook.get_first(self.sql)
        if not row:
            self.fail(f"the query gave no row: {self.sql}")
        low, high = (self._bound(hook, bound) for bound in (self.min_threshold, self.max_threshold))
        if not low <= row[0] <= high:
            self.fail(f"{row[0]} is not between {low} and {high}; the query was: {self.sql}")

    def _bound(self, hook: Any, bound: Any) -> Any:
        number = _number(bound)
        return number if number is not None else hook.get_first(bound)[0]


class SQLColumnCheckOperator(_CheckOperator):
    """Columns must have properties: `{"age": {"min": {"geq_to": 0}, "null_check": {"equal_to": 0}}}`.

    Parameters:
        table: the table; templated.
        column_mapping: column → check → comparison → value. Checks: null_check, distinct_check, unique_check, min, max.
            Comparisons: equal_to, greater_than, geq_to, less_than, leq_to; `tolerance` loosens equal_to;
            `partition_clause` narrows one check.
        partition_clause: SQL condition that narrows all; templated.
        accept_none: NULL counts as 0 (an empty table).
    """

    template_fields: Sequence[str] = ("table", "partition_clause", "conn_id", "database", "hook_params")
    ui_color = "#fff7e6"

    def __init__(
        self,
        *,
        table: str,
        column_mapping: Mapping[str, Mapping[str, Any]],
        partition_clause: str | None = None,
        accept_none: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.column_mapping = {column: dict(checks) for column, checks in column_mapping.items()}
        self.partition_clause = partition_clause
        self.accept_none = accept_none
        for column, checks in self.column_mapping.items():
            for check, wanted in checks.items():
                self._examine(column, check, wanted)

    def _examine(self, column: str, check: str, wanted: Any) -> None:
        where = f"column_mapping of task {self.task_id!r}, column {column!r}"
        if check not in _COLUMN_CHECKS:
            raise WrongValue(f"{where}: there is no check {check!r}; use one of {', '.join(_COLUMN_CHECKS)}")
        comparisons = set(wanted) & set(_COMPARISONS)
        unknown = set(wanted) - set(_COMPARISONS) - {"tolerance", "partition_clause"}
        if not comparisons or unknown:
            raise WrongValue(f"{where}, check {check!r}: say one of {', '.join(_COMPARISONS)}, not {sorted(wanted)}")
        if "equal_to" in comparisons and len(comparisons) > 1:
            raise WrongValue(f"{where}, check {check!r}: equal_to stands alone")

    def execute(self, context: Any) -> None:  # noqa: ARG002 - the signature of all operators
        """Ask once per column and check, and judge. Raises `AirflowException` naming all that failed."""
        hook, failed = self.get_db_hook(), []
        for column, checks in self.column_mapping.items():
            for check, wanted in checks.items():
                conditions = [clause for clause in (self.partition_clause, wanted.get("partition_clause")) if clause]
                where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
                expression = _COLUMN_CHECKS[check].format(column=column)
                row = hook.get_first(f"SELECT {expression} AS found FROM {self.table}{where}")  # noqa: S608 - the author's
                found = row[0] if row else None
                if found is None and self.accept_none:
                    found = 0
                passed = found is not None and _compare(found, wanted)
                self.log.info("%s of %s: %s, wanted %s: %s", check, column, found, wanted, "ok" if passed else "FAILED")
                if not passed:
                    failed.append(f"{check} of {column} is {found}, wanted {wanted}")
        if failed:
            self.fail(f"table {self.table}: {'; '.join(failed)}")


class SQLTableCheckOperator(_CheckOperator):
    """A table must have properties: `{"row_count": {"check_statement": "COUNT(*) > 0"}}`.

    Parameters:
        table: the table; templated.
        checks: name → {"check_statement": SQL condition over the rows, "partition_clause": which rows}.
        partition_clause: SQL condition that narrows all; templated.
    """

    template_fields: Sequence[str] = ("table", "partition_clause", "conn_id", "database", "hook_params")
    ui_color = "#fff7e6"

    def __init__(
        self,
        *,
        table: str,
        checks: Mapping[str, Mapping[str, Any]],
        partition_clause: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.checks = {name: dict(check) for name, check in checks.items()}
        self.partition_clause = partition_clause
        for name, check in self.checks.items():
            if not check.get("check_statement"):
                raise WrongValue(f"check {name!r} of task {self.task_id!r} needs a check_statement")

    def execute(self, context: Any) -> None:  # noqa: ARG002 - the signature of all operators
        """Ask once per check and judge. Raises `AirflowException` naming all that failed."""
        hook, failed = self.get_db_hook(), []
        for name, check in self.checks.items():
            conditions = [clause for clause in (self.partition_clause, check.get("partition_clause")) if clause]
            where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            statement = check["check_statement"]
            row = hook.get_first(  # no row at all: a condition without aggregate over nothing
                f"SELECT MIN(found) FROM (SELECT CASE WHEN {statement} THEN 1 ELSE 0 END AS found "  # noqa: S608 - the author's
                f"FROM {self.table}{where}) AS checked"
            )
            passed = bool(row and row[0])
            self.log.info("check %s: %s", name, "ok" if passed else "FAILED")
            if not passed:
                failed.append(f"{name} ({statement})")
        if failed:
            self.fail(f"table {self.table}: {'; '.join(failed)}")


class BranchSQLOperator(BranchMixIn, _SqlOperator):
    """Branch on the first value of a query: true, a number other than 0, or a text such as "yes".

    Parameters:
        sql: a query; templated.
        follow_task_ids_if_true, follow_task_ids_if_false: tasks or groups to follow.
        parameters: of the query; templated.
    """

    template_fields: Sequence[str] = ("sql", "conn_id", "database", "hook_params", "parameters")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}
    ui_color = "#a22034"
    ui_fgcolor = "#F7F7F7"

    def __init__(
        self,
        *,
        sql: str,
        follow_task_ids_if_true: str | Iterable[str],
        follow_task_ids_if_false: str | Iterable[str],
        parameters: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.parameters = parameters
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false

    def execute(self, context: Any) -> Any:
        """Ask and follow. Raises `AirflowException` when there is no row, or the value has no meaning."""
        row = self.get_db_hook().get_first(self.sql, self.parameters)
        if not row:
            raise AirflowException(f"the query gave no row to branch on: {self.sql}")
        value = row[0] if isinstance(row, Sequence) and not isinstance(row, str) else row
        return self.do_branch(context, self.follow_task_ids_if_true if _truth(value) else self.follow_task_ids_if_false)


class SqlSensor(BaseSensorOperator):
    """Wait until the first value of a query is true.

    Parameters:
        conn_id: the connection; templated.
        sql: a query; templated.
        parameters: of it; templated.
        success, failure: judge the value instead of its truth; a failure ends the wait.
        selector: takes the value from the row.
        fail_on_empty: no row fails.
        hook_params: further arguments of the hook.
    """

    template_fields: Sequence[str] = ("sql", "hook_params", "parameters")
    template_ext: Sequence[str] = (".hql", ".sql")
    ui_color = "#7c7287"

    def __init__(
        self,
        *,
        conn_id: str,
        sql: str,
        parameters: Any = None,
        success: Callable[[Any], Any] | None = None,
        failure: Callable[[Any], Any] | None = None,
        selector: Callable[[Any], Any] = operator.itemgetter(0),
        fail_on_empty: bool = False,
        hook_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.sql = sql
        self.parameters = parameters
        self.success = success
        self.failure = failure
        self.selector = selector
        self.fail_on_empty = fail_on_empty
        self.hook_params = hook_params or {}

    def poke(self, context: Any) -> bool:  # noqa: ARG002 - the signature of all sensors
        """Whether it is true. Raises `AirflowException` for a failure."""
        hook = _SqlOperator.get_db_hook(self)  # type: ignore[arg-type] # it needs conn_id and hook_params only
        records = hook.get_records(self.sql, self.parameters)
        if not records:
            if self.fail_on_empty:
                raise AirflowException(f"the query gave no row: {self.sql}")
            return False
        value = self.selector(records[0])
        for name, judge in (("failure", self.failure), ("success", self.success)):
            if judge is not None and not callable(judge):
                raise AirflowException(f"{name} of task {self.task_id!r} must be a function, not {judge!r}")
        if self.failure is not None and self.failure(value):
            message = f"failure said that {value!r} will never do"
            raise AirflowSkipException(message) if self.soft_fail else AirflowException(message)
        return bool(self.success(value)) if self.success is not None else _truth(value, of_text=False)

    database: str | None = None
    _hook: Any = None


def _compare(found: Any, wanted: Mapping[str, Any]) -> bool:
    tolerance = wanted.get("tolerance")
    for name, compare in _COMPARISONS.items():
        if name not in wanted:
            continue
        value = _like(found, wanted[name])
        if name == "equal_to" and tolerance is not None:
            if not value * (1 - tolerance) <= found <= value * (1 + tolerance):
                return False
        elif not compare(found, value):
            return False
    return True


def _like(found: Any, wanted: Any) -> Any:
    """Texts that are compared with days become days."""
    if isinstance(found, dt.datetime) and isinstance(wanted, str):
        return dt.datetime.fromisoformat(wanted).replace(tzinfo=found.tzinfo)
    if isinstance(found, dt.date) and isinstance(wanted, str):
        return dt.date.fromisoformat(wanted)
    return wanted


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


_TRUE = {"true", "y", "yes", "1", "on", "t"}
_FALSE = {"false", "n", "no", "0", "off", "f", ""}


def _truth(value: Any, *, of_text: bool = True) -> bool:
    if isinstance(value, str):
        if not of_text:
            return value not in ("0", "")
        if value.strip().lower() in _TRUE | _FALSE:
            return value.strip().lower() in _TRUE
        raise AirflowException(f"the query gave the text {value!r}: neither yes nor no")
    if value is None or isinstance(value, bool | int | float) or hasattr(value, "__bool__"):
        return bool(value)
    raise AirflowException(f"the query gave {value!r} of type {type(value).__name__}: neither yes nor no")
