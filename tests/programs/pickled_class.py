import copy
import pickle


class Order:
    def __init__(self, number):
        self.number = number

    def total(self):
        return self.number * 2


def price(order):
    return order.total()


data = pickle.dumps([Order(3), Order, price])
order, kind, function = pickle.loads(data)
print(kind is Order, function is price, order.total(), b"__main__" in data, copy.deepcopy(order).number)
