"""DAG files for the benches of waiting."""

from __future__ import annotations

import time

TRIGGERS = """
import asyncio
import random
import time

from tradewind import DAG, BaseOperator
from tradewind.sdk.triggers import BaseTrigger, StartTriggerArgs, TaskSuccessEvent


class AtRandom(BaseTrigger):
    def __init__(self, first, last):
        super().__init__()
        self.first, self.last = first, last

    def serialize(self):
        return "{dag_id}.AtRandom", {{"first": self.first, "last": self.last}}

    async def run(self):
        await asyncio.sleep(max(0.0, random.uniform(self.first, self.last) - time.time()))
        yield TaskSuccessEvent(xcoms={{"return_value": time.time()}})


class Waits(BaseOperator):
    start_from_trigger = True
    start_trigger_args = StartTriggerArgs(
        trigger_cls="{dag_id}.AtRandom",
        next_method="go_on",
        trigger_kwargs={{"first": {first}, "last": {last}}},
    )

    def __init__(self, number=0, **kwargs):
        super().__init__(**kwargs)
        self.number = number

    def go_on(self, context, event):
        return None


with DAG("{dag_id}", schedule=None):
    Waits.partial(task_id="wait").expand(number=list(range({many})))
"""
SENSORS = """
from tradewind import DAG, BaseSensorOperator


class Never(BaseSensorOperator):
    def __init__(self, number=0, **kwargs):
        super().__init__(**kwargs)
        self.number = number

    def poke(self, context):
        return False


with DAG("{dag_id}", schedule=None, isolation="reuse"):
    Never.partial(task_id="wait", mode="reschedule", poke_interval=3600).expand(number=list(range({many})))
"""
EXPANSION = """
from tradewind import dag, task


@dag(schedule=None, isolation="reuse")
def {dag_id}():
    @task
    def numbers():
        return list(range({many}))

    @task
    def work(number):
        return None

    work.expand(number=numbers())


{dag_id}()
"""
_SET_UP_SECONDS = 30.0


def triggers(dag_id: str, many: int, seconds: float) -> str:
    """Tasks that begin and end in the triggerer, at random moments over so many seconds, a little later than now."""
    first = time.time() + _SET_UP_SECONDS
    return TRIGGERS.format(dag_id=dag_id, many=many, first=first, last=first + seconds)


def sensors(dag_id: str, many: int) -> str:
    """Sensors whose second poke comes after an hour."""
    return SENSORS.format(dag_id=dag_id, many=many)


def expansion(dag_id: str, many: int) -> str:
    """One task, mapped over what another one returned."""
    return EXPANSION.format(dag_id=dag_id, many=many)
