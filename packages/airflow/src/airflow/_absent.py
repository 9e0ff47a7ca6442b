"""Imports of Airflow's older paths and of providers, which are not here yet, say where the thing is found."""

from __future__ import annotations

import sys

_ELSEWHERE = {
    **dict.fromkeys(("operators", "sensors", "hooks", "providers"), "tradewind.standard"),
    **dict.fromkeys(("decorators", "models", "utils", "macros", "timetables"), "airflow.sdk"),
    "exceptions": "airflow.sdk.exceptions",
}
"""Module below `airflow` → where what is built of it can be imported. A deeper path fails here already."""


class AbsentModules:
    """Last on the way of an import: a name below `airflow` that nobody found is refused with advice."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Called by the import machinery when all other finders gave up."""
        package, _dot, rest = name.partition(".")
        if package != "airflow":
            return
        home = _ELSEWHERE.get(rest.partition(".")[0])
        advice = f"what is built of it is imported from {home}" if home else "so far there is airflow.sdk"
        raise ModuleNotFoundError(f"No module named {name!r} in tradewind-airflow: {advice}", name=name)


def tell_about_absent_modules() -> None:
    """Install it; once is enough."""
    if AbsentModules not in sys.meta_path:
        sys.meta_path.append(AbsentModules)
