"""Runs the shop for a moment: the warehouse, the web application, three orders of which the last one fails.

`python demo.py` takes the Flask application, `python demo.py fastapi` the other one.
"""

import logging
import os
import socket
import sys
import tempfile
import threading
import time

import orders
import requests
from warehouse import make_warehouse

WANTED = [("hat", 2), ("hat", 12), ("scarf", 5)]


def start(serve):
    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def flask_server():
    from flask_app import app
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = start(server.serve_forever)

    def stop():
        server.shutdown()
        thread.join()
        server.server_close()

    return server.server_port, stop


def fastapi_server():
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config("fastapi_app:app", log_level="critical"))
    thread = start(lambda: server.run(sockets=[listener]))
    while not server.started:
        time.sleep(0.01)

    def stop():
        server.should_exit = True
        thread.join()
        listener.close()

    return listener.getsockname()[1], stop


def order(address, item, quantity):
    response = requests.post(f"{address}/orders", json={"item": item, "quantity": quantity}, timeout=10)
    outcome = response.json() if response.ok else "failed"
    print(f"{quantity} {item}s: {response.status_code} {outcome}")
    if response.ok:
        requests.get(f"{address}/orders/{outcome['id']}", timeout=10)


def main(framework="flask"):
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        warehouse = make_warehouse()
        shelf = start(warehouse.serve_forever)
        os.environ["DATABASE"] = f"{folder}/orders.db"
        os.environ["WAREHOUSE"] = f"http://127.0.0.1:{warehouse.server_port}"
        orders.prepare(os.environ["DATABASE"])
        port, stop = fastapi_server() if framework == "fastapi" else flask_server()
        try:
            for item, quantity in WANTED:
                order(f"http://127.0.0.1:{port}", item, quantity)
        finally:
            stop()
            warehouse.shutdown()
            shelf.join()
            warehouse.server_close()


if __name__ == "__main__":
    main(*sys.argv[1:])
