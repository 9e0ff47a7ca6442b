"""Executors carry workloads to agents (`ports.executor`): one foreign way each."""
