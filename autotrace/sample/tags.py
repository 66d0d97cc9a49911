"""Tags that keep a trace (`[sampler.keep] tags`): takes the spans of a local root, says whether one has such a tag."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from autotrace.sample.globs import text_glob
from autotrace.span.detail import Detail
from autotrace.span.finished import AttributeScalar, AttributeValue
from autotrace.span.span import Span


class Tags:
    """What is wanted; any one of it is enough. A text may have `*` and `?`; a number or boolean is equal or not."""

    def __init__(self, wanted: Iterable[tuple[str, AttributeScalar]]) -> None:
        self._wanted = [(name, _test(value)) for name, value in wanted]

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def are_on(self, spans: Sequence[Span]) -> bool:
        """Whether one of `spans` has a tag that is wanted."""
        return any(self._is_in(_attributes(span)) or self._is_in(span.site.attributes) for span in spans)

    def _is_in(self, attributes: Mapping[str, AttributeValue]) -> bool:
        for name, test in self._wanted:
            value = attributes.get(name)
            if value is not None and test(value):
                return True
        return False


def _attributes(span: Span) -> Mapping[str, AttributeValue]:
    detail = span.detail
    if isinstance(detail, Detail):
        return detail.attributes
    return {} if detail is None else span.site.named(detail)


def _test(wanted: AttributeScalar) -> Callable[[object], bool]:
    if isinstance(wanted, str):
        expression = re.compile(text_glob(wanted), re.DOTALL)
        return lambda value: isinstance(value, str) and expression.fullmatch(value) is not None
    # True is 1 in Python, but not in a file.
    is_boolean = isinstance(wanted, bool)
    return lambda value: value == wanted and isinstance(value, bool) is is_boolean
