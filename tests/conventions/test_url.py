"""URLs without secrets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotrace.conventions.url import is_secret, redact_query, split


@pytest.mark.parametrize(
    ("url", "full", "host", "port"),
    [
        ("http://a/b?c=1#d", "http://a/b?c=1", "a", 80),
        ("HTTPS://u:p@a:8443/b", "https://REDACTED:REDACTED@a:8443/b", "a", 8443),
        ("https://u:p@ss@a", "https://REDACTED:REDACTED@a", "a", 443),
        ("https://token@a/", "https://REDACTED@a/", "a", 443),
        ("http://[::1]:80/x", "http://[::1]:80/x", "::1", 80),
        ("/only/a/path?token=1", "/only/a/path?token=REDACTED", "", 0),
        ("", "", "", 0),
    ],
)
def test_a_url_loses_its_credentials(url: str, full: str, host: str, port: int) -> None:
    found = split(url)
    assert (found.full, found.host, found.port) == (full, host, port)


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "accessToken",
        "key",
        "api_key",
        "apiKey",
        "api-key",
        "X-Amz-Signature",
        "X-Amz-Date",
        "sig",
        "signature",
        "secret",
        "client_secret",
        "password",
        "pwd",
        "auth",
        "authToken",
        "session_id",
        "sessionid",
        "user[password]",
        "X-Goog-Credential",
        "jwt",
    ],
)
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["page", "author", "monkey", "keyboard", "id", "sign", "design", "passenger", "q"])
def test_a_harmless_name_is_no_secret(name: str) -> None:
    assert not is_secret(name)


def test_an_encoded_name_is_read_decoded() -> None:
    assert redact_query("%74oken=a&b=%20") == "%74oken=REDACTED&b=%20"


@settings(deadline=None, max_examples=60)
@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    assert isinstance(split(text).full, str)
