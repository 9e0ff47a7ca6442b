"""The DAG processor: notices that DAG files changed, has them loaded in children, publishes what they gave.

Begin reading at `service` (the loop). `watch` says when to look, `discovery` which files are DAG files, `known` which
of them have to be loaded (again), `backlog` in what order; `loading` has them loaded. Loading itself is
`runtime.parse`, publishing `commands.publication`, and the folder's snapshots come from a bundle (`ports.bundles`).
No user code runs in this process.
"""
