import signal
import sys
import time


def stop(number, frame):
    print("stopped by", signal.Signals(number).name, frame.f_code.co_name)
    sys.exit(9)


signal.signal(signal.SIGTERM, stop)


def wait():
    print("ready", flush=True)
    for _ in range(3000):
        time.sleep(0.01)


wait()
