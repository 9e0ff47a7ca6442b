"""`tradewind standalone | scheduler | api-server | dag-processor | triggerer | agent`: the serving processes."""

from __future__ import annotations

from argparse import Namespace

from tradewind.cli.commandline import Noun
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


@API_SERVER.alone()
def api_server(_given: Namespace) -> int:
    """Run an API server on api.host and api.port: for agents, probes and people."""
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
