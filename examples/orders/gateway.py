"""The API gateway: takes orders over HTTP and passes them to the order service."""

import os

import requests
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/orders")
def post_order():
    response = requests.post(os.environ["ORDER_SERVICE"] + "/orders", json=request.get_json(), timeout=30)
    return jsonify(response.json()), 202 if response.ok else response.status_code


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
