"""The API gateway: takes orders over HTTP and passes them to the order service."""

import os

import requests
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

app = Flask(__name__)


@app.post("/orders")
def post_order():
    response = requests.post(os.environ["ORDER_SERVICE"] + "/orders", json=request.get_json(), timeout=30)
    return jsonify(response.json()), 202 if response.ok else response.status_code


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "0")), app, threaded=True)
    print(server.port, flush=True)
    server.serve_forever()
