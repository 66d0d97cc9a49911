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
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent


class Service:
    """One program of the example; its output is shown when it ends too early, or at once with VERBOSE set."""

    def __init__(self, program, stdout=None, **variables):
        self.program = program
        self.log = None if "VERBOSE" in os.environ else tempfile.TemporaryFile()  # noqa: SIM115 - open while it runs
        command, environment = [sys.executable, HERE / program], {**os.environ, **variables}
        self.process = subprocess.Popen(command, env=environment, stdout=stdout or self.log, stderr=self.log)

    def check(self):
        if self.process.poll() is not None:
            if self.log is not None:
                self.log.seek(0)
                sys.stderr.write(self.log.read().decode(errors="replace"))
            raise SystemExit(f"{self.program} ended, with {self.process.returncode}")


class Server(Service):
    """A service that listens on a port of its choice, and says on which."""

    def __init__(self, program, **variables):
        super().__init__(program, stdout=subprocess.PIPE, **variables)

    def port(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.check()
        return int(line)


def send(port, number, amount):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"item": f"book {number}", "amount": amount})
    connection.request("POST", "/orders", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    order = json.loads(response.read())
    connection.close()
    return response.status, order["id"]


def wait_for_notifications(count, services):
    import database

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if database.execute("SELECT count(*) FROM notifications")[0][0] >= count:
            return
        for service in services:
            service.check()
        time.sleep(0.1)
    raise SystemExit("the orders did not come through")


def main(orders=5, declined=1):
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/orders.db")
        os.environ.setdefault("BROKER_URL", f"filesystem://{folder}")
        import database

        database.create_tables()
        services = [Service("payment_worker.py"), Service("notification_worker.py")]
        try:
            services.append(order_service := Server("order_service.py"))
            services.append(gateway := Server("gateway.py", ORDER_SERVICE=f"http://127.0.0.1:{order_service.port()}"))
            port = gateway.port()
            amounts = [5000] * declined + [20] * (orders - declined)
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                for status, order in pool.map(send, [port] * orders, range(orders), amounts):
                    print(status, order)
            wait_for_notifications(orders - declined, services)
            time.sleep(float(os.environ.get("GRACE_SECONDS", "1")))
        finally:
            for service in services:
                service.process.send_signal(signal.SIGINT)
            for service in services:
                service.process.wait(30)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
