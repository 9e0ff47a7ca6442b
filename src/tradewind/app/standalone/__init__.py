"""`tradewind standalone`: all processes of an installation under one light parent.

- `parent` is the outline: prepare, start, watch, stop.
- `supervisor` starts children again with back-off and stops them in order.
- `children` makes them: forks of the parent, which has imported what they share, or fresh programs.
- `readiness` waits for the probe and tells people where everything is.

Promises: a second start on the same home refuses; children never outlive the parent (the kernel ends them); one that
dies is started again; after SIGTERM everything has ended within standalone.stop_seconds.
"""
