"""The network namespace of a run: takes the command line, gives the same run with loopback as its only interface.

Tracers look up collectors, cloud metadata and their makers; a measured one must reach nobody.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

_MARK = "BENCHMARKS_ISOLATED"
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1  # linux/sockios.h, linux/if.h


def enter(arguments: Sequence[str]) -> bool:
    """Run this program again within a namespace of its own; whether this process already is that run.

    Returns False where namespaces are not to be had: the run then has the network that it has.
    """
    if os.environ.get(_MARK) == "1":
        _raise_loopback()
        return True
    unshare = shutil.which("unshare")
    for options in (("-n",), ("-rn",)):
        if unshare is not None and subprocess.run([unshare, *options, "true"], capture_output=True).returncode == 0:
            os.environ[_MARK] = "1"
            sys.stderr.flush()
            os.execv(unshare, [unshare, *options, sys.executable, "-m", "benchmarks", *arguments])
    return False


def _raise_loopback() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(asking, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(asking, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))
