"""Which Airflow this is at least, as providers ask."""

from __future__ import annotations

AIRFLOW_V_2_10_PLUS = AIRFLOW_V_2_11_PLUS = True
AIRFLOW_V_3_0_PLUS = AIRFLOW_V_3_1_PLUS = AIRFLOW_V_3_2_PLUS = AIRFLOW_V_3_3_PLUS = True
AIRFLOW_V_3_4_PLUS = False


def get_base_airflow_version_tuple() -> tuple[int, int, int]:
    """The version as numbers."""
    return 3, 3, 2
