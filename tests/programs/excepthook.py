import atexit
import sys
import traceback


def hook(kind, value, trace):
    print("hook:", kind.__name__, value, [entry.name for entry in traceback.extract_tb(trace)])
    print(sys.excepthook is hook, value.__traceback__ is trace, sys.last_traceback is trace, sys.last_value is value)


def last():
    print(sys.last_type, [entry.name for entry in traceback.extract_tb(sys.last_traceback)], sys.excepthook is hook)


def fail():
    raise ValueError("for the hook")


sys.excepthook = hook
atexit.register(last)
fail()
