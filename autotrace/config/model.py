"""Every key of the file: takes plain TOML data, gives a checked `Config`; the schema is generated from here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from autotrace.config.sampler import Sampler
from autotrace.config.table import Table
from autotrace.config.units import duration_ns
from autotrace.config.values import (
    Array,
    Duration,
    EndpointUrl,
    FunctionPlace,
    MethodPattern,
    ModuleOrPlace,
    Size,
    Text,
    check_path,
    key_mistake,
    mistake,
)

How = Literal["auto", "weave", "patch", "off"]
ConventionName = Literal[
    "function",
    "http.client",
    "http.server",
    "http.route",
    "messaging.send",
    "messaging.process",
    "messaging.poll",
    "handoff",
    "db.query",
    "db.connection",
]
ExporterType = Literal["sqlite", "jaeger", "otlp"]
Format = Literal["tracecontext", "baggage", "x-trace"]

Methods = Annotated[tuple[MethodPattern, ...], Array, Field(min_length=1)]


class Service(Table):
    """A named group of functions of your own code."""

    at: ModuleOrPlace = Field(
        description='The place: "package.module:Class" for its methods, "package.module" for its functions, or '
        '"package.module:function". Globs are allowed. Without `methods`, a name that starts with an upper-case letter '
        "is a class."
    )
    name: Text | None = Field(default=None, description="The word that groups these spans (the service group).")
    methods: Methods | None = Field(
        default=None,
        description='Names or globs of the methods (functions, when `at` is a module); "!" excludes. '
        'Default: ["*"] for a module, ["*", "!_*"] for a class.',
    )
    tags: dict[str, Text] = Field(
        default={},
        description='Attributes of the span: name = path into the call, such as "order[\'id\']", "self.shop", "result.id", '
        "or a constant in quotes of its own.",
    )
    min_duration: Duration | None = Field(default=None, description="Shorter calls without children leave no span.")
    span: Text | None = Field(
        default=None, description="The name of the span; default: the qualified name of the function."
    )
    how: How | None = Field(default=None, description="How these functions are traced; default: the top-level `how`.")
    evaluate: bool = Field(
        default=False,
        description="Whether paths may run code of the application: properties, __getattr__, __getitem__.",
    )

    @model_validator(mode="after")
    def _check_methods(self) -> Service:
        if self.methods and all(name.startswith("!") for name in self.methods):
            raise mistake("methods only excludes", 'name what to include first, such as ["*", "!_*"]')
        return self


class TargetEntry(Table):
    """One place to trace, and how to read a call of it. Every other key is a field that its convention reads."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Text] = Field(init=False)

    at: FunctionPlace = Field(
        description='The place: "package.module:Class.method" or "package.module:function"; globs.'
    )
    convention: ConventionName = Field(
        default="function", alias="as", description="The semantic family that turns the call into a span."
    )
    span: Text | None = Field(default=None, description="The name of the span; default: what the convention gives.")
    tags: dict[str, Text] = Field(default={}, description="Attributes of the span: name = path into the call.")
    how: How | None = Field(default=None, description="How the function is traced; default: the top-level `how`.")
    min_duration: Duration | None = Field(default=None, description="Shorter calls without children leave no span.")
    evaluate: bool = Field(
        default=False,
        description="Whether paths may run code of the application: properties, __getattr__, __getitem__.",
    )


class Propagation(Table):
    """Where the trace context travels."""

    http: bool = Field(
        default=True, description="Whether outgoing HTTP requests carry the context and incoming ones are read."
    )
    grpc: bool = Field(
        default=True,
        description="Whether outgoing gRPC calls carry the context and incoming ones are read. "
        "Libraries for gRPC are not traced yet, so there is nothing to switch off so far.",
    )
    messaging: bool = Field(
        default=True, description="Whether messages that are sent carry the context and received ones are read."
    )
    database: bool = Field(default=False, description="Whether a comment with the ids is appended to SQL statements.")
    response: bool = Field(default=False, description="Whether HTTP responses carry X-Trace-ID.")
    formats: Annotated[tuple[Format, ...], Array] = Field(
        default=("tracecontext", "baggage", "x-trace"), description="The header formats that are written and read."
    )
    baggage_hosts: Annotated[tuple[str, ...], Array] = Field(
        default=(),
        description='Hosts that are sent baggage beside this machine, such as "*.shop.internal"; others get none.',
    )


