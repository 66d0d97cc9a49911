"""What is said at the end of a traced program: takes what was matched and kept, gives lines for stderr."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from autotrace.plan.pattern import compile_pattern
from autotrace.plan.target import Target
from autotrace.sample.counts import UnusedRule
from autotrace.sample.endpoint import compile_endpoint
from autotrace.span.endpoint_counts import EndpointCounts

_AGENTS = {
    "ddtrace": "ddtrace is active too: where it has put its traceparent in, that one goes out and our trace ends",
    "newrelic.agent": "newrelic is active too: our traceparent goes out, and New Relic's own trace ends at that request",
}
_EXPORTERS = {"StoreWriter": "sqlite", "OtlpExporter": "otlp", "JaegerExporter": "jaeger"}
_UNITS = ("B", "KB", "MB", "GB")
_NEAR = 0.8
_MOST_LINES = 10
_LOOKED_AT = 200
_INTEGRATED = frozenset(("fastapi", "flask", "httpx", "psycopg", "redis", "requests", "sqlite3", "starlette"))


def unmatched_lines(unmatched: Iterable[tuple[Target, str]], modules: Iterable[str]) -> list[str]:
    """A line for each target that never matched: its place in the file, what was found, what would be right."""
    loaded = sorted(modules)
    lines = []
    for target, problem in unmatched:
        reason = problem or _reason(target.module, target.qualname, loaded)
        lines.append(f'{target.origin}: target "{target.at}" never matched: {reason}')
    return lines


def fallback_lines(fallbacks: Mapping[str, str]) -> list[str]:
    """A line for each function that could not be woven and was patched instead, with the compiler's reason."""
    return [f"{place} cannot be woven, so it is patched: {reason}" for place, reason in fallbacks.items()]


def limited_lines(limited: Mapping[str, int]) -> list[str]:
    """A line for each function that was called too often, with how many of its calls left no span, and the ways out."""
    return [
        f"{place} is called so often that {calls} calls left no span (autotrace.dropped_spans of their traces); leave it "
        f'out ("!{place.rpartition(".")[2]}" in methods), or record only slow calls (min_duration)'
        for place, calls in limited.items()
    ]


def overflow_lines(roots: int, spans: int, memory: int, span_limit: int) -> list[str]:
    """A line if spans, of `roots` whole local roots, waited for the exporters in vain; `memory` is in bytes."""
    if not spans:
        return []
    what = f"{roots:,} trace{'s' * (roots != 1)}, {spans:,} spans in all," if roots else f"{spans:,} spans"
    limits = f'[buffer] memory = "{_size(memory)}", and at most {span_limit:,} spans'
    return [f"{what} were kept but never exported: the queue was full ({limits})"]


def lost_lines(lost: Mapping[str, int]) -> list[str]:
    """A line for each exporter, by its class, that failed to take spans."""
    return [
        f"{spans:,} spans were kept, but the exporter {_EXPORTERS.get(exporter, exporter)} failed to take them"
        for exporter, spans in sorted(lost.items())
    ]


def _size(count: int) -> str:
    """Bytes as the file may say them."""
    unit = 0
    while count and count % 1024 == 0 and unit < len(_UNITS) - 1:
        count //= 1024
        unit += 1
    return f"{count}{_UNITS[unit]}"


def keep_limit_lines(endpoints: Sequence[EndpointCounts]) -> list[str]:
    """A line for each endpoint of which there was a reason to keep more traces than `keep.per_second` allows."""
    limited = [one for one in endpoints if one.limited]
    lines = [f'keep.per_second dropped {one.limited} traces of "{one.endpoint}"' for one in limited[:_MOST_LINES]]
    if len(limited) > _MOST_LINES:
        rest = limited[_MOST_LINES:]
        lines.append(f"keep.per_second dropped {sum(one.limited for one in rest)} traces of {len(rest)} more endpoints")
    return lines


def unused_rule_lines(unused: Sequence[UnusedRule], endpoints: Sequence[EndpointCounts]) -> list[str]:
    """A line for each rule without a hit: its place in the file, what it names, what would be right."""
    lines = [
        f'{rule.origin}: the rule for "{rule.endpoint}" {met_no_endpoint(rule.endpoint, endpoints)}'
        for rule in unused[:_MOST_LINES]
    ]
    if len(unused) > _MOST_LINES:
        lines.append(f"{len(unused) - _MOST_LINES} more rules met no endpoint")
    return lines


def met_no_endpoint(rule: str, endpoints: Sequence[EndpointCounts]) -> str:
    """What is said of a rule without a hit, given the endpoints that were seen: an earlier rule's, or near names."""
    matches = compile_endpoint(rule)
    endpoints = endpoints[:_LOOKED_AT]
    for one in endpoints:
        if one.rule.startswith("[[") and matches(one.endpoint):
            return f'met no endpoint; "{one.endpoint}" met an earlier one: {one.rule}'
    nearest = _nearest(rule, [one.endpoint for one in endpoints if _may_be_near(rule, one.endpoint)])
    return "met no endpoint" + (f'; did you mean "{nearest[0]}"?' if nearest else "")


def agent_lines(modules: Iterable[str]) -> list[str]:
    """A line for each other tracer in the process that shares requests with us: who does what, and the way out."""
    names = frozenset(modules)
    lines = [line for agent, line in _AGENTS.items() if agent in names]
    for name in sorted(names):
        library = name.removeprefix("opentelemetry.instrumentation.")
        if library in _INTEGRATED and library != name:
            lines.append(
                f"{name} is active too, so calls of {library} are recorded twice; its traceparent goes out: leave one out"
            )
    return lines


def end_line(kept: int, seen: int, store: str | None, others: Sequence[str] = ()) -> str:
    """The one line that says where to look: in the local store, if spans go there, and in `others`."""
    traces = "1 trace" if kept == 1 else f"{kept} traces"
    places = ", ".join([*([] if store is None else [_shortest(store)]), *dict.fromkeys(others)])
    return f"{traces} ({kept} kept of {seen}) -> {places}{'' if store is None else '; autotrace show'}"


def _shortest(path: str) -> str:
    return path.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118 - pathlib costs every start 5 ms


def _reason(module: str, qualname: str, loaded: Sequence[str]) -> str:
    pattern = compile_pattern(module)
    if any(pattern.matches(name) for name in loaded):
        return f'{module} has no function that matches "{qualname}"'
    nearest = _nearest(module, [name for name in loaded if _may_be_near(module, name)])
    hint = f'; did you mean "{nearest[0]}"?' if nearest else ""
    return f"module {module} was never imported{hint}"


def _nearest(name: str, candidates: Sequence[str]) -> list[str]:
    if not candidates:
        return []
    import difflib  # with what it imports 5 ms of each end of a process that has not imported all that it may

    return difflib.get_close_matches(name, candidates, n=1, cutoff=_NEAR)


def _may_be_near(name: str, other: str) -> bool:
    """False where difflib finds less than that in common: it cannot find more than the letters that both have."""
    needed = _NEAR * (len(name) + len(other))
    if 2 * min(len(name), len(other)) < needed:
        return False
    return 2 * sum(min(name.count(letter), other.count(letter)) for letter in set(name)) >= needed
