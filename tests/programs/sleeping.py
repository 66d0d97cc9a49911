import time


def wait():
    print("ready", flush=True)
    time.sleep(30)


wait()
