import sys


def stop():
    sys.exit(3)


print("before")
stop()
