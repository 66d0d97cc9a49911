"""The import hook: takes the modules that a plan names as they are imported, gives them woven and patched.

This is the only place that touches `sys.meta_path`. It never finds modules itself: the other finders do, and what they
find is loaded by them; only how a module's source is compiled, and what happens at its end, is ours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from autotrace import guard

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    Loader = object  # importlib.abc costs every start 15 ms

_Method = TypeVar("_Method", bound=Callable[..., object])


class Tracing(Protocol):
    """What the hook does to a module; `autotrace.hook.trace` is the real one."""

    def concerns(self, name: str) -> bool:
        """Whether something is to be done to this module."""

    def weaves(self, name: str) -> bool:
        """Whether its source is to be compiled by us."""

    def compile(self, source: bytes, filename: str, name: str) -> CodeType:
        """Compile a module with its tracing."""

    def loaded(self, module: ModuleType) -> None:
        """The module has run: patch what is to be patched."""


class TracingFinder:
    """Stands first in `sys.meta_path` while tracing is installed.

    No subclass of `importlib.abc.MetaPathFinder`; those of the interpreter are none either.
    """

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def install(self) -> None:
        """Stand first from now on."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Leave the import system as it was."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not self._tracing.concerns(fullname):
            return None
        spec = self._find_elsewhere(fullname, path, target)
        try:
            if spec is not None and spec.loader is not None and hasattr(spec.loader, "exec_module"):
                spec.loader = _loader(spec.loader, self._tracing, fullname)
        except BaseException as failure:
            guard.swallow(failure)
        return spec

    def _find_elsewhere(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is self or isinstance(finder, TracingFinder) or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                return spec
        return None


def _loader(original: Loader, tracing: Tracing, name: str) -> Loader:
    if is_standard(original) and tracing.weaves(name):
        return WeavingLoader(original, tracing)  # type: ignore[arg-type]  # a SourceFileLoader, as just checked
    return PatchingLoader(original, tracing)


def is_standard(loader: Loader) -> bool:
    """Whether a loader compiles and runs a source file in the standard way; pytest's and beartype's do not."""
    kind = type(loader)
    return isinstance(loader, SourceFileLoader) and all(
        getattr(kind, name) is getattr(SourceFileLoader, name)
        for name in ("get_code", "source_to_code", "exec_module", "get_data", "get_filename")
    )


def _as_importlib(method: _Method) -> _Method:
    """Give a method the file name of importlib: the interpreter takes those frames out of a failing import's traceback."""
    function = cast(FunctionType, method)
    function.__code__ = function.__code__.replace(co_filename=SourceFileLoader.get_code.__code__.co_filename)
    return method


class WeavingLoader(SourceFileLoader):
    """The standard loader, whose module is compiled by us and tells us in its last statement that it has run.

    Only `get_code` is ours: a method around the module's run would be a frame in the traceback of a failing import.
    """

    def __init__(self, original: SourceFileLoader, tracing: Tracing) -> None:
        super().__init__(original.name, original.path)
        self._original = original
        self._tracing = tracing

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._original.create_module(spec)

    @_as_importlib
    def get_code(self, fullname: str) -> CodeType | None:
        try:
            filename = self.get_filename(fullname)
            code = self._tracing.compile(self.get_data(filename), filename, fullname)
        except SyntaxError:
            # The user's own: the standard loader raises it with the frames that it always has.
            code = None
        except BaseException as failure:
            guard.swallow(failure)
            code = None
        _restore(sys.modules.get(fullname), self, self._original)
        return code if code is not None else self._original.get_code(fullname)


class PatchingLoader(Loader):
    """Any other loader: its module is loaded as ever, and then patched."""

    def __init__(self, original: Loader, tracing: Tracing) -> None:
        self._original = original
        self._tracing = tracing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        create: Callable[[ModuleSpec], ModuleType | None] = self._original.create_module
        return create(spec)

    @_as_importlib
    def exec_module(self, module: ModuleType) -> None:
        _restore(module, self, self._original)
        self._original.exec_module(module)
        try:
            self._tracing.loaded(module)
        except BaseException as failure:
            guard.swallow(failure)


def unwrapped(loader: Loader | None) -> Loader | None:
    """The loader that a module would have untraced."""
    return loader._original if isinstance(loader, WeavingLoader | PatchingLoader) else loader


def _restore(module: ModuleType | None, loader: Loader, original: Loader) -> None:
    """Give the module the loader that it would have untraced, before its code can see ours."""
    if module is None:
        return
    if getattr(module, "__loader__", None) is loader:
        module.__loader__ = original
    spec = getattr(module, "__spec__", None)
    if spec is not None and spec.loader is loader:
        spec.loader = original
