"""What `@traced` says of one function: takes the function and the tracing of the process, puts the one into the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from autotrace import guard
from autotrace.errors import AutotraceError, PathError
from autotrace.plan.path import getter, parse

if TYPE_CHECKING:
    from autotrace.runtime import Runtime
    from autotrace.span.service import Service
    from autotrace.span.site import Site
    from autotrace.span.tagged import Tag

# `inspect.CO_VARARGS` and `inspect.CO_VARKEYWORDS`.
_VARARGS, _VARKEYWORDS = 0x04, 0x08

KINDS = ("internal", "server", "client", "producer", "consumer")


class Declaration:
    """One function's name, tags and kind, and once it is traced the site that stands in its code.

    `waiting` is a wrapper that has found no place yet.
    """

    __slots__ = ("_site", "kind", "name", "service", "tags", "waiting")

    def __init__(self, name: str | None, tags: Mapping[str, str], kind: str) -> None:
        self.name = name
        self.tags = dict(tags)
        self.kind = kind
        self.service: Service | None = None
        self.waiting: Callable[..., Any] | None = None
        self._site: Site | None = None

    def check(self, function: FunctionType) -> None:
        """Raise AutotraceError for a kind or a tag that cannot be, whether there is tracing or not."""
        where = f"@traced of {function.__module__}:{function.__qualname__}"
        if self.kind not in KINDS:
            raise AutotraceError(f'{where}: kind = "{self.kind}" is none; it is one of {", ".join(KINDS)}')
        known = (*_parameters(function.__code__), "result", "error")
        for name, text in self.tags.items():
            try:
                path = parse(text)
            except PathError as error:
                raise AutotraceError(f'{where}: tags["{name}"]: "{text}" is no path: {error}') from None
            if path.constant is None and path.root not in known:
                import difflib  # only for a mistake

                near = difflib.get_close_matches(path.root, known, n=1)
                hint = f'did you mean "{near[0]}"?' if near else f"it has {', '.join(known)}"
                raise AutotraceError(f'{where}: tags["{name}"]: there is no parameter "{path.root}"; {hint}')

    def put_into(self, function: FunctionType, tracing: Runtime) -> Callable[..., Any] | None:
        """Trace `function`; give the wrapper that it needs where it cannot be given other code."""
        try:
            return self._put_into(function, tracing)
        except BaseException as failure:
            guard.swallow(failure)
            return None

    def belong(self, function: FunctionType, service: Service) -> None:
        """Let the spans of the function be those of a service."""
        self.service = service
        for site in (*sites_in(function.__code__), *([self._site] if self._site is not None else ())):
            site.service = service

    def _put_into(self, function: FunctionType, tracing: Runtime) -> Callable[..., Any] | None:
        woven = list(sites_in(function.__code__))
        qualname = function.__qualname__.replace("<locals>.", "")
        if woven or tracing.names(function.__module__, qualname) or tracing.plan.how == "off":
            # The file says how; it is not traced twice.
            if self.service is not None:
                self.belong(function, self.service)
            return None
        from autotrace.hook.swap import UntraceableError, swap_of

        try:
            result = any(parse(text).root == "result" for text in self.tags.values())
            swap = swap_of(function, result=result) if tracing.plan.how != "patch" else None
        except UntraceableError:
            return None
        if swap is None:
            return self._wrap(function, tracing, qualname)
        site = self._site_of(function, tracing, qualname, swap.roots)
        swap.into(function, tracing.construction.constants_of(site, swap.mark))
        return None

    def _wrap(self, function: FunctionType, tracing: Runtime, qualname: str) -> Callable[..., Any]:
        from autotrace.declare.wrapper import wrapper_of  # wrapt, only for what cannot be swapped

        site = self._site_of(function, tracing, qualname, _parameters(function.__code__))
        return wrapper_of(function, site, tracing.environment)

    def _site_of(self, function: FunctionType, tracing: Runtime, qualname: str, roots: tuple[str, ...]) -> Site:
        from autotrace.declare.site import DeclaredSite

        constants = {name: path.constant for name, path in self._paths() if path.constant is not None}
        site = DeclaredSite(
            tracing.tracer,
            self.name or qualname,
            list(self._tags(roots)),
            self.kind,
            {"code.function.name": f"{function.__module__}.{qualname}", **constants},
            roots,
            reads=getattr(tracing.plan.propagation, "messaging", True),
        )
        site.service = self.service
        self._site = site
        return site

    def _paths(self) -> Iterator[tuple[str, Any]]:
        for name, text in self.tags.items():
            yield name, parse(text)

    def _tags(self, roots: tuple[str, ...]) -> Iterator[Tag]:
        from autotrace.span.tagged import Tag

        for name, path in self._paths():
            if path.constant is None and path.root in (*roots, "result", "error"):
                yield Tag(name, path.root, getter(path, False))


def sites_in(code: CodeType) -> Iterator[Site]:
    """The sites that woven code holds."""
    from autotrace.span.drive import GeneratorSite
    from autotrace.span.site import Site

    for constant in code.co_consts:
        if isinstance(constant, Site):
            yield constant
        elif isinstance(constant, GeneratorSite):
            yield constant.site


def _parameters(code: CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & _VARARGS) + bool(code.co_flags & _VARKEYWORDS)
    return code.co_varnames[:count]
