"""What every process stands on: clock, ids, settings, service life cycle, doorbell, logs, telemetry, process helpers.

The rooms above import the module they need (`from tradewind.kernel.clock import SystemClock`); nothing is imported
here, so that one need does not pay for all. The kernel knows no workflow: no DAG, no run, no task.
"""
