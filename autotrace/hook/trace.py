"""What is done to one module: takes it as source or as it was loaded, gives its functions woven and patched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import CodeType, ModuleType
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from autotrace import guard
from autotrace.hook.code_cache import CodeCache
from autotrace.hook.matching import ENTRIES, MAIN, Matching
from autotrace.hook.patch import Patcher, functions_of
from autotrace.hook.woven import DEFINED, END, Choice, Compiled, Woven, bind
from autotrace.plan.target import Target


class Sites(Protocol):
    """Where the constants of woven code and the wrappers of patched functions come from."""

    def constants(self, target: Target, module: str, woven: Woven) -> Mapping[str, object]:
        """The constants of one woven function by their markers."""

    def wrapper(self, target: Target, module: str, qualname: str, original: Any) -> Callable[..., Any] | None:
        """What wraps one patched function, or None if it cannot be traced."""


class Loaded:
    """A statement of a compiled module, `LOADED.nullcontext()`: its last, and in the entry script one after each definition.

    A script runs its application before its own end, so what is patched there must be patched as soon as it exists.
    """

    __slots__ = ("_final", "_modules", "_name")

    def __init__(self, modules: ModuleTracing, name: str, *, final: bool) -> None:
        self._modules = modules
        self._name = name
        self._final = final

    def nullcontext(self) -> None:
        """Patch what is there by now."""
        try:
            self._modules.loaded(sys.modules[self._name], final=self._final)
        except BaseException as failure:
            guard.swallow(failure)


# What is woven in each module; it stays so when tracing is taken out and put in again, and ends with the module, whose
# name may be imported again as something else.
_WOVEN: WeakKeyDictionary[ModuleType, frozenset[str]] = WeakKeyDictionary()


class ModuleTracing:
    """Applies the targets of a plan to modules, one by one."""

    def __init__(
        self,
        matching: Matching,
        sites: Sites,
        patcher: Patcher,
        cache: CodeCache,
        how: str = "auto",
        after_import: Mapping[str, Callable[[], None]] | None = None,
    ) -> None:
        self._matching = matching
        self._after_import = after_import or {}
        self._sites = sites
        self._patcher = patcher
        self._cache = cache
        self._how = how
        self._woven: dict[str, frozenset[str]] = {}
        self._failed: dict[str, frozenset[str]] = {}

    def concerns(self, name: str) -> bool:
        return name in self._after_import or self._matching.concerns(name)

    def weaves(self, name: str) -> bool:
        return any(self._how_of(number) == "weave" for number in self._matching.of_module(name))

    def compile(self, source: bytes, filename: str, name: str) -> CodeType:
        compiled = self._cache.load(source, filename, name)
        if compiled is None:
            compiled = self._compile(source, filename, name)
            self._cache.save(source, filename, name, compiled)
        return self._bind(compiled, name)

    def compile_main(self, source: bytes | str, filename: str, name: str = MAIN) -> CodeType:
        """Compile the entry program; only what compiling the plain source raises comes out."""
        data = source.encode() if isinstance(source, str) else source
        if not self.concerns(name):
            return compile(source, filename, "exec", dont_inherit=True)
        return self.compile(data, filename, name)

    def loaded(self, module: ModuleType, *, final: bool = True) -> None:
        """Patch what the targets name and weaving did not reach; what is missing is a problem only at the end."""
        name = module.__name__
        if name in self._after_import:
            self._after_import[name]()
        if name in self._woven:
            _WOVEN[module] = self._woven[name]
        for number in self._matching.of_module(name):
            if self._how_of(number) == "off":
                continue
            literal = self._matching.literal(number)
            for qualname in self._named(module, number) if literal is None else (literal,):
                problem = self._patch(module, number, qualname)
                if problem is not None and final:
                    self._matching.problems.setdefault(number, problem)

    def _named(self, module: ModuleType, number: int) -> list[str]:
        failed = self._failed.get(module.__name__, frozenset())
        everything = self._how_of(number) == "patch" or module not in _WOVEN or "*" in failed
        return [
            qualname
            for qualname in functions_of(module)
            if (everything or qualname in failed) and self._matching.first((number,), qualname) is not None
        ]

    def _compile(self, source: bytes, filename: str, name: str) -> Compiled:
        numbers = [number for number in self._matching.of_module(name) if self._how_of(number) == "weave"]

        def choose(qualname: str, parameters: tuple[str, ...]) -> Choice | None:
            return self._matching.choose(numbers, qualname, parameters)

        from autotrace.hook.compile import compile_woven  # ast: 10 ms that a module in the code cache does not pay

        return compile_woven(source, filename, choose, definitions=name in ENTRIES)

    def _bind(self, compiled: Compiled, name: str) -> CodeType:
        constants: dict[str, object] = {
            END: Loaded(self, name, final=True),
            DEFINED: Loaded(self, name, final=False),
        }
        self._woven[name] = frozenset(woven.qualname for woven in compiled.woven)
        self._failed[name] = frozenset(qualname for qualname, _ in compiled.failed)
        for qualname, reason in compiled.failed:
            self._matching.fallbacks[name if qualname == "*" else f"{name}:{qualname}"] = reason
        for woven in compiled.woven:
            target = self._matching.targets[woven.target]
            constants.update(self._sites.constants(target, name, woven))
            self._matching.note(woven.target, name, woven.qualname)
        return bind(compiled.code, constants)

    def _patch(self, module: ModuleType, number: int, qualname: str) -> str | None:
        if qualname in _WOVEN.get(module, ()):
            self._matching.note(number, module.__name__, qualname)
            return None
        target = self._matching.targets[number]

        def wrap(original: Any) -> Callable[..., Any] | None:
            return self._sites.wrapper(target, module.__name__, qualname, original)

        try:
            problem = self._patcher.patch(module, qualname, wrap)
        except BaseException as failure:
            guard.swallow(failure)
            problem = f"{type(failure).__name__}: {failure}"
        if problem is None:
            self._matching.note(number, module.__name__, qualname)
        return problem

    def _how_of(self, number: int) -> str:
        target = self._matching.targets[number]
        how = target.how if target.how != "auto" else self._how
        if how == "off":
            return "off"
        weavable = target.convention == "function" and target.integration is None
        return "weave" if weavable and how in ("auto", "weave") else "patch"
