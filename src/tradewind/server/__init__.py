"""The API server: HTTP in front of commands and reads. Three faces, each keeping its own promise.

- `execution`: what agents say; dated, batched, msgpack, the hot path: plain ASGI.
- `public`: the REST API v2 for people's programs; FastAPI, loaded at its first request, because it is heavy.
- `ui`: what the screens need (to come).

Beside them `health` (probes), `auth` (who is asking), `problems` (errors as responses, in one place), `welcome`
(the page at /). Begin reading at `app_factory.create_api`; `serving.ApiServer` is the service that listens.
"""
