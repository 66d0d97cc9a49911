import atexit
import sys


def say(text):
    print(text, "__file__" in globals(), sys.modules["__main__"].__name__)


def fail():
    raise ValueError("at exit")


atexit.register(say, "first registered, last run")
atexit.register(fail)
atexit.register(say, "last registered, first run")
if len(sys.argv) > 1:
    sys.exit(int(sys.argv[1]))
