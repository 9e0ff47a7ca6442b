"""The public face: the REST API v2, with the shapes of Airflow's. Loaded at its first request (`door`).

A request goes one way: a route in the file of its noun authorises (`caller.Call`, over `server.auth.choke`), asks a
command or a list, and renders (`views_*`, shapes in `models/`). Begin reading at `pools.py`, which is whole and short.

- `office`: what handlers work with; `facts`: what lists show of DAG documents, kept per version.
- `paging`: parameters become an `Ask` (`ports.reads`), what was found becomes numbers and cursors; `bulk`: many changes
  in one request; `negotiation`: forms of answers, `ETag` and `If-Match`.
- `refusals`, `description`: what the contract says beside what FastAPI reads from the routes.

Lists are answered by one engine, `store.read.listing`; what can be filtered and ordered stands in
`store.read.api_lists`. The contract is `contracts/openapi.json`, made by `server.contract`.
"""
