"""Sites of calls that are alike: takes the site of a function, gives one for those of its calls of which the same is said.

What a convention says of a statement, or of the requests of one client, repeats. It is said once, of a site; so a span has
little to carry.
"""

from __future__ import annotations

from collections.abc import Mapping

from autotrace.span.finished import AttributeValue
from autotrace.span.site import Site
from autotrace.span.tagged import TaggedSite


def described(site: Site, name: str, attributes: Mapping[str, AttributeValue]) -> Site:
    """A site like `site`, with a name and attributes of its own."""
    if not isinstance(site, TaggedSite):
        return type(site)(site.tracer, name, site.kind, site.min_duration, attributes)
    tagged = type(site)(site.tracer, name, site.tags, site.kind, site.min_duration, attributes, site.roots)
    tagged.unreadable = site.unreadable
    return tagged
