"""A shop whose requests take a tenth of a second of waiting: its connections say how many come in a second."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

WAITING_S = 0.1
PATHS = ("/orders/{number}", "/customers/{number}", "/search", "/cart", "/reports")


async def answer(request: Request) -> PlainTextResponse:
    """Wait, and say so."""
    await asyncio.sleep(WAITING_S)
    return PlainTextResponse("done")


app = Starlette(routes=[Route(path, answer) for path in PATHS])
