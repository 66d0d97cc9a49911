"""The database of all services: SQLite in a file, or PostgreSQL with DATABASE_URL=postgresql://…"""

import os
import sqlite3

TABLES = """
CREATE TABLE orders (id TEXT PRIMARY KEY, item TEXT, amount REAL, payment TEXT);
CREATE TABLE notifications (order_id TEXT, text TEXT);
"""


def connect():
    url = os.environ["DATABASE_URL"]
    if url.startswith("postgresql:"):
        import psycopg

        return psycopg.connect(url)
    return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)


def execute(statement, *values):
    connection = connect()
    try:
        with connection:
            if not isinstance(connection, sqlite3.Connection):
                statement = statement.replace("?", "%s")
            cursor = connection.cursor()
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def create_tables():
    for statement in TABLES.split(";"):
        if statement.strip():
            execute(statement)
