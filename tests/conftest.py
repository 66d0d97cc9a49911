"""What every test needs: failures of autotrace itself are raised, as decided for our own tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def failures_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is swallowed; a test of the swallowing takes the variable away again."""
    monkeypatch.setenv("AUTOTRACE_FAILURES", "raise")
