"""Caller, `inbound` and rule: the designed decision for each of their combinations."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest
from deciding import Deciding, rule

from autotrace.plan.plan import EndpointRule, SamplerSettings
from autotrace.span.remote import RemoteParent

CALLERS = {
    "none": None,
    "sampled": RemoteParent(7, 8, True),
    "unsampled": RemoteParent(7, 8, False),
    "unknown": RemoteParent(7, 8, None),
}


class Case(NamedTuple):
    """A rule, or None; the rate of the sampler; how many traces have used the rule's `per_second` up before."""

    rule: EndpointRule | None
    default: float = 0.0
    before: int = 0


CASES = {
    "rate 0": Case(rule("work", 0.0), 1.0),
    "rate 1": Case(rule("work", 1.0), 0.0),
    "no rule, default 0": Case(None, 0.0),
    "no rule, default 1": Case(None, 1.0),
    "rule without a rate, default 0": Case(rule("work", errors=True), 0.0),
    "rule without a rate, default 1": Case(rule("work", errors=True), 1.0),
    "per_second": Case(rule("work", per_second=1.0), 0.0),
    "per_second, used up": Case(rule("work", per_second=1.0), 1.0, 1),
    "per_second, rate 0": Case(rule("work", 0.0, per_second=1.0), 1.0),
    "per_second, rate 0, used up": Case(rule("work", 0.0, per_second=1.0), 1.0, 1),
    "per_second, rate 1, used up": Case(rule("work", 1.0, per_second=1.0), 0.0, 1),
}

# Where nobody else has decided: the rule, else the sampler.
OURS = {
    "rate 0": False,
    "rate 1": True,
    "no rule, default 0": False,
    "no rule, default 1": True,
    "rule without a rate, default 0": False,
    "rule without a rate, default 1": True,
    "per_second": True,
    "per_second, used up": False,
    "per_second, rate 0": True,
    "per_second, rate 0, used up": False,
    "per_second, rate 1, used up": True,
}
SAMPLED = dict.fromkeys(OURS, True)
UNSAMPLED = dict.fromkeys(OURS, False)
TABLE = {
    ("trust", "none"): OURS,
    ("trust", "sampled"): SAMPLED,
    ("trust", "unsampled"): UNSAMPLED,
    ("trust", "unknown"): OURS,
    ("own", "none"): OURS,
    ("own", "sampled"): OURS,
    ("own", "unsampled"): OURS,
    ("own", "unknown"): OURS,
    ("ignore", "none"): OURS,
    ("ignore", "sampled"): OURS,
    ("ignore", "unsampled"): OURS,
    ("ignore", "unknown"): OURS,
}


@pytest.mark.parametrize("inbound_of", ["sampler", "rule"])
@pytest.mark.parametrize(("inbound", "caller", "case"), [(*row, case) for row, case in product(TABLE, CASES)])
def test_caller_inbound_and_rule_decide_as_designed(inbound: str, caller: str, case: str, inbound_of: str) -> None:
    entry, default, before = CASES[case]
    settings = SamplerSettings(type="probabilistic", rate=default, inbound=inbound)
    if inbound_of == "rule":
        # What the rule says goes before what the sampler says.
        settings = settings._replace(inbound="trust" if inbound == "own" else "own")
        entry = (entry or rule("work"))._replace(inbound=inbound)
    process = Deciding(settings._replace(endpoints=() if entry is None else (entry,)))
    for _ in range(before):
        process.run()
    root = process.run(remote=CALLERS[caller])
    assert root.sampled is root.verdict is TABLE[inbound, caller][case]
    # The trace goes on unless the caller is ignored, and then it is linked.
    goes_on = caller != "none" and inbound != "ignore"
    assert (root.trace_id == 7) is goes_on
    assert [link.trace_id for link in root.links] == ([7] if inbound == "ignore" and caller != "none" else [])
