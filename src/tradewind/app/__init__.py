"""Where sockets meet plugs: the only room that knows every adapter.

- `plugs` opens what settings name: the database, the vault, passwords, tokens.
- `first_start` makes what an installation needs before anything runs.
- `processes` are the mains of the serving processes; each returns an exit code.
- `standalone` runs all of them under one parent.

Nothing is imported here: each process loads only what it needs.
"""