class Exporter(Table):
    """One place to which finished traces go."""

    type: ExporterType = Field(
        description="What kind of place: `sqlite` is the local store, `jaeger` a collector of Jaeger, `otlp` whatever "
        "speaks OpenTelemetry's protocol over HTTP."
    )
    endpoint: EndpointUrl | None = Field(
        default=None,
        validate_default=True,  # so that one that is missing is told
        description='jaeger: where its collector takes Thrift over HTTP, such as "http://jaeger:14268/api/traces"; otlp: '
        'where protobuf over HTTP is taken, default: "http://localhost:4318/v1/traces", and /v1/traces where it names only '
        "a host. A user and password in it are sent as basic authorization.",
    )
    timeout: Duration | None = Field(
        default=None, description='jaeger, otlp: the longest that one request may take; default: "2s".'
    )

    @field_validator("endpoint", "timeout", mode="before")
    @classmethod
    def _check_key(cls, value: Any, known: ValidationInfo) -> Any:
        kind = known.data.get("type")
        if kind == "sqlite" and value is not None:
            raise key_mistake(f'{known.field_name} has no meaning with type "sqlite"', "remove it")
        if kind == "jaeger" and value is None and known.field_name == "endpoint":
            example = "http://jaeger:14268/api/traces"
            raise key_mistake('type "jaeger" without an endpoint', f'add `endpoint`, such as "{example}"')
        return value

    @field_validator("endpoint")
    @classmethod
    def _check_endpoint(cls, endpoint: str | None, known: ValidationInfo) -> str | None:
        if endpoint is not None and known.data.get("type") == "jaeger":
            check_path(endpoint)
        return endpoint

    @field_validator("timeout")
    @classmethod
    def _check_timeout(cls, timeout: str | None) -> str | None:
        if timeout is not None and duration_ns(timeout) == 0:
            raise mistake("no request takes no time", 'write a duration such as "2s"')
        return timeout


class Store(Table):
    """The local store."""

    path: Text | None = Field(
        default=None,
        description="The SQLite file, relative to this file; default: .autotrace/traces.db beside this file.",
    )


class Buffer(Table):
    """How much is held until a trace is decided."""

    spans_per_trace: int = Field(default=5000, ge=1, description="Finished spans that one local root may hold.")
    memory: Size = Field(default="64MB", description="What all held spans of a process may take together.")


class Shutdown(Table):
    """What happens when the program ends."""

    timeout: Duration = Field(default="2s", description="The longest that the end of the program waits for the export.")


class _Settings(Table):
    """What a file says of all its programs, and an entry of `[[processes]]` of one."""

    service_name: Text | None = Field(
        default=None, description="The name of the service, as other tools show it; default: the name of the entry."
    )
    how: How = Field(
        default="auto",
        description="How functions are traced: compiled with the tracing inside (weave), wrapped after import (patch), "
        "weave where there is source and patch elsewhere (auto), or not at all (off).",
    )
    resource: dict[str, Text] = Field(default={}, description="Attributes of the process, sent with all its spans.")
    services: Annotated[tuple[Service, ...], Array] = Field(
        default=(), description="Groups of functions of your own code."
    )
    targets: Annotated[tuple[TargetEntry, ...], Array] = Field(default=(), description="Single places to trace.")
    sampler: Sampler = Field(default=Sampler(), description="Which traces are kept.")
    propagation: Propagation = Field(default=Propagation(), description="Where the trace context travels.")
    exporters: Annotated[tuple[Exporter, ...], Array] = Field(
        default=(), description="Where finished traces go; default: the local store."
    )
    store: Store = Field(default=Store(), description="The local store.")
    buffer: Buffer = Field(default=Buffer(), description="How much is held until a trace is decided.")
    shutdown: Shutdown = Field(default=Shutdown(), description="What happens when the program ends.")


class Process(_Settings):
    """One program of several that share the file. A key that stands here replaces the whole of that key in the file."""

    entry: Text = Field(
        description='How the program is started: the end of its path ("payments/worker.py"), the name after -m, or a '
        "command; globs. The first entry that matches wins."
    )


class Config(_Settings):
    """The whole of tracing.toml, or of [tool.autotrace] in pyproject.toml."""

    on_config_error: Literal["stop", "run_untraced"] = Field(
        default="stop",
        description="What a mistake in this file does: stop before the program starts, or run it untraced.",
    )
    processes: Annotated[tuple[Process, ...], Array] = Field(
        default=(), description="What holds for single programs, where several share this file."
    )
