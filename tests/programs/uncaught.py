class Refused(Exception):
    """An order that was refused."""


def check(order):
    if order["amount"] < 0:
        raise Refused(f"order {order['id']}: {order['amount']}")


def create(order):
    check(order)


create({"id": 7, "amount": -1})
