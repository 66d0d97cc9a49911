"""Signed requests: takes a URL and headers, says whether another header would break the signature.

AWS Signature Version 4 signs every header it lists, and a presigned URL is checked against the request as it was made.
"""

from __future__ import annotations

import re

from autotrace.propagate.carrier import Read

NAMES = ("authorization",)

_SIGNED_QUERY = re.compile(r"[?&](?:[^=&#]*-)?signature=", re.IGNORECASE)
_SIGNED_AUTHORIZATION = ("aws4-", "aws ")


def is_signed(url: str, read: Read) -> bool:
    """Whether a request with this URL and these headers has been signed already."""
    authorization = read("authorization")
    if authorization is not None and authorization.lstrip().lower().startswith(_SIGNED_AUTHORIZATION):
        return True
    return "?" in url and "signature=" in url.lower() and _SIGNED_QUERY.search(url) is not None
