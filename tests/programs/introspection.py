import inspect
import logging
import sys

logging.basicConfig(stream=sys.stdout, format="%(name)s %(filename)s:%(lineno)d %(funcName)s %(message)s")


class Service:
    """A service."""

    def create(self, order, *, dry=False):
        """Create an order."""
        logging.warning("creating %s", order)
        return [order, dry]

    @staticmethod
    def check(order: dict) -> bool:
        logging.getLogger("orders").error("checking")
        return bool(order)


def numbers(count=3):
    for number in range(count):
        yield number


print(inspect.getsource(Service), inspect.getsource(numbers), inspect.getsourcelines(Service.create)[1])
print(inspect.signature(Service.create), inspect.signature(numbers), inspect.getfile(Service.check))
print(Service().create({"id": 1}), Service.check({}), list(numbers()), inspect.isgeneratorfunction(numbers))
print(Service.create.__qualname__, Service.create.__module__, Service.create.__doc__, numbers.__defaults__)
print(inspect.getmodule(numbers), numbers.__code__.co_filename, numbers.__code__.co_firstlineno)
print([frame.function for frame in inspect.stack()[:1]])
