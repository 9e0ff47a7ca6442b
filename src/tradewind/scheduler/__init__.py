"""The scheduler: owns runs by lease, hears events, asks the planner, admits what is ready and hands it to executors.

Begin reading at `loop` (the service), then `step` (one transaction: gather, decide, admit, write), `owned` (a run in
memory). Decisions stand in `domain`; here is only their order.
"""
