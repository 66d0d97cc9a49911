"""One process's tracing: takes a plan, wires the stages to each other, and undoes it in reverse."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar

from autotrace import guard
from autotrace.account import Account
from autotrace.hook.children import Children, Entry, environment
from autotrace.hook.code_cache import CodeCache
from autotrace.hook.declared import meeting
from autotrace.hook.finder import TracingFinder
from autotrace.hook.matching import MAIN, Matching
from autotrace.hook.multiprocess import SPAWNED_MAIN, Multiprocessing
from autotrace.hook.patch import Patcher
from autotrace.hook.sudden_end import SuddenEnd
from autotrace.hook.trace import ModuleTracing
from autotrace.hook.woven import Woven
from autotrace.outgoing import Outgoing
from autotrace.overhead.meter import Meter
from autotrace.plan.integration import libraries_by_module, load_integration
from autotrace.plan.plan import Plan
from autotrace.plan.service import ServiceSettings
from autotrace.plan.target import Target
from autotrace.sample.sampler import Sampler
from autotrace.sample.samplers import Samplers
from autotrace.span.construct import Construction
from autotrace.span.fork import leave_to_parent, settle, watch
from autotrace.span.service import Service
from autotrace.span.span import LocalRoot
from autotrace.span.tracer import Tracer
from autotrace.store.location import locate

if TYPE_CHECKING:
    from autotrace.conventions import Environment

OPENTELEMETRY = "opentelemetry.trace"
_LATE_IMPORTS = frozenset(
    (
        *("ast", "binascii", "bisect", "contextlib", "copy", "dataclasses", "datetime", "difflib", "dis", "fnmatch"),
        *("glob", "heapq", "inspect", "ipaddress", "json", "linecache", "logging", "math", "ntpath", "opcode"),
        *("pathlib", "sqlite3", "string", "struct", "textwrap", "threading", "token", "tokenize", "traceback"),
        *("grp", "unicodedata", "urllib", "warnings", "weakref"),
    )
)


class Runtime:
    """Tracing in this process, from `start` to `stop`."""

    first_tracer: ClassVar[Tracer | None] = None
    installed: ClassVar[list[Runtime]] = []
    late_imports: ClassVar[frozenset[str]] = _LATE_IMPORTS
    """The modules of the standard library that we import only when they are needed."""

    def __init__(self, plan: Plan, entry_names: Iterable[str] = (), entry: Entry | None = None) -> None:
        self.plan = plan
        self.store = locate(plan.store.path, plan.directory, environment())
        self._matching = Matching(plan.targets, entry_names, libraries_by_module(), load_integration)
        self._children = None if entry is None else Children(plan.config_file, str(self.store), entry)
        sampler = Sampler(plan.sampler)
        self._sampler = Samplers(sampler, plan.service_name)
        self.meter = Meter()
        self.account = Account(plan, self.store, self._sampler, self._matching, self._children, self.meter)
        self.outgoing = Outgoing(plan, self.store, self._sampler, self.account, self.meter, self._own_tracers)
        self.outgoing.let_ask(sampler, plan.service_name)
        self._recording = self._tracer()
        self.tracer = Runtime.first_tracer = Runtime.first_tracer or self._tracer()
        self.construction = Construction(self.tracer)
        self._patcher = Patcher()
        cache = CodeCache(os.path.join(os.path.dirname(self.store), "code"), repr(plan.targets) + plan.how)  # noqa: PTH118, PTH120
        self._multiprocessing = Multiprocessing(self.flush, self._compile_spawned_main)
        self._sudden_end = SuddenEnd(self.outgoing.flush_waiting)
        after_import = {OPENTELEMETRY: self._join_opentelemetry, "signal": self._sudden_end.enter_signal}
        after_import.update(self._multiprocessing.hooks())
        if self._children is not None:
            after_import["subprocess"] = self._children.enter_subprocess
        self._modules = ModuleTracing(self._matching, self, self._patcher, cache, plan.how, after_import)
        self._finder = TracingFinder(self._modules)
        self._environment: Environment | None = None
        self._undo: list[Callable[[], None]] = []
        watch(self)

    def _tracer(self) -> Tracer:
        return Tracer(
            decide=self._sampler.decide,
            ended=self._sampler.ended,
            early=self._sampler.early,
            deliver=self.outgoing.deliver,
            dropped=self.meter.dropping(self.outgoing.drop),
            admits=self._admits(),
            limit=self.plan.buffer.spans_per_trace,
            ignored_errors=self._sampler.ignored_errors,
        )

    def _admits(self) -> Callable[[LocalRoot], bool] | None:
        return None if self._sampler.admits_all else self._sampler.admits

    def _own_tracers(self) -> tuple[Tracer, ...]:
        """What holds our settings: where we are the newest installation, the tracer that woven code holds does too."""
        return (self._recording, self.tracer) if Runtime.installed[-1:] == [self] else (self._recording,)

    def load_rest(self) -> None:
        """Import what is otherwise imported when it is first needed."""
        from autotrace.conventions import load_all

        load_all()
        self.outgoing.export  # noqa: B018 - made when first read

    @property
    def compile_main(self) -> Callable[[bytes | str, str], CodeType]:
        """Compiles the entry program with its tracing."""
        return self._modules.compile_main

    def _compile_spawned_main(self, source: bytes | str, filename: str) -> CodeType:
        return self._modules.compile_main(source, filename, SPAWNED_MAIN)

    def start(self) -> None:
        """Trace what is imported from now on, and what is loaded already; an older installation waits meanwhile."""
        for older in Runtime.installed:
            older.account.is_covered = True
        Runtime.installed.append(self)
        self.tracer.resume(self._recording)
        self._undo.append(self.meter.start())
        self._finder.install()
        self._undo.extend((self._finder.remove, self._patcher.undo, self._multiprocessing.leave, self._sudden_end.stop))
        self._sudden_end.start()
        if self._children is not None:
            self._undo.append(self._children.stop)
            self._children.start()
        self._trace_loaded()
        atexit.register(self.stop)
        self._undo.append(lambda: atexit.unregister(self.stop))
        self._undo.append(lambda: meeting.leave(self))
        meeting.arrive(self)

    def _trace_loaded(self) -> None:
        for name, module in list(sys.modules.items()):
            if name not in (MAIN, SPAWNED_MAIN) and not name.startswith("autotrace") and self._modules.concerns(name):
                self._modules.loaded(module)

    def flush(self) -> None:
        """Bring what was kept so far to the exporters."""
        self.outgoing.flush()

    def stop(self) -> None:
        """Undo everything in reverse, bring what was kept to the exporters, and say what has to be said."""
        undo, self._undo = self._undo, []
        if not undo:
            return
        self._multiprocessing.finish(lambda: self._stop(undo))

    def _stop(self, undo: Sequence[Callable[[], None]]) -> None:
        self.tracer.active = False
        for step in (*reversed(undo), self._uncover, self.outgoing.settle, self._end):
            try:
                step()
            except BaseException as failure:
                guard.swallow(failure)

    def _end(self) -> None:
        self.account.report(self.outgoing.shutdown())

    def _uncover(self) -> None:
        """Let whoever was installed before this record again, and patch what is no longer patched."""
        Runtime.installed.remove(self)
        if Runtime.installed:
            newest = Runtime.installed[-1]
            newest.tracer.resume(newest._recording)
            newest._trace_loaded()

    def constants(self, target: Target, module: str, woven: Woven) -> Mapping[str, object]:
        """What stands in the code of a woven function."""
        return self.construction.constants(target, module, woven.qualname, woven.roots, woven.mark)

    def wrapper(self, target: Target, module: str, qualname: str, original: Any) -> Callable[..., Any] | None:
        """What wraps a patched function."""
        from autotrace.conventions import build  # when the first function is patched, not before

        return build(original, target, module, qualname, self.environment)

    @property
    def environment(self) -> Environment:
        """What the conventions see of this process."""
        if self._environment is None:
            from autotrace.conventions import Environment

            self._environment = Environment(self.construction, self.plan.propagation)
        return self._environment

    def names(self, module: str, qualname: str) -> bool:
        """Whether the file names a function of the user's, which is then traced as the file says."""
        found = self._matching.first(self._matching.of_module(module), qualname)
        return found is not None and self._matching.targets[found].integration is None

    def patch(self, function: FunctionType, wrapper: Callable[..., Any]) -> bool:
        """Wrap a declared function, which cannot be given other code, where its module or class holds it; if it does."""
        module = sys.modules.get(function.__module__)
        if module is None or "<locals>" in function.__qualname__:
            return False
        return self._patcher.patch(module, function.__qualname__, lambda original: wrapper) is None

    def add_service(self, service: Service, settings: ServiceSettings) -> None:
        """Let the spans of a service be its own."""
        if settings.sampler is not None:
            self.outgoing.let_ask(self._sampler.add(service, settings.sampler), service.name)
            for tracer in self._own_tracers():
                tracer.admits = self._admits()
        self.outgoing.add_service(service, settings)

    def _join_opentelemetry(self) -> None:
        from autotrace.span import provider, runtime_context  # OpenTelemetry, which the application has just imported

        runtime_context.take_slot()
        self._undo.append(runtime_context.leave_slot)
        api = provider.Api(self.tracer)
        api.enter()
        self._undo.append(api.leave)

    def before_fork(self) -> None:
        """Settle what the child must agree with us on."""
        self.account.before_fork()
        self._sampler.before_fork()
        self.outgoing.is_forking = True
        try:
            settle(self.tracer)
        finally:
            self.outgoing.is_forking = False

    def after_fork_in_child(self) -> None:
        """Leave to the parent what is its own."""
        leave_to_parent(self.tracer)
        self._sampler.reset()
        self.account.after_fork_in_child()
