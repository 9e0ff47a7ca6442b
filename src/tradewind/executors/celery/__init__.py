"""The executor `celery`: hands workloads to the agents of many machines through a message broker.

    scheduler ── CeleryExecutor ──▶ Redis or RabbitMQ ──▶ Celery worker ── socket ──▶ agent of that machine

What travels is the sealed workload, as for the local agent. The agent claims and reports at the API server itself, so
a message that comes twice, or late, begins nothing twice: only the current token of an attempt is let in.
"""
