"""What every convention needs of its process: the tracer and how the context travels."""

from __future__ import annotations

from typing import Any, NamedTuple

from autotrace.conventions.parameters import Parameters, parameters_of
from autotrace.plan.path import getter, parse
from autotrace.plan.plan import PropagationSettings
from autotrace.plan.target import Target
from autotrace.span.construct import Construction, constant_tags
from autotrace.span.finished import AttributeValue
from autotrace.span.site import SendingSite, Site
from autotrace.span.tagged import Tag, TaggedSite
from autotrace.span.tracer import Tracer

_SENDING = frozenset({"http.client", "messaging.send"})


class Environment(NamedTuple):
    """One process's tracing, as conventions see it."""

    construction: Construction
    propagation: PropagationSettings

    @property
    def tracer(self) -> Tracer:
        """What records spans."""
        return self.construction.tracer


class Place(NamedTuple):
    """One function that a convention surrounds: what named it, and the function itself."""

    target: Target
    module: str
    qualname: str
    original: Any
    environment: Environment

    @property
    def parameters(self) -> Parameters:
        """The parameters of the function; a C function without a signature has them in its field `parameters`."""
        listed = self.word("parameters")
        return Parameters(tuple(listed.split())) if listed else parameters_of(self.original)

    def word(self, field: str, default: str = "") -> str:
        """A field that is a word of the convention's own, such as `protocol`, and not a path."""
        return dict(self.target.fields).get(field, default)

    def site(self, name: str, kind: str) -> Site:
        """A site for spans of this place; `span`, `tags` and `service` of its target count."""
        target = self.target
        attributes: dict[str, AttributeValue] = {}
        if target.service is not None:
            attributes["autotrace.service"] = target.service
        attributes.update(constant_tags(target))
        name = target.span or name
        if not target.tags:
            sends = target.convention in _SENDING
            return (SendingSite if sends else Site)(self.environment.tracer, name, kind, 0, attributes)
        tags = [self._tag(attribute, text) for attribute, text in target.tags]
        return TaggedSite(self.environment.tracer, name, tags, kind, 0, attributes)

    def _tag(self, attribute: str, text: str) -> Tag:
        path = parse(text)
        return Tag(attribute, path.root, getter(path, self.target.evaluate))
