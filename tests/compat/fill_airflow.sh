#!/bin/sh
# Puts into a real Airflow what tests/compat/test_move_in.py looks for: fill_airflow.sh VENV HOME
export AIRFLOW_HOME=$2 AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__FERNET_KEY=cRl3Ft4fEkmI8jcv9vXqHFyU2YhYVBw7rVp9nQ5Y0lQ=
mkdir -p $2/dags
cat > $2/dags/daily.py <<'P'
from datetime import datetime
from airflow import DAG
try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:
    from airflow.operators.bash import BashOperator
with DAG("daily", start_date=datetime(2024,1,1), schedule="@daily", catchup=False) as dag:
    BashOperator(task_id="a", bash_command="true") >> BashOperator(task_id="b", bash_command="true")
P
B=$1/bin/airflow
$B db migrate
$B connections add pg1 --conn-type postgres --conn-host db.example.com --conn-login me --conn-password 's3cret!' --conn-port 5433 --conn-schema app --conn-extra '{"sslmode":"require"}'
$B connections add web --conn-uri 'http://u:p%40ss@example.com:80/?verify=false'
$B variables set colour blue
$B variables set settings '{"a": 1}'
$B pools set slow 3 "slow things"
$B dags reserialize
for d in 2024-01-02 2024-01-03; do $B dags test daily $d; done
