"""The shop as a Flask application: one route, one query, one call of the traced function."""

from __future__ import annotations

from flask import Flask

from benchmarks.apps import pricing, stock

app = Flask(__name__)


@app.get("/articles/<int:article_id>")
def read_article(article_id: int) -> dict[str, object]:
    name, price = stock.find_article(article_id)
    return {"name": name, "total": pricing.price_order(price, 2)}
