import sys


def hook(kind, value, trace):
    raise LookupError("in the hook")


sys.excepthook = hook
raise ValueError("for the hook")
