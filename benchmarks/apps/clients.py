"""Clients of HTTP: takes a URL, makes ten calls of it on one connection that stays open, in one trace."""

from __future__ import annotations

from typing import Protocol


class Client(Protocol):
    """A library that makes calls."""

    def call_ten(self, url: str) -> None: ...


class Requests:
    def __init__(self) -> None:
        import requests

        self._session = requests.Session()

    def call_ten(self, url: str) -> None:
        for _ in range(10):
            assert self._session.get(url).content == b"ok"


class Httpx:
    def __init__(self) -> None:
        import httpx

        self._client = httpx.Client()

    def call_ten(self, url: str) -> None:
        for _ in range(10):
            assert self._client.get(url).content == b"ok"


CLIENTS: dict[str, type[Client]] = {"requests": Requests, "httpx": Httpx}
