"""The shop's HTTP server, whose argument is the broker: takes `POST /orders/<number>`, answers once the order is queued."""

from __future__ import annotations

import socket
import sys
import time

import kombu
import uvicorn
from failing_orders import failure_of
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

QUEUE = "orders"
producer = kombu.Connection(sys.argv[1]).Producer()
queue = kombu.Queue(QUEUE, kombu.Exchange(""), routing_key=QUEUE)


class Orders:
    """What the shop does with an order."""

    def place(self, number: int) -> None:
        """Give the order to the worker."""
        producer.publish({"order": number}, exchange="", routing_key=QUEUE)
        failure = failure_of(number)
        if failure is not None and failure.where == "server":
            time.sleep(failure.seconds)
            raise RuntimeError(f"order {number} is lost")


orders = Orders()


async def place(request: Request) -> Response:
    orders.place(int(request.path_params["number"]))
    return Response(status_code=202)


app = Starlette(routes=[Route("/orders/{number}", place, methods=["POST"])])


def serve() -> None:
    queue(producer.channel).declare()
    # With its protocol named, or asyncio does not switch Nagle's algorithm off, and each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    serve()
