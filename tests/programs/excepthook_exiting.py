import sys

sys.excepthook = lambda kind, value, trace: sys.exit(11)
raise ValueError("for the hook")
