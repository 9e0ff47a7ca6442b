"""Secrets that are kept elsewhere: backends that are asked for connections and variables before the server is.

`chain` makes the backends that secrets.backend names, `host` is the process they live in (its code may come from
providers, so neither the agent nor a server imports it), `client` is the agent's side of it, with a cache.
Each backend is a file.
"""
