"""WSGI by the letter (PEP 3333): bodies, closing, file wrappers, start_response, checked by wsgiref's own validator."""

from __future__ import annotations

import io
import wsgiref.util
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest
from recording import Recording, attributes, target

from autotrace.span.context import get_current, set_current
from autotrace.span.site import Site
from autotrace.span.span import Span

Record = Callable[..., Recording]
TARGET = target("here:app", "http.server", protocol="wsgi")


def traced(recording: Recording, app: Any) -> Any:
    return recording.traced(app, TARGET)


def environ(**more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"QUERY_STRING": "", **more}
    wsgiref.util.setup_testing_defaults(made)
    return made


class Closing:
    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def close(self) -> None:
        self.closed += 1


def ignore(status: str, headers: Any, error: Any = None) -> Callable[[bytes], None]:
    return lambda data: None


def answering(body: Any) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    return app


def generated() -> Iterator[bytes]:
    yield b"a"
    yield b"b"


@pytest.mark.parametrize(
    "body", [[b"a", b"b"], Closing([b"a", b"b"]), generated()], ids=["list", "object", "generator"]
)
def test_a_traced_application_keeps_to_the_specification(body: Any, record: Record) -> None:
    recording = record()
    app = validator(traced(recording, validator(answering(body))))
    answer: Any = app(environ(), ignore)
    assert b"".join(answer) == b"ab"
    answer.close()
    assert attributes(recording.only())["http.response.status_code"] == 200


@pytest.mark.parametrize("body", [[b"a"], (b"a",)], ids=["list", "tuple"])
def test_a_list_is_handed_on_as_it_is(body: Any, record: Record) -> None:
    recording = record()
    assert traced(recording, answering(body))(environ(), ignore) is body
    assert recording.only().kind == "server"


def test_a_body_keeps_its_length_and_is_closed_once(record: Record) -> None:
    recording = record()
    body = Closing([b"a", b"b"])
    answer = traced(recording, answering(body))(environ(), ignore)
    assert (len(answer), answer.parts) == (2, body.parts)
    assert list(answer) == [b"a", b"b"]
    assert recording.spans(0) == []
    answer.close()
    assert body.closed == 1
    assert recording.only().kind == "server"


def test_a_body_that_is_never_read_ends_with_its_close(record: Record) -> None:
    recording = record()
    answer = traced(recording, answering(generated()))(environ(), ignore)
    answer.close()
    assert recording.only().details().status == "unset"


def test_a_body_that_breaks_off_is_an_error(record: Record) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise ValueError("half way")

    recording = record()
    answer = traced(recording, answering(broken()))(environ(), ignore)
    assert next(answer) == b"a"
    with pytest.raises(ValueError, match="half way"):
        next(answer)
    answer.close()
    assert attributes(recording.only())["error.type"] == "ValueError"


def test_the_context_is_the_servers_between_two_parts(record: Record) -> None:
    inside: list[Any] = []

    def parts() -> Iterator[bytes]:
        for _ in range(2):
            inside.append(get_current())
            yield b"a"

    recording = record()
    answer = traced(recording, answering(parts()))(environ(), ignore)
    assert get_current() is None
    for _ in answer:
        assert get_current() is None
    answer.close()
    assert inside == [recording.only()] * 2


def test_a_servers_file_wrapper_stays_what_it_is(record: Record) -> None:
    recording = record()
    file = io.BytesIO(b"abc")
    wrapped = wsgiref.util.FileWrapper(file)
    app = traced(recording, answering(wrapped))
    answer = app(environ(**{"wsgi.file_wrapper": wsgiref.util.FileWrapper}), ignore)
    assert answer is wrapped
    assert b"".join(answer) == b"abc"
    assert recording.spans(0) == []
    answer.close()
    assert file.closed
    assert recording.only().kind == "server"


def test_start_response_may_be_called_again_after_an_error(record: Record) -> None:
    import sys

    calls: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            raise ValueError
        except ValueError:
            start_response("500 Oh", [], sys.exc_info())
        return []

    def start(*arguments: Any) -> None:
        calls.append(len(arguments))

    recording = record()
    traced(recording, app)(environ(), start)
    assert calls == [2, 3]
    assert attributes(recording.only())["http.response.status_code"] == 500
    assert recording.only().root.error


def test_an_exception_reaches_the_server_untouched(record: Record) -> None:
    error = ValueError("gone")

    def app(environ: Any, start_response: Any) -> Any:
        raise error

    recording = record()
    with pytest.raises(ValueError) as caught:
        traced(recording, app)(environ(), ignore)
    assert caught.value is error
    assert recording.only().details().status_message == "gone"
    assert get_current() is None


def test_layers_of_one_request_give_one_span(record: Record) -> None:
    recording = record()
    app = traced(recording, traced(recording, answering([])))
    app(environ(), ignore)
    assert recording.only().kind == "server"


def test_a_failure_of_ours_leaves_the_answer_alone(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    monkeypatch.setattr("autotrace.guard.failures", {})
    monkeypatch.setattr("autotrace.conventions.serving.ServerDetail", None)
    recording = record()
    assert traced(recording, answering([b"a"]))(environ(), ignore) == [b"a"]
    assert recording.spans(0) == []


@pytest.mark.parametrize("part", ["wsgi._body_of", "wsgi.WsgiRequest.leave"])
def test_a_failure_of_ours_after_the_call_ends_the_request(
    part: str, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    monkeypatch.setattr("autotrace.guard.failures", {})
    recording = record()
    app = traced(recording, answering(body := Closing([b"a"])))
    monkeypatch.setattr(f"autotrace.conventions.{part}", None)
    outside = get_current()
    assert app(environ(), ignore) is body
    set_current(outside)
    assert attributes(recording.only())["http.response.status_code"] == 200


def test_an_exception_ends_the_request_where_our_own_code_fails(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    monkeypatch.setattr("autotrace.guard.failures", {})

    def failing(environ: Any, start_response: Any) -> Any:
        raise KeyError("gone")

    recording = record()
    app = traced(recording, failing)
    monkeypatch.setattr("autotrace.conventions.wsgi.WsgiRequest.leave", None)
    outside = get_current()
    with pytest.raises(KeyError):
        app(environ(), ignore)
    set_current(outside)
    assert recording.only().root.error


def test_a_trace_that_an_application_leaves_current_stays_in_its_request(record: Record) -> None:
    recording = record()
    site = Site(recording.tracer, "left")
    left: list[Span] = []
    seen: list[object] = []

    def parts() -> Iterator[bytes]:
        seen.append(get_current())
        yield b""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        left.append(recording.tracer.start_remote(site, Span, None))
        set_current(left[0])
        start_response("200 OK", [])
        return parts()

    body = traced(recording, app)(environ(), ignore)
    assert get_current() is None
    assert list(body) == [b""]
    assert (seen, get_current()) == (left, None)
