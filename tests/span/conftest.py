"""Both tracers, for tests of what each of them must do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import two_tracers
from two_tracers import Traced


@pytest.fixture(params=[two_tracers.sdk, two_tracers.autotrace], ids=["sdk", "autotrace"])
def traced(request: pytest.FixtureRequest) -> Iterator[Traced]:
    """The SDK's tracer, then ours: the same test holds for both."""
    with request.param() as made:
        yield made
