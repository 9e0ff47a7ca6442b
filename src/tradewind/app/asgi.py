"""The API as an application for other servers: `uvicorn --factory tradewind.app.asgi:create`, or
`gunicorn -k uvicorn_worker.UvicornWorker 'tradewind.app.asgi:create()'`.

Schema, keys and administrator must be there: run `tradewind db migrate` and start `tradewind api-server` once before.
"""

from __future__ import annotations

import atexit

from tradewind.app.processes import make_api
from tradewind.kernel.settings import load_settings
from tradewind.server.app_factory import Api


def create() -> Api:
    """The application over the installation that the environment names (TRADEWIND_HOME)."""
    api, close = make_api(load_settings())
    atexit.register(close)
    atexit.register(api.close)
    return api
