"""What both ends of HTTP share: takes methods and status codes, gives attributes, the span's name and its status.

OpenTelemetry semantic conventions for HTTP spans, stable: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from __future__ import annotations

from autotrace.span.finished import AttributeValue
from autotrace.span.span import Span

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"))


def set_method(attributes: dict[str, AttributeValue], method: str) -> str:
    """Set the method's attributes; give what a span's name says of it: unknown ones are many, so they are all `HTTP`."""
    if method in _METHODS:
        attributes["http.request.method"] = method
        return method
    upper = method.upper()
    known = upper in _METHODS
    attributes["http.request.method"] = upper if known else "_OTHER"
    attributes["http.request.method_original"] = method[:64]
    return upper if known else "HTTP"


def set_status(span: Span, code: int, first_error: int) -> None:
    """Set the status code; from `first_error` on (500 for servers, 400 for clients) the span is in error.

    Only a 5xx makes the trace one to keep: a client's 4xx is often an answer that it expects.
    """
    detail = span.details()
    detail.attributes["http.response.status_code"] = code
    if code < first_error:
        return
    detail.attributes.setdefault("error.type", str(code))
    if detail.status == "unset":
        detail.status = "error"
    if code >= 500:
        span.root.error = True
