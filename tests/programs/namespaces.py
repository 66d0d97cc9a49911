import sys

print(list(locals()), locals() is globals())


def function(argument, *rest, keyword=None, **named):
    local = argument
    print(locals(), dir())

    def inner():
        return local, sorted(locals())

    return inner()


class Class:
    attribute = 1
    print(sorted(locals()))

    def __secret(self):
        return sorted(locals()), sys._getframe().f_code.co_name

    def method(self):
        __local = self.__secret()
        return sorted(locals()), __local


print(function(1, 2, keyword=3, other=4), Class().method(), sorted(vars(Class)))
print(sorted(name for name in dir() if not name.startswith("__")), list(globals()))
from namespaces import *
