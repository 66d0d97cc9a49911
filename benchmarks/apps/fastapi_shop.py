"""The shop as a FastAPI application: one route, one query, one call of the traced function."""

from __future__ import annotations

from fastapi import FastAPI

from benchmarks.apps import pricing, stock

app = FastAPI()


@app.get("/articles/{article_id}")
async def read_article(article_id: int) -> dict[str, object]:
    name, price = stock.find_article(article_id)
    return {"name": name, "total": pricing.price_order(price, 2)}
