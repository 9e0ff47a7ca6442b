"""The page at /: what runs here and where to go on. No assets, no script; the screens take its place."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tradewind import __version__
from tradewind.kernel.settings import Settings

from .health import HEALTHY, HealthReader

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tradewind</title></head>
<body>
<h1>Tradewind {version}</h1>
<p>This is the API server. It is <strong>{status}</strong>.</p>
<table>
<caption>Components</caption>
<thead><tr><th scope="col">Component</th><th scope="col">Status</th><th scope="col">Latest heartbeat</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<ul>
<li>DAG files belong into <code>{dags_folder}</code></li>
<li><code>tradewind dags list</code> shows what was found there, <code>tradewind dags trigger DAG_ID --wait</code>
runs it</li>
<li><a href="/health/ready">/health/ready</a> answers 200 when all of this works</li>
<li><code>POST /auth/token</code> with username and password gives a bearer token for the API under
<code>/api/v2</code></li>
</ul>
</body>
</html>
"""


def routes(reader: HealthReader, settings: Settings) -> list[Route]:
    """`/`."""

    async def welcome(request: Request) -> Response:
        health = await reader.read()
        rows = [_row("database", HEALTHY if health.problem is None else health.problem, "")]
        for kind, found in health.components.items():
            beat = found.latest_heartbeat.isoformat(timespec="seconds") if found.latest_heartbeat else "never"
            rows.append(_row(kind, found.status, beat))
        # Where files lie is told to people on this machine only.
        local = request.client is not None and request.client.host in {"127.0.0.1", "::1"}
        page = _PAGE.format(
            version=escape(__version__),
            status="ready" if health.ready else "not ready",
            rows="\n".join(rows),
            dags_folder=escape(str(settings.core.dags_folder)) if local else "core.dags_folder",
        )
        return HTMLResponse(page)

    return [Route("/", welcome)]


def _row(name: str, status: str, beat: str) -> str:
    return f'<tr><th scope="row">{escape(name)}</th><td>{escape(status)}</td><td>{escape(beat)}</td></tr>'
