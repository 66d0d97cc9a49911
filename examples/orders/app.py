"""Starts the four services, sends orders, waits until all are through, and stops the services.

    python app.py [ORDERS] [DECLINED]

sends ORDERS orders (default 5), of which the first DECLINED (default 1) cannot be paid. With BROKER_URL and DATABASE_URL
set, the services use those; without, files in a temporary folder.
"""

import concurrent.futures
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(program, **variables):
    log = subprocess.DEVNULL if "VERBOSE" not in os.environ else None
    return subprocess.Popen([sys.executable, HERE / program], env={**os.environ, **variables}, stderr=log, stdout=log)


def wait_for_port(port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"nothing listens on port {port}")


def send(port, number, amount):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"item": f"book {number}", "amount": amount})
    connection.request("POST", "/orders", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    order = json.loads(response.read())
    connection.close()
    return response.status, order["id"]


def wait_for_notifications(count):
    import database

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if database.execute("SELECT count(*) FROM notifications")[0][0] >= count:
            return
        time.sleep(0.1)
    raise SystemExit("the orders did not come through")


def main(orders=5, declined=1):
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/orders.db")
        os.environ.setdefault("BROKER_URL", f"filesystem://{folder}")
        import database

        database.create_tables()
        gateway, order_service = free_port(), free_port()
        services = [
            start("gateway.py", PORT=str(gateway), ORDER_SERVICE=f"http://127.0.0.1:{order_service}"),
            start("order_service.py", PORT=str(order_service)),
            start("payment_worker.py"),
            start("notification_worker.py"),
        ]
        try:
            wait_for_port(gateway)
            wait_for_port(order_service)
            amounts = [5000] * declined + [20] * (orders - declined)
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                for status, order in pool.map(send, [gateway] * orders, range(orders), amounts):
                    print(status, order)
            wait_for_notifications(orders - declined)
            time.sleep(float(os.environ.get("GRACE_SECONDS", "1")))
        finally:
            for service in services:
                service.send_signal(signal.SIGINT)
            for service in services:
                service.wait(30)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
