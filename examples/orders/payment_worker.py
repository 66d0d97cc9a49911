"""The payment service: takes the money for an order and says so."""

import os
import time

import broker
import database


class PaymentDeclinedError(Exception):
    pass


class PaymentService:
    limit = 1000

    def handle_payment(self, message):
        time.sleep(float(os.environ.get("PAYMENT_SECONDS", "0")))
        self.charge(message["amount"])
        database.execute("UPDATE orders SET payment = ? WHERE id = ?", "paid", message["order_id"])
        broker.publish("payment_complete", {"order_id": message["order_id"]})

    def charge(self, amount):
        if amount > self.limit:
            raise PaymentDeclinedError(f"{amount} is above the limit of {self.limit}")


if __name__ == "__main__":
    broker.consume("payment_needed", PaymentService().handle_payment)
