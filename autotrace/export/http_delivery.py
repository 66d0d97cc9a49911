"""One HTTP endpoint: takes bodies, posts each within a deadline; raises unless the answer is a 2xx."""

from __future__ import annotations

from autotrace.export.http_connection import Deadline, HttpConnection


class HttpDelivery:
    """Posts to `endpoint`, an http or https URL that may hold a user and password; each request may take `timeout_ns`."""

    def __init__(self, endpoint: str, content_type: str, timeout_ns: int) -> None:
        self._connection = HttpConnection(endpoint)
        self._head = self._connection.head("POST", self._connection.target, f"Content-Type: {content_type}")
        self._timeout_ns = timeout_ns

    def post(self, body: bytes) -> None:
        """Send `body`. Raises ExportError with the address and the reason; never sends anything twice."""
        self._exchange(body, Deadline(self._timeout_ns))

    def close(self) -> None:
        """Close the connection; a later body opens another."""
        self._connection.close()

    def _exchange(self, body: bytes, deadline: Deadline) -> None:
        self._connection.ask("POST", b"%sContent-Length: %d\r\n\r\n" % (self._head, len(body)) + body, deadline)
