"""Operators that named their database: `SQLExecuteQueryOperator` with another name for the connection."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.sql.operators.sql import (  # type: ignore[import-not-found,unused-ignore]
    SQLCheckOperator,
    SQLExecuteQueryOperator,
    SQLIntervalCheckOperator,
    SQLValueCheckOperator,
)


def _named(name: str, argument: str, conn_id: str, base: type = SQLExecuteQueryOperator, **fixed: Any) -> type:
    """A class that takes the connection as `argument`."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("conn_id", kwargs.pop(argument, None) or conn_id)
        params = dict(kwargs.pop("hook_params", None) or {})
        for key in _HOOK_ARGUMENTS:
            if kwargs.get(key) is not None and key != "database":
                params[key] = kwargs.pop(key)
            elif key != "database":
                kwargs.pop(key, None)
        if params:
            kwargs["hook_params"] = params
        super(made, self).__init__(*args, **{**fixed, **kwargs})

    _announce(__init__, argument)
    made: Any = type(name, (base,), {"__init__": __init__, "__doc__": f"`{base.__name__}` with `{argument}`."})
    made.template_fields = tuple(dict.fromkeys((*base.template_fields,)))  # type: ignore[attr-defined]
    return made  # type: ignore[no-any-return]


_HOOK_ARGUMENTS = ("warehouse", "role", "authenticator", "session_parameters", "schema", "runtime_parameters")


def _announce(init: Any, argument: str) -> None:
    """Tell the SDK, which reads signatures, what the class takes: `default_args` fill named arguments."""
    import inspect

    own = inspect.Parameter(argument, inspect.Parameter.KEYWORD_ONLY, default=None)
    more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in _HOOK_ARGUMENTS]
    rest = inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)
    first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    init.__signature__ = inspect.Signature([first, own, *more, rest])


PostgresOperator = _named("PostgresOperator", "postgres_conn_id", "postgres_default")
MySqlOperator = _named("MySqlOperator", "mysql_conn_id", "mysql_default")
SqliteOperator = _named("SqliteOperator", "sqlite_conn_id", "sqlite_default")
MsSqlOperator = _named("MsSqlOperator", "mssql_conn_id", "mssql_default")
OracleOperator = _named("OracleOperator", "oracle_conn_id", "oracle_default")
JdbcOperator = _named("JdbcOperator", "jdbc_conn_id", "jdbc_default")
SnowflakeOperator = _named("SnowflakeOperator", "snowflake_conn_id", "snowflake_default")
TrinoOperator = _named("TrinoOperator", "trino_conn_id", "trino_default")
VerticaOperator = _named("VerticaOperator", "vertica_conn_id", "vertica_default")
ExasolOperator = _named("ExasolOperator", "exasol_conn_id", "exasol_default")
RedshiftSQLOperator = _named("RedshiftSQLOperator", "redshift_conn_id", "redshift_default")
ClickHouseOperator = _named("ClickHouseOperator", "clickhouse_conn_id", "clickhouse_default")
SnowflakeCheckOperator = _named("SnowflakeCheckOperator", "snowflake_conn_id", "snowflake_default", SQLCheckOperator)
SnowflakeValueCheckOperator = _named(
    "SnowflakeValueCheckOperator", "snowflake_conn_id", "snowflake_default", SQLValueCheckOperator
)
SnowflakeIntervalCheckOperator = _named(
    "SnowflakeIntervalCheckOperator", "snowflake_conn_id", "snowflake_default", SQLIntervalCheckOperator
)
