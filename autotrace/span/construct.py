"""Sites from targets: takes a target and the function that it matched, gives what stands in woven code or around a call."""

from __future__ import annotations

from collections.abc import Iterable

from autotrace.plan.path import getter, parse
from autotrace.plan.target import Target
from autotrace.span import hushed as hushed  # an import while the application runs may be interrupted by a signal
from autotrace.span.drive import GeneratorSite
from autotrace.span.finished import AttributeValue
from autotrace.span.site import ShortSite, Site
from autotrace.span.tagged import Results, ShortTaggedSite, Tag, TaggedSite
from autotrace.span.tracer import Tracer

_ALWAYS = ("result", "error")


class Construction:
    """Makes the sites of one tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer

    def site(self, target: Target, module: str, qualname: str, roots: Iterable[str] = ()) -> Site:
        """The site of one function; `roots` are those of the tags' roots that are parameters of it."""
        attributes: dict[str, AttributeValue] = {"code.function.name": f"{module}.{qualname}"}
        if target.service is not None:
            attributes["autotrace.service"] = target.service
        attributes.update(constant_tags(target))
        name = target.span or qualname
        tags = _tags(target, (*roots, *_ALWAYS))
        if tags:
            kind = ShortTaggedSite if target.min_duration_ns else TaggedSite
            return kind(self.tracer, name, tags, min_duration=target.min_duration_ns, attributes=attributes)
        plain = ShortSite if target.min_duration_ns else Site
        return plain(self.tracer, name, min_duration=target.min_duration_ns, attributes=attributes)

    def constants(
        self, target: Target, module: str, qualname: str, roots: Iterable[str], mark: str
    ) -> dict[str, object]:
        """What stands in the code of one woven function, by its markers."""
        return self.constants_of(self.site(target, module, qualname, roots), mark)

    def constants_of(self, site: Site, mark: str) -> dict[str, object]:
        """What stands in the code of a woven function whose site is made already."""
        constants: dict[str, object] = {f"{mark}site": site, f"{mark}steps": GeneratorSite(site)}
        if isinstance(site, TaggedSite):
            constants[f"{mark}results"] = Results(site)
        return constants


def constant_tags(target: Target) -> dict[str, AttributeValue]:
    """The tags that are text in quotes: the same for every span."""
    return {name: path.constant for name, text in target.tags if (path := parse(text)).constant is not None}


def _tags(target: Target, roots: tuple[str, ...]) -> list[Tag]:
    tags = []
    for attribute, text in target.tags:
        path = parse(text)
        if path.root in roots:
            tags.append(Tag(attribute, path.root, getter(path, target.evaluate)))
    return tags
