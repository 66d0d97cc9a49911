"""URLs without secrets: takes a URL or a query, gives it with credentials and secret-looking values redacted."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_plus

URL_LIMIT = 4096
REDACTED = "REDACTED"

_URL = re.compile(
    r"([A-Za-z][A-Za-z0-9+.\-]*)://(?:([^/?#]*)@)?(\[[^\]/?#]*\]|[^:/?#]*)(?::(\d{1,5}))?([^?#]*)(?:\?([^#]*))?"
)
_PAIR = re.compile(r"([^&;=]*)=([^&;]*)")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    (
        *("token", "tokens", "key", "keys", "apikey", "accesskey", "secret", "secrets", "jwt", "bearer", "assertion"),
        *("password", "passwd", "passphrase", "pwd", "pass", "otp", "credential", "credentials"),
        *("sig", "signature", "auth", "authorization", "oauth", "session", "sessionid", "sid", "cookie"),
    )
)
_SECRET_ENDINGS = ("token", "secret", "password", "passwd", "signature", "apikey", "accesskey", "credential")
_SECRET_BEGINNINGS = ("x-amz-", "x-goog-", "x-ms-")


class Url(NamedTuple):
    """The parts of a URL that attributes name; `full` is redacted, `port` is 0 if it is none."""

    full: str
    scheme: str
    host: str
    port: int


def split(text: str) -> Url:
    """The parts of an absolute URL, without secrets; what is no URL has only its redacted text."""
    text = text[:URL_LIMIT]
    match = _URL.match(text)
    if match is None:
        return Url(redact_relative(text), "", "", 0)
    scheme, credentials, host, port, path, query = match.groups()
    scheme = scheme.lower()
    full = scheme + "://"
    if credentials is not None:
        full += f"{REDACTED}:{REDACTED}@" if ":" in credentials else f"{REDACTED}@"
    full += host + (f":{port}" if port else "") + path
    if query:
        full += "?" + redact_query(query)
    number = int(port) if port else {"http": 80, "https": 443}.get(scheme, 0)
    return Url(full, scheme, host.strip("[]"), number)


def redact_relative(text: str) -> str:
    """A URL without a host: its query redacted, its fragment left out."""
    path, mark, query = text.partition("#")[0].partition("?")
    return path.rpartition("@")[2] + mark + redact_query(query)


def redact_query(query: str) -> str:
    """A query whose secret-looking values are replaced by REDACTED."""
    return _PAIR.sub(_redact_pair, query[:URL_LIMIT])


def is_secret(name: str) -> bool:
    """Whether the value of a parameter of this name is a secret: by its words, so that `author` and `monkey` are none."""
    lowered = name.lower()
    if lowered.startswith(_SECRET_BEGINNINGS) or lowered.endswith(_SECRET_ENDINGS):
        return True
    return any(word.lower() in _SECRET_WORDS for word in _WORDS.findall(name))


def _redact_pair(match: re.Match[str]) -> str:
    name, value = match.groups()
    return f"{name}={REDACTED}" if value and is_secret(unquote_plus(name)) else match[0]
