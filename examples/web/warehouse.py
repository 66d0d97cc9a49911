"""The warehouse: a small service that knows prices and stocks. `GET /items/hat` gives `{"stock": 40, "price": 12.5}`."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ITEMS = {"hat": {"stock": 40, "price": 12.5}, "scarf": {"stock": 3, "price": 20.0}}


class Warehouse(BaseHTTPRequestHandler):
    def do_GET(self):
        item = ITEMS.get(self.path.rpartition("/")[2])
        body = json.dumps(item).encode()
        self.send_response(200 if item else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def make_warehouse(port=0):
    return ThreadingHTTPServer(("127.0.0.1", port), Warehouse)


if __name__ == "__main__":
    server = make_warehouse()
    print(f"warehouse on port {server.server_port}", flush=True)
    server.serve_forever()
