import sys


def fact(number):
    return 1 if number < 2 else number * fact(number - 1)


def endless():
    return endless()


print(fact(300) % 1000007, sys.getrecursionlimit())
try:
    endless()
except RecursionError as error:
    print(type(error).__name__)
