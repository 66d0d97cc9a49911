"""Orders in a SQLite file: what both web applications have in common."""

import sqlite3
from contextlib import closing

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL, price REAL NOT NULL
)
"""


class OutOfStockError(Exception):
    """The warehouse has not enough of an item."""


def prepare(database):
    with closing(connect(database)) as connection, connection:
        connection.execute(SCHEMA)


def connect(database):
    return sqlite3.connect(database, timeout=10)


def total_price(quantity, price):
    discount = 0.9 if quantity >= 10 else 1.0
    return round(quantity * price * discount, 2)


def save(database, item, quantity, price):
    with closing(connect(database)) as connection, connection:
        cursor = connection.execute(
            "INSERT INTO orders (item, quantity, price) VALUES (?, ?, ?)", (item, quantity, price)
        )
        return cursor.lastrowid


def find(database, number):
    with closing(connect(database)) as connection:
        row = connection.execute("SELECT item, quantity, price FROM orders WHERE id = ?", (number,)).fetchone()
    if row is None:
        return None
    item, quantity, price = row
    return {"id": number, "item": item, "quantity": quantity, "price": price}


def check_stock(stock, item, quantity):
    if stock < quantity:
        raise OutOfStockError(f"{stock} {item}s left, {quantity} wanted")
