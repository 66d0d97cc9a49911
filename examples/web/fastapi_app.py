"""Orders as a FastAPI application: `uvicorn fastapi_app:app`, with WAREHOUSE set to the warehouse's address."""

import os

import httpx
import orders
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
app.state.database = os.environ.get("DATABASE", "orders.db")
app.state.warehouse = os.environ.get("WAREHOUSE", "http://127.0.0.1:8001")


class Wanted(BaseModel):
    item: str
    quantity: int


async def ask_warehouse(item):
    async with httpx.AsyncClient(timeout=5) as client:
        response = await client.get(f"{app.state.warehouse}/items/{item}")
    if response.status_code == 404:
        raise HTTPException(404, f"no such item: {item}")
    return response.json()


@app.post("/orders", status_code=201)
async def create_order(wanted: Wanted):
    item = await ask_warehouse(wanted.item)
    orders.check_stock(item["stock"], wanted.item, wanted.quantity)
    price = orders.total_price(wanted.quantity, item["price"])
    number = orders.save(app.state.database, wanted.item, wanted.quantity, price)
    return {"id": number, "price": price}


@app.get("/orders/{number}")
def show_order(number: int):
    order = orders.find(app.state.database, number)
    if order is None:
        raise HTTPException(404)
    return order
