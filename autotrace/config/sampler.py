"""The keys of `[sampler]`: takes plain TOML data, gives a checked `Sampler`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from autotrace.config.table import Table
from autotrace.config.values import (
    Array,
    ClassName,
    PerSecond,
    Poll,
    Probability,
    SamplingUrl,
    Scalar,
    Threshold,
    TracedEndpoint,
    key_mistake,
    mistake,
)

SamplerType = Literal["always_on", "always_off", "probabilistic", "rate_limiting", "adaptive", "jaeger_remote"]
Inbound = Literal["trust", "own", "ignore"]

_CHOOSING = ("rate", "per_second", "inbound", "slower_than", "errors")


class Endpoint(Table):
    """A rule of sampling for the endpoints that match."""

    endpoint: TracedEndpoint = Field(
        description='The endpoint or a glob: "POST /orders/{id}", "* /health*", "process payment_*", '
        '"shop.Orders/Create", or a span name.'
    )
    record: bool = Field(
        default=True, description="Whether its traces are recorded; false: not even errors, and at no cost."
    )
    rate: Probability | None = Field(default=None, description="The share of its traces to keep, from 0 to 1.")
    per_second: PerSecond | None = Field(
        default=None,
        description="So many of its traces are kept in each second, on this machine; of the others `rate` decides.",
    )
    inbound: Inbound | None = Field(
        default=None,
        description="What a caller in another process has to say: its decision is followed (trust), its trace goes on "
        "and the decision is ours (own), or a trace of our own starts, linked to the caller's (ignore).",
    )
    slower_than: Threshold | None = Field(
        default=None,
        description='Traces that take longer are kept whatever the rate; "p99" means the slowest hundredth.',
    )
    errors: bool | None = Field(default=None, description="Whether its traces with an error are kept.")

    @field_validator(*_CHOOSING, mode="before")
    @classmethod
    def _check_record(cls, value: Any, known: ValidationInfo) -> Any:
        if value is not None and known.data.get("record") is False:
            found = f"{known.field_name} has no effect where `record = false` leaves no trace"
            raise key_mistake(found, "remove one of the two")
        return value

    @model_validator(mode="after")
    def _check_effect(self) -> Endpoint:
        if self.record and all(getattr(self, key) is None for key in _CHOOSING):
            raise mistake(
                f'the rule for "{self.endpoint}" does nothing', "give it `rate`, `slower_than` or `record = false`"
            )
        return self


class Keep(Table):
    """What is kept although sampling alone would drop it."""

    errors: bool = Field(default=True, description="Whether traces with an error are kept.")
    slower_than: Threshold | None = Field(
        default=None,
        description='Traces that take longer are kept: a duration, or "p99" for the slowest hundredth of each endpoint.',
    )
    ignore: Annotated[tuple[ClassName, ...], Array] = Field(
        default=(),
        description="Classes of exceptions that are no reason to keep a trace, and those derived from them, by their bare "
        'names, such as "KeyError".',
    )
    tags: dict[str, Scalar] = Field(
        default={},
        description='Traces with a span that has such an attribute are kept: tier = "gold"; in text * and ? are globs.',
    )
    per_second: PerSecond = Field(
        default=100,
        description="How many traces of one endpoint a process keeps in a second for these reasons; of more than that "
        "only those that sampling chose.",
    )
    background_per_second: PerSecond = Field(
        default=0,
        description="So many traces of each endpoint are kept in a second although nothing speaks for them, "
        "to compare the others with.",
    )


_SAMPLER_KEYS = {
    "rate": ("probabilistic", "adaptive", "jaeger_remote"),
    "per_second": ("rate_limiting",),
    "target_per_second": ("adaptive",),
    "min_rate": ("adaptive",),
    "min_per_second": ("adaptive",),
    "server": ("jaeger_remote",),
    "poll": ("jaeger_remote",),
}


_NEEDED = {"probabilistic": "rate", "rate_limiting": "per_second"}
_NEEDED_WORDS = {"rate": "a number from 0 to 1", "per_second": "a number of traces"}


class Sampler(Table):
    """Which traces are kept."""

    type: SamplerType | None = Field(
        default=None,
        description='How traces are chosen; default: "probabilistic" when there is a `rate`, else "always_on".',
    )
    rate: Probability | None = Field(
        default=None,
        validate_default=True,  # so that one that is missing is told
        description="The share of traces to keep, from 0 to 1; adaptive: the first guess, default 0.1; jaeger_remote: "
        "until the first answer, default 0.001.",
    )
    per_second: PerSecond | None = Field(
        default=None,
        validate_default=True,  # so that one that is missing is told
        description="rate_limiting: how many traces are kept in a second, by all processes of the service on this "
        "machine together.",
    )
    target_per_second: PerSecond | None = Field(
        default=None,
        description="adaptive: how many traces shall be kept in a second, by all processes of the service on this "
        "machine together, shared among the endpoints; default: 5.",
    )
    min_rate: Probability | None = Field(
        default=None, description="adaptive: the least share of an endpoint's traces to keep; default: 0.00001."
    )
    min_per_second: PerSecond | None = Field(
        default=None,
        description="adaptive: how many traces of each endpoint are kept in a second at least, so that rare ones show; "
        "default: one a minute.",
    )
    server: SamplingUrl | None = Field(
        default=None,
        description='jaeger_remote: who is asked for the rates; default: "http://localhost:5778/sampling".',
    )
    poll: Poll | None = Field(default=None, description='jaeger_remote: how often it is asked; default: "60s".')
    inbound: Inbound = Field(
        default="trust",
        description="What a caller in another process has to say, where no rule says otherwise: its decision is "
        "followed (trust), its trace goes on and the decision is ours (own), or a trace of our own starts, linked to "
        "the caller's (ignore).",
    )
    endpoints: Annotated[tuple[Endpoint, ...], Array] = Field(
        default=(), description="Rules for single endpoints; the first match wins."
    )
    keep: Keep = Field(default=Keep(), description="What is kept although sampling alone would drop it.")

    # Per key rather than for the table, so that all mistakes are found at once, each at its place.
    @field_validator(*_SAMPLER_KEYS, mode="before")
    @classmethod
    def _check_key(cls, value: Any, known: ValidationInfo) -> Any:
        key, kind = known.field_name or "", known.data.get("type", "")
        if value is None:
            if _NEEDED.get(kind) == key:
                raise key_mistake(f'type "{kind}" without `{key}`', f"add `{key}`, {_NEEDED_WORDS[key]}")
            return value
        if kind is None:
            kind = "always_on" if known.data.get("rate", value) is None else "probabilistic"
        kinds = _SAMPLER_KEYS[key]
        if kind and kind not in kinds:
            raise key_mistake(f'{key} has no meaning with type "{kind}"', f'remove it or write type = "{kinds[0]}"')
        return value
