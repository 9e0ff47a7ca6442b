"""`tradewind standalone | scheduler | api-server | dag-processor | triggerer | agent`: the serving processes."""

from __future__ import annotations

from argparse import Namespace

from tradewind.cli.commandline import Noun, argument
from tradewind.cli.world import settings

STANDALONE = Noun("standalone", "Run everything on this machine")
SCHEDULER = Noun("scheduler", "Run a scheduler")
API_SERVER = Noun("api-server", "Run an API server")
DAG_PROCESSOR = Noun("dag-processor", "Run a DAG file processor")
TRIGGERER = Noun("triggerer", "Run a triggerer, which hosts what deferred tasks wait for")
AGENT = Noun("agent", "Run the agent that executes tasks on this machine")
NOUNS = {noun.name: noun for noun in (STANDALONE, SCHEDULER, API_SERVER, DAG_PROCESSOR, TRIGGERER, AGENT)}


@STANDALONE.alone()
def standalone(_given: Namespace) -> int:
    """Run everything on this machine: scheduler, API server, DAG processor and agent under one parent.

    At the first start it makes the home folder, its keys, the database, the administrator and the example DAGs.
    SIGTERM or Ctrl-C stops everything in order.
    """
    from tradewind.app.standalone.parent import run_standalone

    return run_standalone(settings())


@SCHEDULER.alone()
def scheduler(_given: Namespace) -> int:
    """Run a scheduler. Several may run side by side on PostgreSQL; the others take over what one leaves behind."""
    return _serve("scheduler")


@API_SERVER.alone(
    argument("-H", "--host", help="address to listen on (api.host)"),
    argument("-p", "--port", type=int, help="port to listen on (api.port)"),
    argument("-w", "--workers", type=int, help="server processes (api.workers)"),
    argument("--ssl-cert", help="certificate chain for TLS (api.tls_cert)"),
    argument("--ssl-key", help="its key (api.tls_key)"),
    argument("--proxy-headers", action="store_true", help="believe every proxy (api.trusted_proxies = *)"),
)
def api_server(given: Namespace) -> int:
    """Run an API server on api.host and api.port: for agents, probes and people.

    With several workers SIGHUP replaces them without losing a request.
    """
    import os

    found = {
        "HOST": given.host,
        "PORT": given.port,
        "WORKERS": given.workers,
        "TLS_CERT": given.ssl_cert,
        "TLS_KEY": given.ssl_key,
        "TRUSTED_PROXIES": "*" if given.proxy_headers else None,
    }
    # In the environment, so that workers that are replaced later read the same.
    os.environ.update({f"TRADEWIND__API__{name}": str(value) for name, value in found.items() if value is not None})
    return _serve("api-server")


@DAG_PROCESSOR.alone()
def dag_processor(_given: Namespace) -> int:
    """Run a DAG file processor: it keeps the DAGs in step with the files of core.dags_folder."""
    return _serve("dag-processor")


@TRIGGERER.alone()
def triggerer(_given: Namespace) -> int:
    """Run a triggerer: it hosts the triggers of deferred tasks. Several share them; the others take over what one
    leaves behind."""
    return _serve("triggerer")


@AGENT.alone()
def agent(_given: Namespace) -> int:
    """Run the agent that executes tasks on this machine. It finds the API server at execution.url."""
    return _serve("agent")


def _serve(name: str) -> int:
    from tradewind.app.first_start import make_folders
    from tradewind.app.processes import MAINS

    found = settings()
    make_folders(found)
    return MAINS[name](found)
