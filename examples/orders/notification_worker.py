"""The notification service: tells the customer that the order is paid."""

import broker
import database


class NotificationService:
    def notify_payment_complete(self, message):
        text = f"order {message['order_id']} is paid"
        database.execute("INSERT INTO notifications (order_id, text) VALUES (?, ?)", message["order_id"], text)


if __name__ == "__main__":
    broker.consume("payment_complete", NotificationService().notify_payment_complete)
