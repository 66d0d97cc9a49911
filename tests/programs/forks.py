import os
import sys


def child():
    print("in the child", flush=True)
    raise SystemExit(7)


pid = os.fork()
if pid == 0:
    child()
print("child ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
sys.exit(4)
