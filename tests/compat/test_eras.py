"""DAG files of three eras, written as people write them, load through the parsing child and run."""

from __future__ import annotations

import textwrap

import pytest

from tradewind.runtime.parse_child import _compile
from tradewind.sdk.loading import load_dag_file
from tradewind.wire.document import DagDocument

pytestmark = pytest.mark.filterwarnings("ignore")


def load(folder, text, name="dag_file.py") -> dict[str, DagDocument]:
    """The documents of a file's DAGs; what is wrong with it fails the test."""
    path = folder / name
    path.write_text(textwrap.dedent(text))
    loaded = load_dag_file(path, bundle_root=folder, module_name=f"era_{abs(hash(text))}")
    documents, problems = _compile(loaded, name)
    assert problems == [], problems[0].traceback
    return {one.dag_id: one for one in documents}


def test_a_file_of_1_10(tmp_path):
    found = load(
        tmp_path,
        """
        # -*- coding: utf-8 -*-
        from __future__ import print_function
        import airflow
        from airflow import DAG, AirflowException
        from airflow.models import Variable
        from airflow.operators.bash_operator import BashOperator
        from airflow.operators.dummy_operator import DummyOperator
        from airflow.operators.python_operator import BranchPythonOperator, PythonOperator, ShortCircuitOperator
        from airflow.operators.latest_only_operator import LatestOnlyOperator
        from airflow.utils.trigger_rule import TriggerRule
        from airflow.utils.helpers import chain
        from airflow.utils.dates import days_ago
        from datetime import datetime, timedelta

        default_args = {
            'owner': 'data', 'depends_on_past': False, 'start_date': airflow.utils.dates.days_ago(2),
            'email': ['a@example.com'], 'email_on_failure': False, 'email_on_retry': False, 'retries': 1,
            'retry_delay': timedelta(minutes=5), 'provide_context': True, 'schedule_interval': '@daily',
        }
        dag = DAG('old', default_args=default_args, description='x', schedule_interval=timedelta(days=1),
                  concurrency=4, max_active_runs=1, dagrun_timeout=timedelta(minutes=60), default_view='graph',
                  orientation='LR', catchup=False)

        def work(ds, **kwargs):
            print(kwargs['execution_date'], kwargs['ti'], kwargs['dag_run'])
            return ds

        start = DummyOperator(task_id='start', dag=dag)
        bash = BashOperator(task_id='bash', bash_command='echo {{ ds }} {{ execution_date }} {{ prev_ds }}', dag=dag,
                            xcom_push=True)
        py = PythonOperator(task_id='py', python_callable=work, provide_context=True, op_kwargs={'a': 1}, dag=dag)
        branch = BranchPythonOperator(task_id='branch', python_callable=lambda **_: 'left', dag=dag)
        left = DummyOperator(task_id='left', dag=dag)
        right = DummyOperator(task_id='right', dag=dag)
        join = DummyOperator(task_id='join', trigger_rule='none_failed_or_skipped', dag=dag)
        always = DummyOperator(task_id='always', trigger_rule=TriggerRule.DUMMY, task_concurrency=2, dag=dag)
        start >> [bash, py]
        bash.set_downstream(branch)
        branch >> left >> join
        branch >> right >> join
        join.set_upstream([left, right])
        chain(join, always)
        dag.doc_md = __doc__
        """,
    )
    document = found["old"]
    assert document.max_active_tasks == 4
    assert document.schedule is not None
    tasks = {task.task_id: task for task in document.tasks}
    assert tasks["join"].trigger_rule == "none_failed_min_one_success"
    assert tasks["always"].trigger_rule == "always"


def test_a_subdag_becomes_a_group(tmp_path):
    found = load(
        tmp_path,
        """
        from airflow.models import DAG
        from airflow.operators.dummy_operator import DummyOperator
        from airflow.operators.subdag_operator import SubDagOperator
        from airflow.utils.dates import days_ago

        def section(parent, child, args):
            sub = DAG(dag_id='%s.%s' % (parent, child), default_args=args, schedule_interval='@daily')
            first = DummyOperator(task_id='first', default_args=args, dag=sub)
            first >> DummyOperator(task_id='second', dag=sub)
            return sub

        args = {'owner': 'x', 'start_date': days_ago(1)}
        with DAG('parent', default_args=args, schedule_interval='@once') as dag:
            start = DummyOperator(task_id='start')
            middle = SubDagOperator(task_id='middle', subdag=section('parent', 'middle', args))
            start >> middle >> DummyOperator(task_id='end')
        """,
    )
    assert set(found) == {"parent"}
    tasks = {task.task_id: task for task in found["parent"].tasks}
    assert set(tasks) == {"start", "middle.first", "middle.second", "end"}
    assert set(tasks["middle.first"].upstream) == {"start"}
    assert set(tasks["end"].upstream) == {"middle.second"}


