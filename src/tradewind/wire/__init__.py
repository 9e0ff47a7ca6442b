"""The vocabulary both ends share: states, ids, errors, the DAG document, workloads, reports, inbox events.

No I/O, no clock, no logging. Everything here is frozen data that encodes canonically; begin reading at
`states`, then `document` (what a DAG file becomes), `workload` (what an agent is asked to do),
`execution` (what an agent says and hears) and `inbox` (what a run's owner must know).
"""
