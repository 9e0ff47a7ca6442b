"""One function per intention of a person, the API or a worker.

A command takes an open transaction (the caller opens and closes it in one visible block), the present instant and plain
values; it checks, decides with `domain` and writes. It raises errors of `wire.errors` that a person can read. It knows
no HTTP and no SQL.
"""