def test_a_file_of_2(tmp_path):
    found = load(
        tmp_path,
        """
        from __future__ import annotations
        import pendulum
        from airflow import DAG, Dataset
        from airflow.decorators import dag, task, task_group
        from airflow.exceptions import AirflowSkipException, AirflowFailException
        from airflow.models import Variable, BaseOperator
        from airflow.models.baseoperator import chain, cross_downstream
        from airflow.models.param import Param
        from airflow.operators.bash import BashOperator
        from airflow.operators.empty import EmptyOperator
        from airflow.operators.python import PythonOperator, get_current_context
        from airflow.sensors.base import BaseSensorOperator, PokeReturnValue
        from airflow.sensors.filesystem import FileSensor
        from airflow.utils.dates import days_ago
        from airflow.utils.edgemodifier import Label
        from airflow.utils.state import State, DagRunState, TaskInstanceState
        from airflow.utils.task_group import TaskGroup
        from airflow.hooks.base import BaseHook
        from airflow.configuration import conf
        from airflow.utils.email import send_email
        from airflow.utils.session import provide_session
        from airflow.models import DagRun, TaskInstance, XCom

        class Mine(BaseOperator):
            template_fields = ('path',)
            def __init__(self, *, path: str, **kwargs) -> None:
                super().__init__(**kwargs)
                self.path = path
            def execute(self, context):
                return context['task_instance'].xcom_pull(task_ids='x')

        def alarm(context):
            send_email('a@example.com', context['task_instance'].task_id, 'x')

        @provide_session
        def count(session=None):
            return session.query(DagRun).filter(DagRun.dag_id == 'x').count()

        with DAG(
            dag_id='two', schedule_interval='0 4 * * *', start_date=pendulum.datetime(2023, 1, 1, tz='Europe/Berlin'),
            catchup=False, tags=['a'], params={'n': Param(3, type='integer')}, fail_stop=False,
            on_failure_callback=alarm, sla_miss_callback=None, render_template_as_native_obj=True,
        ):
            with TaskGroup('group', tooltip='t') as group:
                a = EmptyOperator(task_id='a')
                b = BashOperator(task_id='b', bash_command='echo {{ params.n }}', env={'A': '1'}, append_env=True)
                a >> Label('then') >> b
            mine = Mine(task_id='mine', path='{{ ds }}', sla=pendulum.duration(hours=1), trigger_rule='all_done')
            wait = FileSensor(task_id='wait', filepath='/tmp/x', mode='reschedule', poke_interval=60, timeout=600)
            group >> mine >> wait

        ready = Dataset('s3://bucket/ready')

        @dag(schedule=[ready], start_date=days_ago(1), catchup=False, default_args={'retries': 2})
        def flow():
            @task(multiple_outputs=True)
            def extract():
                return {'a': 1, 'b': 2}
            @task.branch
            def choose(x):
                return 'load'
            @task(outlets=[ready])
            def load(x: int):
                print(get_current_context()['ds'])
            @task_group
            def both(x):
                return load(x)
            found = extract()
            choose(found['a']) >> both(found['b'])
            load.override(task_id='other').expand(x=[1, 2, 3])
        flow()
        """,
    )
    assert set(found) == {"two", "flow"}
    assert found["two"].params["n"].default == 3


def test_a_file_of_3(tmp_path):
    found = load(
        tmp_path,
        """
        from airflow.sdk import (
            DAG, Asset, AssetAlias, BaseHook, Connection, Context, Label, Metadata, Param, TaskGroup, TriggerRule,
            Variable, asset, chain, cross_downstream, dag, get_current_context, setup, task, task_group, teardown,
        )
        from airflow.sdk.bases.operator import BaseOperator
        from airflow.sdk.exceptions import AirflowSkipException
        from airflow.providers.standard.operators.bash import BashOperator
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.providers.standard.operators.python import PythonOperator
        from airflow.timetables.trigger import CronTriggerTimetable
        from airflow.utils.state import State

        with DAG('three', schedule=CronTriggerTimetable('@daily', timezone='UTC'), start_date=None, max_active_tasks=3):
            @task
            def one(): return 1
            @task(trigger_rule=TriggerRule.ALL_DONE)
            def two(x): return x
            EmptyOperator(task_id='go') >> two(one())
        """,
    )
    assert set(found) == {"three"}


