"""Orders as a Flask application: `flask --app flask_app run`, with WAREHOUSE set to the warehouse's address."""

import os

import orders
import requests
from flask import Flask, abort, jsonify, request

app = Flask(__name__)
app.config["DATABASE"] = os.environ.get("DATABASE", "orders.db")
app.config["WAREHOUSE"] = os.environ.get("WAREHOUSE", "http://127.0.0.1:8001")


def ask_warehouse(item):
    response = requests.get(f"{app.config['WAREHOUSE']}/items/{item}", timeout=5)
    if response.status_code == 404:
        abort(404, f"no such item: {item}")
    return response.json()


@app.post("/orders")
def create_order():
    wanted = request.get_json()
    item = ask_warehouse(wanted["item"])
    orders.check_stock(item["stock"], wanted["item"], wanted["quantity"])
    price = orders.total_price(wanted["quantity"], item["price"])
    number = orders.save(app.config["DATABASE"], wanted["item"], wanted["quantity"], price)
    return jsonify(id=number, price=price), 201


@app.get("/orders/<int:number>")
def show_order(number):
    order = orders.find(app.config["DATABASE"], number)
    return jsonify(order) if order else abort(404)
