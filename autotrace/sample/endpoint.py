"""What sampling rules name: takes a local root, gives its endpoint; takes a rule's text, gives what it matches."""

from __future__ import annotations

import re
from collections.abc import Callable

from autotrace.sample.globs import PIECE, STAR, expression, text_glob
from autotrace.span.detail import Detail
from autotrace.span.span import Span

_METHOD_AND_PATH = re.compile(r"(\S+) (/.*)")
# `{id}` and `{name:path}` are FastAPI's, `<id>` and `<path:name>` Flask's: people paste a route as they read it.
_PART = re.compile(r"(\{[^{}]*\}|<[^<>]*>|\*|\?)")


def endpoint_of(span: Span) -> str:
    """The endpoint of a local root: the name of its span, the very object, or method and path where no route is known (yet).

    `POST /orders/{id}` for an HTTP server, `GET /orders/17` before its route is known or when it has none,
    `pkg.Service/Method` for an RPC server, else the span's name.
    """
    detail = span.detail
    if not isinstance(detail, Detail):
        return span.site.name
    name = detail.name or span.site.name
    if (detail.kind or span.site.kind) != "server":
        return name
    attributes = detail.attributes
    path = attributes.get("url.path")
    if path is None or "http.route" in attributes:
        return name
    said = attributes.get("http.request.method") or span.site.attributes.get("http.request.method")
    method = said or name.partition(" ")[0]
    return f"{method} {path}"


def compile_endpoint(text: str) -> Callable[[str], object]:
    """What tells whether an endpoint is one that `text` names; its answer is true or false.

    In `GET /health*`, `* /orders` and `/orders/{id}` (any method), `*` is any text and `{id}` one part of a path; in
    anything else, a span's name such as `OrderService.*`, `*` is any text and `?` one character.
    """
    if text.startswith("/"):
        text = f"* {text}"
    request = _METHOD_AND_PATH.fullmatch(text)
    if request is None:
        return re.compile(text_glob(text), re.DOTALL).fullmatch
    method, path = request.groups()
    method = r"\S+" if method == "*" else f"(?i:{re.escape(method)})"
    return re.compile(f"{method} {_path_expression(path)}", re.DOTALL).fullmatch


def _path_expression(path: str) -> str:
    return expression([part for text in _PART.split(path) for part in _parts(text)])


def _parts(text: str) -> tuple[str, ...]:
    if text == "*":
        return (STAR,)
    if text == "?":
        return ("[^/]",)
    if _PART.fullmatch(text):
        return (".", STAR) if text.startswith("<path:") or text.endswith(":path}") else (PIECE,)
    return (re.escape(text),)