ARGUMENTS = {
    "schedule_interval": "'@daily'",
    "timetable": "None",
    "concurrency": "2",
    "default_view": "'tree'",
    "orientation": "'TB'",
    "full_filepath": "'/x'",
    "pickle_id": "None",
    "fail_stop": "True",
    "sla_miss_callback": "print",
    "access_control": "{'Role': {'can_read'}}",
}


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_arguments_of_dag_that_are_gone_are_taken(tmp_path, name):
    found = load(tmp_path, f"from airflow import DAG\nwith DAG('d', {name}={ARGUMENTS[name]}): pass\n")
    assert set(found) == {"d"}


TASK_ARGUMENTS = {
    "task_concurrency": "2",
    "provide_context": "True",
    "xcom_push": "False",
    "adhoc": "True",
    "execution_date": "None",
    "sla": "__import__('datetime').timedelta(hours=1)",
    "trigger_rule": "'dummy'",
    "email": "'a@example.com'",
    "email_on_failure": "False",
}


@pytest.mark.parametrize("name", sorted(TASK_ARGUMENTS))
def test_arguments_of_tasks_that_are_gone_are_taken(tmp_path, name):
    text = f"""
    from airflow import DAG
    from airflow.operators.bash_operator import BashOperator
    with DAG('d'):
        BashOperator(task_id='t', bash_command='true', {name}={TASK_ARGUMENTS[name]})
    """
    assert set(load(tmp_path, text)) == {"d"}


def test_schedule_interval_means_intervals(tmp_path):
    (document,) = load(
        tmp_path, "from airflow import DAG\nwith DAG('d', schedule_interval='0 3 * * *'): pass\n"
    ).values()
    assert type(document.schedule).__name__ == "CronIntervalSchedule"
    (document,) = load(tmp_path, "from airflow import DAG\nwith DAG('d', schedule='0 3 * * *'): pass\n").values()
    assert type(document.schedule).__name__ == "CronTriggerSchedule"


IDIOMS = [
    "dag = DAG('d', 'a description', schedule_interval=None)",
    "dag = DAG('d', schedule_interval='None')",
    "dag = DAG('d', schedule_interval='@once', start_date=datetime(2020, 1, 1), default_args=dict(owner='me'))",
    "dag = DAG('d', default_args={'start_date': '2020-01-01', 'depend_on_past': True, 'retries': '2'})",
    "dag = DAG('d', max_active_runs='3')",
    "dag = DAG('d', tags=['a', 'b'], template_searchpath='/tmp')",
    "dag = DAG('d')\ndag >> DummyOperator(task_id='t')",
    "dag = DAG('d')\na = DummyOperator(task_id='a', dag=dag)\nb = DummyOperator(task_id='b')\na >> b",
    "dag = DAG('d')\nx = [DummyOperator(task_id=t, dag=dag) for t in 'ab']\nx >> DummyOperator(task_id='c', dag=dag)",
    "globals()['x'] = DAG('d')",
    "for i in range(2):\n    globals()[f'dag_{i}'] = DAG(f'd{i}' if i else 'd')",
    "dag = DAG('d', user_defined_macros={'x': 1}, user_defined_filters={'y': str}, params=dict(a=[1]))",
    "@apply_defaults\ndef f(self): pass\ndag = DAG('d')",
    "class Op(BaseOperator):\n    @apply_defaults\n    def __init__(self, a, *args, **kwargs):\n"
    "        super(Op, self).__init__(*args, **kwargs)\n        self.a = a\n"
    "dag = DAG('d')\nOp(a=1, task_id='t', dag=dag)",
    "dag = DAG('d', dagrun_timeout=None, end_date=None, is_paused_upon_creation=True, doc_md=None)",
    "dag = DAG('d', on_success_callback=print, on_failure_callback=[print])",
]


@pytest.mark.parametrize("idiom", IDIOMS)
def test_idioms_of_many_files(tmp_path, idiom):
    head = (
        "from datetime import datetime\nfrom airflow import DAG\nfrom airflow.models import BaseOperator\n"
        "from airflow.operators.dummy_operator import DummyOperator\n"
        "from airflow.utils.decorators import apply_defaults\n"
    )
    assert "d" in load(tmp_path, head + idiom + "\n")


def test_a_session_says_what_to_do_instead():
    from airflow.models import DagRun
    from airflow.utils.session import create_session

    from airflow import settings

    with create_session() as session, pytest.raises(RuntimeError, match="REST API"):
        session.query(DagRun).filter(DagRun.dag_id == "x").all()
    with pytest.raises(RuntimeError, match="hook"):
        settings.Session().execute("select 1")
    with pytest.raises(RuntimeError, match="query"):
        DagRun.find(dag_id="x")
