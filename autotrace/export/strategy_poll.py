"""Asks for the sampling strategies of one service: takes the round of the export thread, gives each answer to the sampler.

`GET <server>?service=<name>`, as Jaeger's agents, collectors and the OpenTelemetry Collector answer it. The export thread
waits for the answer, and only while nobody wants anything else of it: a flush, a fork and the end of the process come first.
"""

from __future__ import annotations

import os
from urllib.parse import quote, urlsplit

from autotrace.errors import ExportError, StrategyError
from autotrace.export.http_connection import ANSWER_LIMIT, Deadline, HttpConnection
from autotrace.export.pipeline import Pipeline
from autotrace.guard import is_from_signal
from autotrace.sample.remote import Remote
from autotrace.span.clock import Clock

_TIMEOUT_NS = 1_000_000_000
_RETRY_NS = 5_000_000_000
_JITTER = 0.1


class StrategyPoll:
    """Polls for `remote` at once, then as often as its settings say, a tenth later at random.

    After the first failure in a row it asks again within five seconds, after the next ones it waits as ever. A fork's child
    has its parent's answer, if there was one, and asks at some time within the first interval.
    """

    def __init__(self, remote: Remote, service: str, pipeline: Pipeline) -> None:
        self._remote = remote
        self._pipeline = pipeline
        self._interval_ns = remote.settings.poll_ns
        self._connection = HttpConnection(remote.settings.server)
        target = self._connection.target
        target += ("&" if urlsplit(target).query else "?") + "service=" + quote(service, "", errors="surrogateescape")
        self._request = self._connection.head("GET", target, "Accept: application/json") + b"Connection: close\r\n\r\n"
        self._reported: set[str] = set()
        self._failures = 0
        self._due = 0
        self._pid = os.getpid()

    def awake(self) -> None:
        """See to it that the export thread asks, at once if this process has not asked before; never waits."""
        self._notice_fork()
        self._pipeline.awake(at_once=not self._due)

    def act(self) -> None:
        """Ask, if it is time; called by the export thread about once a second."""
        self._notice_fork()
        if not self._pipeline.has_time:
            return
        self._remote.is_asked = True
        if Clock.now() < self._due:
            return
        # Where somebody comes first now, it is tried again soon.
        self._due = Clock.now() + min(_RETRY_NS, self._interval_ns)
        try:
            self._ask()
        except Exception as error:
            if is_from_signal(error):
                raise
            if self._pipeline.has_time:
                self._fail(error)
            return
        self._failures = 0
        self._wait_for_next()

    def _ask(self) -> None:
        deadline = Deadline(_TIMEOUT_NS, lambda: not self._pipeline.has_time)
        try:
            answer = self._connection.ask("GET", self._request, deadline)
        finally:
            self._connection.close()
        if len(answer) > ANSWER_LIMIT:
            raise StrategyError(f"the answer has more than {ANSWER_LIMIT} bytes")
        self._remote.receive(answer)

    def _fail(self, error: Exception) -> None:
        """Keep what was answered last, and log the first failure of each kind."""
        self._failures += 1
        if self._failures > 1:
            self._wait_for_next()
        kind = type(error.__cause__ or error).__name__
        if kind in self._reported:
            return
        self._reported.add(kind)
        import logging  # 23 ms that only a failure pays

        place = "" if isinstance(error, ExportError) else f"{self._connection.address}: "
        held = "its last answer holds" if self._remote.is_answered else "[sampler] rate holds"
        logging.getLogger("autotrace").warning("autotrace: no sampling strategies from %s%s; %s", place, error, held)

    def _wait_for_next(self) -> None:
        self._due = Clock.now() + round(self._interval_ns * (1 + _JITTER * _chance()))

    def _notice_fork(self) -> None:
        """Ask at once in a fork's child that knows nothing, and at a time of its own in one that knows something."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._failures = 0
            self._due = Clock.now() + round(self._interval_ns * _chance()) if self._remote.is_answered else 0


def _chance() -> float:
    """A random number from 0 to 1; never of the global `random`, whose numbers are the application's."""
    return int.from_bytes(os.urandom(4), "little") / 0xFFFFFFFF
