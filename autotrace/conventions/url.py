"""URLs without secrets: takes a URL or a query, gives it with credentials and secret-looking values redacted."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_plus

URL_LIMIT = 4096
REDACTED = "REDACTED"

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*)([^?#]*)(?:\?([^#]*))?")
_ORIGIN = re.compile(r"([^:]*)://(?:(.*)@)?(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?(.*)", re.DOTALL)
_PAIR = re.compile(r"([^&;=]*)=([^&;]*)")
_NAME = re.compile(r"([^&;=]*)=")
_NAME_LIMIT = 64
_REMEMBERED_LIMIT = 256
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
    # What may hold a secret is not remembered.
    if len(text) > _REMEMBERED_LIMIT or "?" in text or "@" in text or "#" in text:
        return _split(text)
    return _split_remembered(text)


def _split(text: str) -> Url:
    text = text[:URL_LIMIT]
    match = _URL.match(text)
    if match is None:
        return Url(redact_relative(text), "", "", 0)
    origin, path, query = match.groups()
    shown, scheme, host, port = (_split_origin.__wrapped__ if "@" in origin else _split_origin)(origin)
    full = f"{shown}{path}?{redact_query(query)}" if query else shown + path
    return Url(full, scheme, host, port)


_split_remembered = lru_cache(maxsize=256)(_split)


@lru_cache(maxsize=256)
def _split_origin(origin: str) -> Url:
    """The parts of a URL up to its path."""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return Url(origin, "", "", 0)
    scheme, credentials, host, port, rest = match.groups()
    scheme = scheme.lower()
    full = scheme + "://"
    if credentials is not None:
        full += f"{REDACTED}:{REDACTED}@" if ":" in credentials else f"{REDACTED}@"
    full += host + (f":{port}" if port else "") + rest
    number = int(port) if port else {"http": 80, "https": 443}.get(scheme, 0)
    return Url(full, scheme, host.strip("[]"), number)


def redact_relative(text: str) -> str:
    """A URL without a host: its query redacted, its fragment left out."""
    path, mark, query = text.partition("#")[0].partition("?")
    return path.rpartition("@")[2] + mark + redact_query(query)


def redact_query(query: str) -> str:
    """A query whose secret-looking values are replaced by REDACTED."""
    query = query[:URL_LIMIT]
    if not any(_is_secret(name) for name in _NAME.findall(query)):
        return query
    return _PAIR.sub(_redact_pair, query)


def is_secret(name: str) -> bool:
    """Whether the value of a parameter of this name is a secret: by its words, so that `author` and `monkey` are none."""
    lowered = name.lower()
    if lowered.startswith(_SECRET_BEGINNINGS) or lowered.endswith(_SECRET_ENDINGS):
        return True
    return any(word.lower() in _SECRET_WORDS for word in _WORDS.findall(name))


def _is_secret(name: str) -> bool:
    return _is_known_secret(name) if len(name) <= _NAME_LIMIT else is_secret(unquote_plus(name))


@lru_cache(maxsize=1024)
def _is_known_secret(name: str) -> bool:
    return is_secret(unquote_plus(name))


def _redact_pair(match: re.Match[str]) -> str:
    name, value = match.groups()
    return f"{name}={REDACTED}" if value and _is_secret(name) else match[0]
