"""Says why there is no trace to show: takes the runs of a store, gives sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autotrace.store.run import Run
from autotrace.view.text import printable

_MOST_UNMATCHED = 10
_MOST_DROPPED = 5


def explain_missing(store: Path) -> str:
    """Why there is nothing when there is no store at all."""
    return (
        f"No run yet: there is no store at {store}.\n"
        "Run the program under tracing first: python -m autotrace app.py (another place: --store PATH or AUTOTRACE_STORE)."
    )


def explain_empty(runs: Sequence[Run], store: Path) -> str:
    """Why a store without a trace is empty: no run, nothing matched, sampled out, or lost on the way here."""
    if not runs:
        return (
            f"No run yet: {store} holds neither a trace nor a run.\nRun the program first: python -m autotrace app.py"
        )
    seen = sum(run.roots_seen for run in runs)
    kept = sum(run.roots_kept for run in runs)
    if not seen:
        return _explain_unmatched(runs)
    if not kept:
        return _explain_sampled_out(runs, seen)
    missing = explain_losses(runs)
    if missing:
        return f"No trace in {store}, though {kept} of {seen} were kept:\n" + "\n".join(missing)
    return (
        f"No trace in {store}, though {kept} of {seen} were kept ({_name(runs[0])}):\n"
        "they went to another exporter, were not written yet, or the store was emptied since."
    )


def explain_losses(runs: Sequence[Run]) -> list[str]:
    """A line for each reason why spans that were kept are missing."""
    dropped, lost = sum(run.dropped for run in runs), sum(run.lost for run in runs)
    latest = next((run for run in runs if run.dropped or run.lost), None)
    if latest is None:
        return []
    reasons = (
        (dropped, "never exported: too many waited ([buffer] memory), or the program ended ([shutdown] timeout)"),
        (lost, "not taken by an exporter that failed"),
    )
    return [f"{count:,} spans were kept, but {reason}; last in {_name(latest)}." for count, reason in reasons if count]


def _explain_unmatched(runs: Sequence[Run]) -> str:
    lines = [f"Nothing was traced: {_name(runs[0])} ran, but no traced place was called."]
    unmatched = list(dict.fromkeys(target for run in runs for target in run.unmatched))
    if unmatched:
        lines.append("These targets never matched:")
        lines.extend(f"  {printable(target)}" for target in unmatched[:_MOST_UNMATCHED])
        if len(unmatched) > _MOST_UNMATCHED:
            lines.append(f"  and {len(unmatched) - _MOST_UNMATCHED} more")
    return "\n".join(lines)


def _explain_sampled_out(runs: Sequence[Run], seen: int) -> str:
    latest = next(run for run in runs if run.roots_seen)
    reasons = [] if latest.rate is None else [f"rate {latest.rate:g}"]
    if latest.rule:
        reasons.append(f"by {printable(latest.rule)}")
    why = f" ({', '.join(reasons)})" if reasons else ""
    lines = [f"Every trace was sampled out: {seen} seen, 0 kept{why}, in {_name(latest)}.", *_explain_endpoints(runs)]
    lines.append(
        "Errors are kept at any rate, unless keep.errors = false; raise the rate under [sampler] to keep more."
    )
    return "\n".join(lines)


def _explain_endpoints(runs: Sequence[Run]) -> list[str]:
    from autotrace.view.endpoints import sum_runs, unused_lines, unused_rules  # what only an empty store needs

    endpoints = sorted(sum_runs(runs), key=lambda one: -one.counts.dropped)
    lines = [f"  {one.counts.dropped} dropped: {printable(one.label)}" for one in endpoints[:_MOST_DROPPED]]
    if len(endpoints) > _MOST_DROPPED:
        lines.append(f"  and {len(endpoints) - _MOST_DROPPED} more; autotrace traces --endpoints")
    return [*lines, *(f"  {line}" for line in unused_lines(unused_rules(runs), endpoints)[:_MOST_UNMATCHED])]


def _name(run: Run) -> str:
    return f"`{printable(run.command)}` (pid {run.pid}, {printable(run.service)})"
