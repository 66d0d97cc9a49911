"""The order service: saves an order and asks for its payment."""

import os
import uuid

import broker
import database
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

app = Flask(__name__)


class OrderService:
    def create_order(self, order_data):
        order = {"id": uuid.uuid4().hex, **order_data}
        database.execute(
            "INSERT INTO orders (id, item, amount) VALUES (?, ?, ?)", order["id"], order["item"], order["amount"]
        )
        broker.publish("payment_needed", {"order_id": order["id"], "amount": order["amount"]})
        return order


service = OrderService()


@app.post("/orders")
def post_order():
    return jsonify(service.create_order(request.get_json())), 201


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "0")), app, threaded=True)
    print(server.port, flush=True)
    server.serve_forever()
