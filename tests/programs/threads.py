import sys
import threading
import time


def stop():
    sys.exit(5)


def fail():
    raise ValueError("in a thread")


def last():
    threading.main_thread().join()
    print("after the main thread", flush=True)


for function in (stop, fail):
    thread = threading.Thread(target=function, name=f"thread of {function.__name__}")
    thread.start()
    thread.join()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
threading.Thread(target=last).start()
print("main ends", threading.current_thread() is threading.main_thread(), threading.active_count())
