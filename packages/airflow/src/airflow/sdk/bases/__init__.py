"""`airflow.sdk.bases`: base classes, by the paths of Airflow's SDK."""
