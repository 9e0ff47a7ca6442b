"""The smallest DAG worth looking at: three tasks, one value handed on."""

from datetime import timedelta

from tradewind import dag, task


@dag(schedule=timedelta(minutes=10), tags=["example"])
def hello_world():
    @task
    def greet() -> str:
        return "Hello"

    @task
    def name() -> str:
        return "world"

    @task
    def say(greeting: str, whom: str) -> None:
        print(f"{greeting}, {whom}!")

    say(greet(), name())


hello_world()
