"""Who is sent baggage: takes a host and the globs of `propagation.baggage_hosts`, says whether it is one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1", "[::1]")


def takes_baggage(host: str, own: Sequence[str]) -> bool:
    """Whether `host` is this machine or one that `own` names.

    Baggage holds what callers wrote into it (users, tenants), so third parties get none (W3C Baggage, section 4).
    """
    name = host.lower()
    return name in _THIS_MACHINE or any(fnmatchcase(name, pattern.lower()) for pattern in own)
