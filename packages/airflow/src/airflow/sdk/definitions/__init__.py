"""`airflow.sdk.definitions`: what DAG files define, by the paths of Airflow's SDK."""
