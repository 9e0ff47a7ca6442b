"""`POST /auth/token`: user name and password for a bearer token; `/auth/token/cli` for one that ends sooner."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tradewind.commands.users import password_mark

from .checks import PasswordChecks
from .gate import Tokens


def routes(checks: PasswordChecks, tokens: Tokens, cli_seconds: int) -> list[Route]:
    """Where bearer tokens are given out. `cli_seconds`: how long one of `/auth/token/cli` is valid."""

    async def give_token(request: Request) -> Response:
        return await give(request, tokens.seconds)

    async def give_cli_token(request: Request) -> Response:
        return await give(request, cli_seconds)

    async def give(request: Request, seconds: int) -> Response:
        user = await checks.user_of(request)
        token = tokens.issue(user.username, password_mark(user), seconds)
        return JSONResponse({"access_token": token, "token_type": "bearer", "expires_in": seconds}, 201)

    return [
        Route("/auth/token", give_token, methods=["POST"]),
        Route("/auth/token/cli", give_cli_token, methods=["POST"]),
    ]
